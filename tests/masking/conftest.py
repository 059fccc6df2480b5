"""Property tests of masking have no deadline: the first call of a process pays for loading and compiling."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("masking", deadline=None)
settings.load_profile("masking")
