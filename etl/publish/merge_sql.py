"""BigQuery SQL of a merge: names of the contract and days; no value of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Final

from etl.plan import TablePlan
from schemas.loads import DELETED_AT, MergeLoad

_GONE: Final = "kagemusha_gone"
_ALWAYS: Final = "DATE '0001-01-01'"


@dataclass(frozen=True)
class Merge:
    """The statements of one merge.

    Attributes:
        plan: of the changed rows.
        table: the published table's full name.
        changes: the table of changed rows.
        keys: the table of all keys of the source, or None where no deletes are looked for.
    """

    plan: TablePlan
    table: str
    changes: str
    keys: str | None

    def merge(self, days: Sequence[date]) -> str:
        """Returns the statement that inserts, updates and deletes.

        Args:
            days: of the partitions that it touches; of a table without partitions, none.
        """
        columns = self.plan.contract.published
        rest = [name for name in columns if name not in self.plan.contract.key]
        # Every changed row is of one of the days; saying so in the source too satisfies a required partition filter.
        changed = f"`{self.changes}` AS s WHERE {self._among(days, 's')}"
        source = f"SELECT {_list(columns, 's')}, FALSE AS {_GONE} FROM {changed}"
        gone = ""
        if self.keys:
            where = f"{self._gone()} AND {self._among(days, 'g')}"
            source += f" UNION ALL SELECT {_list(columns, 'g')}, TRUE FROM `{self.table}` AS g WHERE {where}"
            gone = f"WHEN MATCHED AND s.{_GONE} THEN {self._delete()} "
        update = ", ".join(f"{_name(one)} = s.{_name(one)}" for one in rest)
        return (
            f"MERGE `{self.table}` AS t USING ({source}) AS s ON {self._same('t', 's')} AND {self._among(days, 't')} "
            + gone
            + (f"WHEN MATCHED THEN UPDATE SET {update} " if update else "")
            + f"WHEN NOT MATCHED THEN INSERT ({_list(columns)}) VALUES ({_list(columns, 's')})"
        )

    def days(self) -> str | None:
        """Returns the query for the days that hold, or will hold, rows of the merge; None without partitions.

        A row whose day has changed is looked for on all days, by its key, so that it does not stay on the old one.
        """
        by = self.plan.contract.partition_by
        if by is None:
            return None
        day, everywhere = _name(by), f"g.{_name(by)} >= {_ALWAYS}"
        joined = f"`{self.table}` AS g JOIN `{self.changes}` AS s ON {self._same('g', 's')}"
        parts = [
            f"SELECT {day} AS day FROM `{self.changes}`",
            f"SELECT g.{day} FROM {joined} WHERE {everywhere}",
        ]
        if self.keys:
            parts.append(f"SELECT g.{day} FROM `{self.table}` AS g WHERE {everywhere} AND {self._gone()}")
        return f"SELECT DISTINCT day FROM ({' UNION ALL '.join(parts)}) ORDER BY day"

    def merged(self) -> str | None:
        """Returns the live rows of the table as the merge will leave it, as a query's FROM; None as for `lost`."""
        if not self._knows_all():
            return None
        columns = self.plan.contract.reconcile or self.plan.contract.key
        there = f"EXISTS (SELECT 1 FROM `{self.keys}` AS k WHERE {self._same('k', 't')})"
        unchanged = f"NOT EXISTS (SELECT 1 FROM `{self.changes}` AS c WHERE {self._same('c', 't')})"
        return (
            f"(SELECT {_list(columns, 's')} FROM `{self.changes}` AS s UNION ALL SELECT {_list(columns, 't')} "
            f"FROM `{self.table}` AS t WHERE {self._live()} AND {there} AND {unchanged})"
        )

    def lost(self) -> str | None:
        """Returns the query that counts rows of the source which the published table should have and has not.

        None where nobody can know: no keys were read, or not from one snapshot; rows in quarantine are left out;
        or old partitions have expired.
        """
        if not self._knows_all():
            return None
        rows = f"SELECT {_list(self.plan.contract.key, 't')} FROM `{self.table}` AS t WHERE {self._live()}"
        return (
            f"SELECT COUNT(*) AS lost FROM `{self.keys}` AS k "
            f"WHERE NOT EXISTS (SELECT 1 FROM ({rows}) AS t WHERE {self._same('t', 'k')}) "
            f"AND NOT EXISTS (SELECT 1 FROM `{self.changes}` AS s WHERE {self._same('s', 'k')})"
        )

    def deletes(self) -> str | None:
        """Returns the query for how many published rows there are, and how many of them the merge deletes or marks.

        None where no deletes are looked for.
        """
        if not self.keys:
            return None
        by = self.plan.contract.partition_by
        there = f"`{self.table}` AS g WHERE {f'g.{_name(by)} >= {_ALWAYS}' if by else 'TRUE'}"
        there += f" AND g.{DELETED_AT} IS NULL" if DELETED_AT in self.plan.contract.added else ""
        return (
            f"SELECT (SELECT COUNT(*) FROM {there}) AS published, "
            f"(SELECT COUNT(*) FROM {there} AND {self._gone()}) AS gone"
        )

    def _knows_all(self) -> bool:
        changes = self.plan.changes
        one_state = not (changes and changes.closed)
        return bool(self.keys) and one_state and not self.plan.mask.budgets and not self.plan.contract.retention_days

    def _live(self) -> str:
        """A published row, t, that is not marked as deleted; a table may demand that its partitions be named."""
        contract = self.plan.contract
        there = [] if contract.partition_by is None else [f"t.{_name(contract.partition_by)} >= {_ALWAYS}"]
        there += [f"t.{DELETED_AT} IS NULL"] if DELETED_AT in contract.added else []
        return " AND ".join(there) or "TRUE"

    def _gone(self) -> str:
        """A published row, g, whose key the source has no more; each row is gone only once."""
        once = f" AND g.{DELETED_AT} IS NULL" if DELETED_AT in self.plan.contract.added else ""
        return (
            f"NOT EXISTS (SELECT 1 FROM `{self.keys}` AS k WHERE {self._same('k', 'g')}) "
            f"AND NOT EXISTS (SELECT 1 FROM `{self.changes}` AS c WHERE {self._same('c', 'g')}){once}"
        )

    def _delete(self) -> str:
        load, changes = self.plan.contract.load, self.plan.changes
        if not isinstance(load, MergeLoad) or load.deletes != "soft" or changes is None:
            return "DELETE"
        at = changes.until.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        return f"UPDATE SET {DELETED_AT} = TIMESTAMP '{at}+00'"

    def _same(self, one: str, other: str) -> str:
        return " AND ".join(f"{one}.{_name(key)} = {other}.{_name(key)}" for key in self.plan.contract.key)

    def _among(self, days: Sequence[date], alias: str) -> str:
        by = self.plan.contract.partition_by
        if by is None:
            return "TRUE"
        literal = ", ".join(f"DATE '{day.isoformat()}'" for day in days)
        return f"{alias}.{_name(by)} IN ({literal})" if literal else "FALSE"


def _name(column: str) -> str:
    return f"`{column}`"


def _list(columns: Sequence[str], alias: str = "") -> str:
    before = f"{alias}." if alias else ""
    return ", ".join(before + _name(column) for column in columns)
