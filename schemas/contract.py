"""The contract model: one reviewed YAML file a table is the only place where a column's fate is decided."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from masking.leaks import LeakKind
from masking.policy import ColumnClass
from masking.strategies import AnyStrategy
from schemas.errors import ContractInvalid, TypeUnsupported
from schemas.types import ColumnType
from schemas.yaml_file import read_yaml

BUNDLED = Path(__file__).parent
"""The contracts that ship with the package."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,127}$")]
QualifiedName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}\.[a-z_][a-z0-9_]{0,127}$")]


def _parse_type(value: object) -> ColumnType:
    if isinstance(value, ColumnType):
        return value
    parsed = None
    with suppress(TypeUnsupported):
        parsed = ColumnType.parse(str(value))
    if parsed is None:
        raise ValueError("is not in the types table")
    return parsed


_TYPE_PATTERN = (
    r"^(string|int64|float64|bool|date|timestamp|datetime|bytes|json|numeric\(\s*\d{1,2}\s*,\s*\d{1,2}\s*\))$"
)
TypeInYaml = Annotated[
    ColumnType,
    BeforeValidator(_parse_type),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _TYPE_PATTERN, "description": "A type of the types table."}),
]


AllowedLeak = Literal[LeakKind.MY_NUMBER, LeakKind.EMAIL, LeakKind.PHONE]


class _Reviewed(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True, arbitrary_types_allowed=True
    )


class FullLoad(_Reviewed):
    """Every run reads the whole table and replaces the published one in one step."""

    mode: Literal["full"]


class PartitionLoad(_Reviewed):
    """A run reads the business days of its window and replaces each day's partition."""

    mode: Literal["partition"]
    by: Name = Field(description="The published DATE column that partitions the table: a business date or a kept date.")
    lookback_days: int = Field(
        0, ge=0, le=400, description="Days before the target day that are read again for late rows."
    )


Load = Annotated[FullLoad | PartitionLoad, Field(discriminator="mode")]


class Column(_Reviewed):
    """One source column: what it is, and what becomes of it."""

    type: TypeInYaml
    column_class: ColumnClass = Field(
        alias="class", description="What the value is; policy says which strategies it may have."
    )
    mask: AnyStrategy = Field(description="What becomes of the value.")
    nullable: bool = Field(default=True, description="False: a NULL in the published column fails the audit.")
    may_look_like: tuple[AllowedLeak, ...] = Field(
        default=(),
        description="What the leak gate lets pass here, such as a public contact's e-mail; never card numbers.",
    )
    control: str = Field(
        default="", description="The compensating control for a finding that a rule lets a contract answer."
    )
    about: str = Field(default="", description="Published as the BigQuery column description.")

    @property
    def dropped(self) -> bool:
        """Whether the column never leaves the database."""
        return self.mask.strategy == "drop"

    @property
    def kept(self) -> bool:
        """Whether the published value is the source's own."""
        return self.mask.strategy == "keep"


class Derived(_Reviewed):
    """One published column that is computed from a kept one."""

    type: Literal["date"]
    source: Name = Field(alias="from", description="The kept timestamp column it is computed from.")
    rule: Literal["business_date"] = Field(alias="as", description="business_date: the calendar date in Japan (JST).")
    about: str = ""


