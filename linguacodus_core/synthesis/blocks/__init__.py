"""Verified blocks: plain functions whose source the renderer copies into programs."""
