"""The catalog: what every table and view is, what became of each column, how it joins, how fresh and large it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from google.cloud import bigquery

from etl.reports.facts.masks import added_said, derived_said, mask_said
from etl.reports.facts.queries import join_query, table_query
from etl.reports.facts.said import Said
from etl.reports.facts.views import ViewFacts, view_facts
from etl.reports.links import TableLinks, table_links
from etl.reports.status import TableStatus
from etl.settings import Settings
from masking.policy import POLICY
from masking.strategies import Keep, KeyedStrategy
from schemas.columns import Column
from schemas.contract import Contract
from schemas.loads import PartitionLoad
from schemas.preview import NOT_READ, Shown, preview
from schemas.types import bigquery_type
from schemas.view_file import View
from schemas.words import LANGUAGES, Language, Text

_TIB: Final = 2**40
_UNSAID: Final = Text()


@dataclass(frozen=True)
class ColumnFacts:
    """One column of a table, dropped ones too.

    Attributes:
        source: its name at the source; empty where no source column gives it.
        type: in BigQuery; at the source for a dropped one.
        fate: kept, masked, dropped, derived or added.
        how: what its mask does.
        why: the contract's reason for keeping it.
        before, after: a made-up value and what the mask makes of it; empty where there is nothing to show.
        joins: table.column with the same tokens.
    """

    name: str
    source: str
    type: str
    column_class: str
    strategy: str
    fate: str
    how: Said
    about: Text
    why: Text = _UNSAID
    before: str = ""
    after: str = ""
    domain: str = ""
    reversible: bool = False
    nullable: bool = True
    clause: str = ""
    joins: str = ""


@dataclass(frozen=True)
class JoinFacts:
    """One join: a column whose tokens are found in another table's column, and a query that shows it."""

    table: str
    column: str
    other: str
    key: str
    query: str


@dataclass(frozen=True)
class TableFacts:
    """One published table.

    Attributes:
        joins: from this table to others.
        joined_by: from others to this one.
        views: the views that read it.
        usd_tib: what reading a TiB costs.
        links: language → where it opens at Google; empty where it is on a local server.
        status: how it stands; None where nobody asked the ledger.
    """

    table: str
    publish: str
    source: str
    about: Text
    owner: str
    mode: str
    key: tuple[str, ...]
    partition_by: str
    lookback_days: int
    require_partition_filter: bool
    retention_days: int | None
    cluster_by: tuple[str, ...]
    erasure: str
    digest: str
    columns: tuple[ColumnFacts, ...]
    joins: tuple[JoinFacts, ...]
    joined_by: tuple[JoinFacts, ...]
    views: tuple[str, ...]
    query: str
    usd_tib: float
    links: Mapping[Language, TableLinks]
    status: TableStatus | None = None

    @property
    def dataset(self) -> str:
        """The BigQuery dataset."""
        return self.publish.split(".")[0]

    @property
    def scan_usd(self) -> float | None:
        """What reading all of it once costs; None where its size is not known."""
        return None if self.bytes is None else self.bytes / _TIB * self.usd_tib

    @property
    def bytes(self) -> int | None:
        """What BigQuery bills a reading of all of it for; None where it does not say."""
        status = self.status
        return None if status is None or (status.rows and not status.table_bytes) else status.table_bytes

    @property
    def published(self) -> tuple[ColumnFacts, ...]:
        """The columns that are in BigQuery."""
        return tuple(one for one in self.columns if one.fate != "dropped")

    @property
    def dropped(self) -> tuple[ColumnFacts, ...]:
        """The columns that never leave the database."""
        return tuple(one for one in self.columns if one.fate == "dropped")


@dataclass(frozen=True)
class Catalog:
    """All tables and views of an installation, by name."""

    project: str
    tables: Mapping[str, TableFacts]
    views: Mapping[str, ViewFacts]

    def through(self, view: str) -> date | None:
        """Returns the last business day that every table under a view has; None where one has none."""
        days = [one.status.through if one.status else None for one in self._under(view)]
        return None if None in days else min((day for day in days if day), default=None)

    def scan_usd(self, view: str) -> float | None:
        """Returns what reading a view whole costs at most: all of the tables under it; None where a size is unknown."""
        costs = [one.scan_usd for one in self._under(view)]
        return None if None in costs else sum(cost for cost in costs if cost)

    def _under(self, view: str) -> list[TableFacts]:
        return [self.tables[name] for name in self.views[view].tables]


