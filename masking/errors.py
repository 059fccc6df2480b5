"""The root of every error of this package: what is wrong, what did not happen, what to do, where; never a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

CONTRACT_MUST_CHANGE = 2
"""Exit code: a contract, a policy or a setting must change before another try can succeed."""


class KagemushaError(Exception):
    """An error that tells a person what to do and tells the scheduler whether trying again can help.

    It carries only strings that our own code wrote: names, counts, positions. It survives pickling, so a Spark task may
    hand it to the driver unchanged.

    Args:
        what: what is wrong, with counts; a full sentence.
        not_done: what did not happen because of it; a full sentence.
        advice: what to do; the class's own advice when empty.
        where: names that locate it (table, slice, host …).
    """

    advice: ClassVar[str] = ""
    exit_code: ClassVar[int] = CONTRACT_MUST_CHANGE

    def __init__(
        self, what: str, *, not_done: str, advice: str = "", where: Mapping[str, object] | None = None
    ) -> None:
        self.what = what
        self.not_done = not_done
        self.todo = advice or self.advice
        self.where = {name: str(value) for name, value in (where or {}).items()}
        super().__init__(what)

    def __str__(self) -> str:
        place = " ".join(f"{name}={value}" for name, value in self.where.items())
        lines = [f"{self.what} {self.not_done}"]
        if self.todo:
            lines.append(f"  {self.todo}" + (f"  [{place}]" if place else ""))
        elif place:
            lines.append(f"  [{place}]")
        return "\n".join(lines)

    def at(self, **where: object) -> KagemushaError:
        """Returns the same error with more places named; places already named stay."""
        return _rebuild(
            type(self), self.what, self.not_done, self.todo, {**{k: str(v) for k, v in where.items()}, **self.where}
        )

    def reworded(self, said: Callable[[str], str]) -> KagemushaError:
        """Returns the same error with everything that it says as `said` returns it."""
        where = {name: said(value) for name, value in self.where.items()}
        return _rebuild(type(self), said(self.what), said(self.not_done), said(self.todo), where)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.not_done, self.todo, self.where)


def _rebuild(
    kind: type[KagemushaError], what: str, not_done: str, todo: str, where: Mapping[str, object]
) -> KagemushaError:
    return kind(what, not_done=not_done, advice=todo, where=where)


class InvalidValues(KagemushaError):
    """A strategy met values that it cannot mask, and the contract says `on_invalid: fail`."""

    advice = "Correct the source, or set `on_invalid: null` or `quarantine` for the column in its contract."


class KeyUnusable(KagemushaError):
    """A key is missing, malformed, readable by others, or not the key it claims to be."""

    advice = "Check the keyring with `kagemusha keys list`."


class StrategyMisused(KagemushaError):
    """A strategy was given a column type or parameters for which its promise cannot hold."""

    advice = "Choose another strategy or type in the contract."
