"""The one rule for errors of foreign clients: ours takes their place, and nothing of theirs stays attached to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from masking.errors import KagemushaError


@contextmanager
def replacing(
    foreign: tuple[type[BaseException], ...], ours: Callable[[BaseException], KagemushaError]
) -> Iterator[None]:
    """Raises our error in place of a foreign one, whose message could quote a value or a token.

    Args:
        foreign: the errors that the client raises inside the block.
        ours: returns our error for one of them.
    """
    failure: KagemushaError | None = None
    try:
        yield
    except foreign as error:
        failure = ours(error)
    if failure is not None:
        try:
            raise failure
        finally:
            failure.__context__ = None  # the with statement still handles the foreign error, so it would stay attached
