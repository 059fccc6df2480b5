"""One fault point: where in a run something goes wrong, and what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from scripts.fault_injection.field import Field
from scripts.fault_injection.proxy import Fault, Rule

Server = Literal["storage", "bigquery"]
Engine = Literal["postgres", "mysql"]
Act = Callable[[Field], None]


@dataclass(frozen=True)
class Point:
    """A fault that is injected into one run.

    Attributes:
        name: unique; what `--only` takes.
        injected: what goes wrong, for people.
        server: whose requests `rule` disturbs.
        rule: the request and its fault.
        before: rules that lead up to it, for the same server.
        at: the table and the step at which `act` is done, or at which a job of its own is killed.
        act: what is done to the field.
        undo: what puts it right again when the run has ended.
        own_process: whether the run is a process of its own, because it is killed.
        file_bytes: how large a file the job may write; None: any size.
        federated: whether the job logs in to Google by its AWS role.
        alone: whether it needs a stack that nobody else uses.
        engine: of the source that it disturbs; None: either.
    """

    name: str
    injected: str
    server: Server = "bigquery"
    rule: Rule | None = None
    before: tuple[Rule, ...] = ()
    at: tuple[str, str] | None = None
    act: Act | None = None
    undo: Act | None = None
    own_process: bool = False
    file_bytes: int | None = None
    federated: bool = False
    alone: bool = False
    engine: Engine | None = None

    def fresh_rules(self) -> tuple[Rule, ...]:
        """Returns the rules as if no request had come yet, that of the fault first."""
        rules = (*([self.rule] if self.rule else []), *self.before)
        return tuple(replace(rule, seen=0, fired=0) for rule in rules)


def request(
    name: str,
    injected: str,
    server: Server,
    where: tuple[str, str] | tuple[str, str, str],
    fault: Fault,
    *,
    first: int = 1,
    times: int = 1,
    own_process: bool = False,
    federated: bool = False,
    before: tuple[Rule, ...] = (),
) -> Point:
    """Returns the point of a disturbed request.

    Args:
        name: of the point.
        injected: what goes wrong.
        server: whose request.
        where: method and path, and what its body holds.
        fault: what happens.
        first: the how manieth such request of the run.
        times: how many of them in a row.
        own_process: see Point.
        federated: see Point.
        before: see Point.
    """
    method, path, *body = where
    rule = Rule(method, path, fault, body[0] if body else "", first, times)
    return Point(name, injected, server, rule, before, own_process=own_process, federated=federated)


def moment(
    name: str,
    injected: str,
    at: tuple[str, str],
    act: Act,
    *,
    undo: Act | None = None,
    federated: bool = False,
    alone: bool = False,
    engine: Engine | None = None,
) -> Point:
    """Returns the point of something that happens outside when a table reaches a step."""
    return Point(name, injected, at=at, act=act, undo=undo, federated=federated, alone=alone, engine=engine)


def killed_at(name: str, injected: str, at: tuple[str, str]) -> Point:
    """Returns the point of a driver that is killed when a table reaches a step."""
    return Point(name, injected, at=at, own_process=True)
