"""What tests of several packages share: a local stack of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from scripts.local_stack.local_stack import Endpoints, LocalStack

settings.register_profile("no_times", deadline=None)  # a busy machine is slow, and that breaks no promise
settings.load_profile("no_times")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Yields a running stack that belongs to this test session alone; the developer's `.local` is never touched."""
    private = LocalStack(tmp_path_factory.mktemp("stack"))
    try:
        yield private.up()
    finally:
        private.reset()
