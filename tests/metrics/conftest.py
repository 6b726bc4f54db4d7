"""Property tests here are deterministic, and have no deadline: a busy machine is not a failure."""

from hypothesis import settings

settings.register_profile("metrics", deadline=None, derandomize=True)
settings.load_profile("metrics")
