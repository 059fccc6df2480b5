"""The contract model: one reviewed YAML file a table is the only place where a column's fate is decided."""

from __future__ import annotations

import hashlib
import json

import pyarrow as pa
from pydantic import Field, model_validator

from masking.leaks import Iin
from schemas.bigquery_limits import clustering_problems, description_problems, label_problems, name_problems, repeated
from schemas.columns import Column, Derived
from schemas.erasure import Erasure, NullifyColumns
from schemas.loads import AddedColumn, Load, MergeLoad, PartitionLoad
from schemas.published_names import published_name
from schemas.reviewed import NAME, Name, QualifiedName, Reviewed, SourceColumnName, SourceTableName
from schemas.words import ALL_LANGUAGES, Text
from schemas.written import texts_in, written_problems

_ZONE = "a time without a zone becomes one by `type: timestamp(Asia/Tokyo)` or `timestamp(UTC)`"


class Contract(Reviewed):
    """What a table is: where it comes from, where it goes, and every column's fate."""

    table: Name = Field(description="The table's name in logs, commands and the ledger.")
    about: Text = Field(
        min_length=1,
        description="One sentence: what a row is. Published as the table description; a text, or one in each language.",
    )
    owner: str = Field(default="", description="Who answers for the table: a team or an address. Changes no row.")
    source: SourceTableName = Field(description="schema.table in Aurora.")
    foreign: tuple[SourceTableName, ...] = Field(
        (),
        description="Tables of other servers that the source may read, outside snapshot and proof of a reader.",
    )
    publish: QualifiedName = Field(description="dataset.table in BigQuery.")
    load: Load
    key: tuple[Name, ...] = Field(default=(), description="Published columns that identify a row.")
    keyless: str = Field(
        default="", description="Why a table has no key; the audit then cannot prove that no row is there twice."
    )
    cluster_by: tuple[Name, ...] = Field(default=(), max_length=4)
    require_partition_filter: bool = Field(default=False, description="BigQuery refuses queries without a day.")
    reconcile: tuple[Name, ...] = Field(
        default=(), description="Kept numeric columns whose sums must equal the source's."
    )
    joins: dict[Name, QualifiedName] = Field(
        default_factory=dict, description="column: table.column with the same tokens."
    )
    retention_days: int | None = Field(default=None, ge=1, description="Partitions older than this expire.")
    erasure: Erasure | None = Field(
        default=None,
        description="What becomes of a person's rows that must be forgotten; tables of persons need it for `forget`.",
    )
    own_iins: tuple[Iin, ...] = Field(
        default=(),
        description="The issuer's own IINs, 6 to 8 digits, besides the settings': no card under them is published.",
    )
    may_be_empty: bool = Field(
        default=False, description="Whether a load may replace rows by none, or by far fewer, without a waiver."
    )
    columns: dict[SourceColumnName, Column] = Field(min_length=1)
    derive: dict[Name, Derived] = Field(default_factory=dict)

    @property
    def selected(self) -> dict[str, Column]:
        """The columns that leave the database, by their published names, in the contract's order."""
        return {column.publish_as or name: column for name, column in self.columns.items() if not column.dropped}

    @property
    def source_names(self) -> dict[str, str]:
        """The source's own name of each selected column, by its published one."""
        return {column.publish_as or name: name for name, column in self.columns.items() if not column.dropped}

    @property
    def added(self) -> dict[str, AddedColumn]:
        """The columns that the load mode itself publishes, such as `snapshot_date`."""
        return {column.name: column for column in self.load.adds}

    @property
    def published(self) -> tuple[str, ...]:
        """The names of the published columns, in order: masked ones, derived ones, then those of the load mode."""
        return (*self.selected, *self.derive, *self.added)

    @property
    def dataset(self) -> str:
        """The BigQuery dataset."""
        return self.publish.split(".")[0]

    @property
    def partition_by(self) -> str | None:
        """The published DATE column that partitions the table by day; None where it has no partitions."""
        return self.load.partition_by

    @property
    def day_column(self) -> str | None:
        """The selected column that says on which day a row is published; None where the source does not decide it."""
        by = self.load.by if isinstance(self.load, PartitionLoad | MergeLoad) else None
        derived = self.derive.get(by) if by else None
        return derived.source if derived else by

    @property
    def window_column(self) -> str | None:
        """The selected column by whose days a run chooses its rows; None for modes other than partition."""
        return self.day_column if isinstance(self.load, PartitionLoad) else None

    @property
    def watermark(self) -> str | None:
        """The selected column that tells when a row changed; None for modes other than merge."""
        return self.load.watermark if isinstance(self.load, MergeLoad) else None

    @property
    def personal(self) -> tuple[str, ...]:
        """The published columns that are about a person, besides the key: their class is not `none`."""
        return tuple(
            name for name, column in self.selected.items() if column.column_class != "none" and name not in self.key
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the contract's meaning: layout, comments, owner and translations do not change it."""
        said = self.model_dump(mode="json", by_alias=True, exclude={"owner"})
        meaning = json.dumps(said, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(meaning.encode()).hexdigest()

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        problems = [
            *self._unpublished_names(),
            *self._key_problems(),
            *self._bigquery_problems(),
            *self._derive_problems(),
            *self._load_problems(),
            *self._type_problems(),
            *self._erasure_problems(),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _unpublished_names(self) -> list[str]:
        named = {
            "key": self.key,
            "cluster_by": self.cluster_by,
            "reconcile": self.reconcile,
            "joins": tuple(self.joins),
        }
        published = set(self.published)
        unfit = [name for name in self.selected if not NAME.match(name)]
        unused = [name for name, column in self.columns.items() if column.dropped and column.publish_as]
        return [
            *(
                f"columns.{name} has no lower-case Latin name, as contracts publish; write `publish_as: "
                f"{published_name(name) or 'a_name'}`, or drop it"
                for name in unfit
            ),
            *(f"columns.{name}.publish_as names a column that is dropped" for name in unused),
            *(
                f"{field} names {name}, which is not published"
                for field, names in named.items()
                for name in names
                if name not in published
            ),
        ]

    def _key_problems(self) -> list[str]:
        if self.key and self.keyless:
            return ["keyless belongs to tables without a key"]
        if self.key:
            return []
        if not self.keyless:
            return ["key names no column; a table that has none says why under `keyless`"]
        return ["load.mode merge needs a key"] if isinstance(self.load, MergeLoad) else []

    def _bigquery_problems(self) -> list[str]:
        """Returns what BigQuery would refuse of the table once its rows were read."""
        names = [column.publish_as or name for name, column in self.columns.items() if not column.dropped]
        abouts = {name: column.about.longest for name, column in self.columns.items() if not column.dropped}
        texts = [self.about, *(column.about for column in self.columns.values() if not column.dropped)]
        texts += [one.about for one in self.derive.values()]
        clusters = {name: self._type_or_none(name) for name in self.cluster_by if name in self.published}
        return [
            *name_problems([*names, *self.derive, *self.added]),
            *label_problems(self.table),
            *description_problems(
                self.about.longest, abouts, {name: one.about.longest for name, one in self.derive.items()}
            ),
            *self._written_problems([said for text in texts for said in (str(text), text.ja)]),
            *clustering_problems(clusters),
            *repeated("key", self.key),
            *repeated("cluster_by", self.cluster_by),
            *repeated("reconcile", self.reconcile),
        ]

    def _written_problems(self, descriptions: list[str]) -> list[str]:
        """Returns whether a number is written down that must not be: in a description, or in anything else."""
        found = [*written_problems(descriptions)]
        whole = self.model_dump(mode="json", by_alias=True, context=ALL_LANGUAGES, exclude_unset=True)
        return found or [*written_problems(texts_in(whole), "a name, a reason or a constant")]

    def _type_or_none(self, name: str) -> pa.DataType | None:
        try:
            return self.output_type(name)
        except Exception:  # noqa: BLE001  the strategy's refusal is a problem of its own
            return None

    def _derive_problems(self) -> list[str]:
        problems = [f"derive.{name} repeats a source column" for name in self.derive if self._of_source(name)]
        for name, derived in self.derive.items():
            source = self.selected.get(derived.source)
            if source is None or not source.kept or source.type.name != "timestamp":
                zone = f"; {_ZONE}" if source and source.type.name == "datetime" else ""
                problems.append(f"derive.{name} needs a kept timestamp column as its source{zone}")
        return problems

    def _load_problems(self) -> list[str]:
        problems = [f"columns.{name} is a column that load.mode adds" for name in self.added if self._has(name)]
        if self.partition_by is None and (self.require_partition_filter or self.retention_days):
            problems.append("require_partition_filter and retention_days belong to tables with partitions")
        by = self.load.by if isinstance(self.load, PartitionLoad | MergeLoad) else None
        day = self.selected.get(self.day_column) if self.day_column else None
        if by and by not in self.derive and not (day and day.kept and day.type.name == "date"):
            problems.append(f"load.by names {by}, which is neither a derived business date nor a kept date")
        elif day and day.nullable:
            problems.append(f"columns.{self.day_column} places rows in days, so it needs `nullable: false`")
        if isinstance(self.load, MergeLoad):
            problems += self._merge_problems(self.load)
        return problems

    def _merge_problems(self, load: MergeLoad) -> list[str]:
        problems = []
        changed = self.selected.get(load.watermark)
        if not (changed and changed.kept and changed.type.name == "timestamp"):
            zone = f"; {_ZONE}" if changed and changed.type.name == "datetime" else ""
            problems.append(f"load.watermark names {load.watermark}, which is not a kept timestamp column{zone}")
        elif changed.nullable:
            problems.append(f"columns.{load.watermark} tells what changed, so it needs `nullable: false`")
        if (load.deletes == "ignore") != (load.reconcile_keys is None):
            problems.append("load.reconcile_keys says how often deleted rows are looked for: soft and hard need it")
        if set(self.key) & set(self.added):
            problems.append("key names a column that load.mode adds")
        return problems

    def _has(self, name: str) -> bool:
        return self._of_source(name) or name in self.derive

    def _of_source(self, name: str) -> bool:
        return name in self.columns or name in self.selected

    def _erasure_problems(self) -> list[str]:
        if not isinstance(self.erasure, NullifyColumns):
            return []
        held = [name for name in self.personal if not self.selected[name].nullable]
        return [f"columns.{name} becomes NULL by erasure.nullify, so it cannot be `nullable: false`" for name in held]

    def _type_problems(self) -> list[str]:
        problems = []
        for name in self.reconcile:
            column = self.selected.get(name)
            if column and not (column.kept and column.type.name in {"int64", "numeric"}):
                problems.append(f"reconcile.{name} must be a kept int64 or numeric column")
        kinds: dict[str, type] = {"string": str, "int64": int}
        for name, column in self.columns.items():
            kind = kinds.get(column.type.name)
            if column.values and not (column.kept and kind and all(type(one) is kind for one in column.values)):
                problems.append(f"columns.{name}.values belong to kept string and int64 columns, and are of its type")
        for name, column in self.columns.items():
            if column.number and not (column.kept and column.type.name in {"string", "int64", "numeric"}):
                problems.append(f"columns.{name}.format belongs to kept string, int64 and numeric columns")
        for name, column in self.selected.items():
            try:
                column.mask.output_type(column.type.arrow)
            except Exception as error:  # noqa: BLE001  a strategy's refusal names types and parameters only
                reason = getattr(error, "what", "the strategy does not take this type")
                problems.append(f"columns.{name}.mask: {reason}")
        return problems

    def output_type(self, name: str) -> pa.DataType:
        """The Arrow type of a published column, known without data."""
        if name in self.added:
            return self.added[name].type
        if name in self.derive:
            return pa.date32()
        column = self.selected[name]
        return column.mask.output_type(column.type.arrow)

    @property
    def output_types(self) -> dict[str, pa.DataType]:
        """The Arrow type of every published column, in order."""
        return {name: self.output_type(name) for name in self.published}

    def about_column(self, name: str) -> Text:
        """The description of a published column; empty where the contract has none."""
        return (self.added.get(name) or self.derive.get(name) or self.selected[name]).about
