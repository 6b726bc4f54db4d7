"""Linguacodus: from the description of a machine-learning task to a program that solves it."""

__version__ = "0.2.0"
