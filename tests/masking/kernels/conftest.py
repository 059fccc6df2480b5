"""Property tests of kernels have no deadline: the first call of a process pays for loading and compiling."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("kernels", deadline=None)
settings.load_profile("kernels")
