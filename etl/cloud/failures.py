"""The rules for errors of foreign clients: ours takes their place, and an HTTP status says whose mistake it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from masking.errors import KagemushaError

_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_PASSING: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.LOCKED,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Statuses of the client's class that say: not now, or somebody else was faster."""


def must_change(status: int | None, *, ours: bool = False) -> bool:
    """Tells whether a person must change something before another try can succeed (exit code 2); else run again (3).

    Of the client's class (4xx) a name, a right or the request is wrong, and what is not implemented (501) stays so; all
    else is the server's or the network's (RFC 9110, sections 15.5 and 15.6).

    Args:
        status: of HTTP; None where there was no answer.
        ours: whether the request was for something that we had made ourselves before, such as a job or a staged object.
            No setting can be wrong about that, so when it is gone, another run makes it anew.
    """
    if status is None or (ours and status in _GONE) or status in _PASSING:
        return False
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.NOT_IMPLEMENTED


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