class Contract(_Reviewed):
    """What a table is: where it comes from, where it goes, and every column's fate."""

    table: Name = Field(description="The table's name in logs, commands and the ledger.")
    about: str = Field(min_length=1, description="One sentence: what a row is. Published as the table description.")
    source: QualifiedName = Field(description="schema.table in Aurora.")
    publish: QualifiedName = Field(description="dataset.table in BigQuery.")
    load: Load
    key: tuple[Name, ...] = Field(min_length=1, description="Published columns that identify a row.")
    cluster_by: tuple[Name, ...] = Field(default=(), max_length=4)
    require_partition_filter: bool = Field(default=False, description="BigQuery refuses queries without a day.")
    reconcile: tuple[Name, ...] = Field(
        default=(), description="Kept numeric columns whose sums must equal the source's."
    )
    joins: dict[Name, QualifiedName] = Field(
        default_factory=dict, description="column: table.column with the same tokens."
    )
    retention_days: int | None = Field(default=None, ge=1, description="Partitions older than this expire.")
    columns: dict[Name, Column] = Field(min_length=1)
    derive: dict[Name, Derived] = Field(default_factory=dict)

    @property
    def selected(self) -> dict[str, Column]:
        """The columns that leave the database, in the contract's order."""
        return {name: column for name, column in self.columns.items() if not column.dropped}

    @property
    def published(self) -> tuple[str, ...]:
        """The names of the published columns, in order: masked ones first, derived ones after."""
        return (*self.selected, *self.derive)

    @property
    def dataset(self) -> str:
        """The BigQuery dataset."""
        return self.publish.split(".")[0]

    @property
    def window_column(self) -> str | None:
        """The source column whose values place a row in a partition; None for a full load."""
        if not isinstance(self.load, PartitionLoad):
            return None
        derived = self.derive.get(self.load.by)
        return derived.source if derived else self.load.by

    @property
    def digest(self) -> str:
        """SHA-256 of the contract's meaning: equal for files that differ in layout or comments only."""
        meaning = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(meaning.encode()).hexdigest()

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        problems = [*self._unpublished_names(), *self._derive_problems(), *self._type_problems()]
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
        return [
            f"{field} names {name}, which is not published"
            for field, names in named.items()
            for name in names
            if name not in published
        ]

    def _derive_problems(self) -> list[str]:
        problems = [f"derive.{name} repeats a source column" for name in self.derive if name in self.columns]
        for name, derived in self.derive.items():
            source = self.columns.get(derived.source)
            if source is None or not source.kept or source.type.name != "timestamp":
                problems.append(f"derive.{name} needs a kept timestamp column as its source")
        return problems

    def _type_problems(self) -> list[str]:
        problems = []
        for name in self.reconcile:
            column = self.columns.get(name)
            if column and not (column.kept and column.type.name in {"int64", "numeric"}):
                problems.append(f"reconcile.{name} must be a kept int64 or numeric column")
        if isinstance(self.load, PartitionLoad):
            by, column = self.load.by, self.columns.get(self.load.by)
            if by not in self.derive and not (column and column.kept and column.type.name == "date"):
                problems.append(f"load.by names {by}, which is neither a derived business date nor a kept date")
            elif self.window_column and self.columns[self.window_column].nullable:
                problems.append(f"columns.{self.window_column} places rows in days, so it needs `nullable: false`")
        elif self.require_partition_filter or self.retention_days:
            problems.append("require_partition_filter and retention_days belong to mode partition")
        for name, column in self.selected.items():
            try:
                column.mask.output_type(column.type.arrow)
            except Exception as error:  # noqa: BLE001  a strategy's refusal names types and parameters only
                reason = getattr(error, "what", "the strategy does not take this type")
                problems.append(f"columns.{name}.mask: {reason}")
        return problems

    def output_type(self, name: str) -> pa.DataType:
        """The Arrow type of a published column, known without data."""
        if name in self.derive:
            return pa.date32()
        column = self.columns[name]
        return column.mask.output_type(column.type.arrow)


def load_contract(path: Path) -> Contract:
    """Gives the contract in one YAML file.

    Raises:
        ContractInvalid: the file breaks the model; every problem is named with its place, none with a value.
    """
    raw = read_yaml(path)
    problems: list[str] = []
    contract = None
    try:
        contract = Contract.model_validate(raw)
    except ValidationError as error:
        problems = [
            _problem(detail) for detail in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    if contract is None:
        raise ContractInvalid(
            f"The contract has {len(problems)} problem{'s' if len(problems) != 1 else ''}: {'; '.join(problems)}.",
            not_done="No table was read.",
            where={"file": path.name},
        )
    if contract.table != path.stem:
        raise ContractInvalid(
            f"The contract is of table {contract.table}, but its file is named otherwise.",
            not_done="No table was read.",
            advice=f"Rename the file to {contract.table}.yaml.",
            where={"file": path.name},
        )
    return contract


def _problem(detail: object) -> str:
    assert isinstance(detail, dict)  # noqa: S101  pydantic's ErrorDetails
    place = ".".join(str(part) for part in detail["loc"])
    # Pydantic's own text for a ValueError is ours; for the rest it names types and limits, the input is hidden.
    return f"{place + ': ' if place else ''}{str(detail['msg']).removeprefix('Value error, ')}"


def load_contracts(folder: Path = BUNDLED) -> dict[str, Contract]:
    """Gives every contract of a folder by table name, in alphabetical order.

    Raises:
        ContractInvalid: a file breaks the model, the folder holds none, or two contracts publish the same table.
    """
    contracts = {path.stem: load_contract(path) for path in sorted(folder.glob("*.yaml"))}
    if not contracts:
        raise ContractInvalid(
            "The folder holds no contract.", not_done="Nothing was read.", where={"folder": folder.name}
        )
    targets: dict[str, str] = {}
    for contract in contracts.values():
        other = targets.setdefault(contract.publish, contract.table)
        if other != contract.table:
            raise ContractInvalid(
                f"Contracts {other} and {contract.table} both publish {contract.publish}.",
                not_done="Nothing was read.",
            )
    return contracts