def catalog(
    settings: Settings,
    contracts: Mapping[str, Contract],
    views: Sequence[View],
    statuses: Mapping[str, TableStatus],
    schemas: Mapping[str, Sequence[bigquery.SchemaField]],
) -> Catalog:
    """Returns the catalog of an installation.

    Args:
        settings: names project and datasets, and what a scan costs.
        contracts: by table.
        views: of the folder of the contracts.
        statuses: table → how it stands; may lack tables.
        schemas: view → its columns in BigQuery; may lack views.
    """
    project = settings.bigquery.project
    joins = [one for contract in contracts.values() for one in _joins(project, contract, contracts)]
    reading = {view.name: view.tables([one.publish for one in contracts.values()]) for view in views}
    tables = {
        name: _table(settings, contract, joins, reading, statuses.get(name)) for name, contract in contracts.items()
    }
    by_publish = {one.publish: name for name, one in contracts.items()}
    found = {
        view.name: view_facts(settings.bigquery, view, [by_publish[one] for one in reading[view.name]], schemas)
        for view in views
    }
    return Catalog(project, tables, found)


def _joins(project: str, contract: Contract, contracts: Mapping[str, Contract]) -> Iterator[JoinFacts]:
    for column, target in contract.joins.items():
        table, _, key = target.partition(".")
        other = contracts.get(table)
        if other is not None and key in other.published:
            query = join_query(project, contract, other, column, key)
            yield JoinFacts(contract.table, column, table, key, query)


def _table(
    settings: Settings,
    contract: Contract,
    joins: Sequence[JoinFacts],
    reading: Mapping[str, Sequence[str]],
    status: TableStatus | None,
) -> TableFacts:
    load, where = contract.load, settings.bigquery
    return TableFacts(
        table=contract.table,
        publish=contract.publish,
        source=contract.source,
        about=contract.about,
        owner=contract.owner,
        mode=load.mode,
        key=contract.key,
        partition_by=contract.partition_by or "",
        lookback_days=load.lookback_days if isinstance(load, PartitionLoad) else 0,
        require_partition_filter=contract.require_partition_filter,
        retention_days=contract.retention_days,
        cluster_by=contract.cluster_by,
        erasure=contract.erasure.rule if contract.erasure else "",
        digest=contract.digest,
        columns=tuple(_columns(contract)),
        joins=tuple(one for one in joins if one.table == contract.table),
        joined_by=tuple(one for one in joins if one.other == contract.table),
        views=tuple(name for name, tables in reading.items() if contract.publish in tables),
        query=table_query(settings.bigquery.project, contract),
        usd_tib=settings.costs.scan_usd_tib,
        links={} if where.endpoint else {one: table_links(where, contract.publish, one) for one in LANGUAGES},
        status=status,
    )


def _columns(contract: Contract) -> Iterator[ColumnFacts]:
    shown = {one.column: one for one in preview(contract)}
    for name, column in contract.columns.items():
        published = column.publish_as or name
        yield _column(contract, published, name, column, shown.get(published))
    for name, derived in contract.derive.items():
        yield _made(contract, name, "derived", derived_said(derived.source))
    for name in contract.added:
        yield _made(contract, name, "added", added_said(name))


def _column(contract: Contract, published: str, name: str, column: Column, shown: Shown | None) -> ColumnFacts:
    mask = column.mask
    fate = "dropped" if column.dropped else "kept" if column.kept else "masked"
    kind = column.type.name if column.dropped else bigquery_type(contract.output_type(published))
    has_example = shown is not None and shown.after != NOT_READ and fate == "masked"
    return ColumnFacts(
        name=published,
        source=name,
        type=kind,
        column_class=column.column_class.value,
        strategy=mask.strategy,
        fate=fate,
        how=mask_said(mask),
        about=column.about,
        why=mask.why if isinstance(mask, Keep) else _UNSAID,
        before=shown.before if shown and has_example else "",
        after=shown.after if shown and has_example else "",
        domain=mask.domain if isinstance(mask, KeyedStrategy) else "",
        reversible=mask.reversible,
        nullable=column.nullable,
        clause=POLICY[column.column_class].clause,
        joins=contract.joins.get(published, ""),
    )


def _made(contract: Contract, name: str, fate: str, how: Said) -> ColumnFacts:
    kind = bigquery_type(contract.output_type(name))
    about = contract.about_column(name)
    return ColumnFacts(
        name=name,
        source="",
        type=kind,
        column_class="none",
        strategy="",
        fate=fate,
        how=how,
        about=about,
        joins=contract.joins.get(name, ""),
    )
