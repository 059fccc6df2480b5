"""The reader guard: SQL proves, on every connection, that the session is on a reader that may be read.

A custom endpoint of type ANY can follow a failover to the writer, and a reader can be promoted: a host name proves
nothing. The host's name is checked first only because that error has the better advice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from etl.errors import NO_ROW_READ, NOT_PUBLISHED, RunLost
from etl.source.host import host_shape
from masking.errors import KagemushaError

Ask = Callable[[str], Sequence[object]]
"""Runs a query on the session in question and returns its only row."""


class ReaderChanged(RunLost):
    """The pinned reader has become the writer, or another instance answers in its place."""


class EndpointRefused(KagemushaError):
    """The session is not on a reader that the settings allow."""

    advice = "Use the cluster's custom ETL endpoint."


class ProvenPlace(Protocol):
    """What the guard must know of an endpoint, whatever its engine."""

    @property
    def host(self) -> str:
        """The host name."""

    @property
    def place(self) -> dict[str, object]:
        """Where it is, for errors."""


@dataclass(frozen=True)
class Reader:
    """What the guard proved: the instance that is read, and its server version number."""

    instance: str
    version: int
    is_aurora: bool = False


@dataclass(frozen=True)
class Role:
    """What a session's own SQL says about the instance that it is on.

    Attributes:
        proof: the question and its answer, for the error of an instance that is no reader.
        oldest: the oldest version of the engine that is read.
    """

    reads_only: bool
    reader: Reader
    proof: str
    oldest: int


def let_through(role: Role, endpoint: ProvenPlace, allowed_instances: Sequence[str]) -> Reader:
    """Returns the reader, if its role lets it be read; the rules are the same for every engine.

    Raises:
        EndpointRefused: see `prove_reader`.
    """
    where = {**endpoint.place, "instance": role.reader.instance}
    if host_shape(endpoint.host) == "writer":
        raise EndpointRefused(
            "The host name is the cluster's writer endpoint.", not_done=NO_ROW_READ, where=endpoint.place
        )
    if not role.reads_only:
        raise EndpointRefused(f"Connected to the writer ({role.proof}).", not_done=NO_ROW_READ, where=where)
    if allowed_instances and role.reader.instance not in allowed_instances:
        raise EndpointRefused(
            f"Connected to an instance that is not among the {len(allowed_instances)} allowed ones.",
            not_done=NO_ROW_READ,
            advice="Add the instance to [source].allowed_instances, or use the custom ETL endpoint.",
            where=where,
        )
    if role.reader.version < role.oldest:
        raise EndpointRefused(
            f"The server's version {role.reader.version} is older than {role.oldest}.",
            not_done=NO_ROW_READ,
            advice="Upgrade the cluster; older versions lack what a guarded read needs.",
            where=where,
        )
    return role.reader


def still_the_reader(prove: Callable[[], Reader], endpoint: ProvenPlace, reader: Reader) -> None:
    """Proves, on a connection in the middle of a run, that it is on the reader that the run has pinned.

    Raises:
        ReaderChanged: it is on a writer or on another instance now. The next run looks at the endpoint anew.
    """
    found = ""
    try:
        if prove() == reader:
            return
        found = "another server answers"
    except EndpointRefused as error:
        found = error.what
    raise reader_changed({**endpoint.place, "instance": reader.instance}, found)


def reader_changed(where: Mapping[str, object], found: str) -> ReaderChanged:
    """Returns the error of a run whose reader is no longer the one that it pinned.

    Args:
        where: the place of the endpoint.
        found: a sentence that says what the session is on now.
    """
    return ReaderChanged(
        f"The reader changed in the middle of the run: {found[:1].lower()}{found[1:].rstrip('.')}.",
        not_done=NOT_PUBLISHED,
        advice="Run again when the cluster's failover is over.",
        where=where,
    )
