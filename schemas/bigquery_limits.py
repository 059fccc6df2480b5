"""What BigQuery refuses of a table that a contract describes, so that it is known before a row is read.

Sources: BigQuery documentation, "Specifying a schema" (names, descriptions), "Creating clustered tables" (types),
"Requirements for labels".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pyarrow as pa

LONGEST_COLUMN_DESCRIPTION: Final = 1_024
LONGEST_TABLE_DESCRIPTION: Final = 16_384
LONGEST_LABEL: Final = 63
"""Characters of a label's value; a job's label names the contract's table."""
_RESERVED: Final = re.compile(
    r"_TABLE_|_FILE_|_PARTITION|_ROW_TIMESTAMP|__ROOT__|_COLIDENTIFIER|_CHANGE_(TYPE|SEQUENCE_NUMBER|TIMESTAMP)",
    re.IGNORECASE,
)


def reserved_prefix(name: str) -> str:
    """Returns the prefix of a column's name that BigQuery keeps for itself; empty where there is none."""
    found = _RESERVED.match(name)
    return found[0] if found else ""


def name_problems(published: Sequence[str]) -> Iterator[str]:
    """Yields what BigQuery refuses of the names of a table's columns."""
    for name in published:
        prefix = reserved_prefix(name)
        if prefix:
            yield (
                f"columns.{name} is published under a name that begins with {prefix}, which BigQuery keeps for itself; "
                "give it another one with `publish_as`, or drop it"
            )
    folded = [name.casefold() for name in published]
    for name in dict.fromkeys(name for name in published if folded.count(name.casefold()) > 1):
        yield f"columns.{name} is published more than once; BigQuery compares names without their case"


def label_problems(table: str) -> Iterator[str]:
    """Yields what BigQuery refuses of the labels of a table's jobs, one of which is the table's name."""
    if len(table) > LONGEST_LABEL:
        yield f"table has a name of {len(table)} characters; BigQuery takes {LONGEST_LABEL} of a label of its load jobs"


def description_problems(table: str, columns: Mapping[str, str], derived: Mapping[str, str]) -> Iterator[str]:
    """Yields which descriptions are too long: of the table, of its columns, of derived ones, by name."""
    if len(table) > LONGEST_TABLE_DESCRIPTION:
        yield f"about has {len(table):,} characters; BigQuery takes {LONGEST_TABLE_DESCRIPTION:,} of a table"
    for part, abouts in {"columns": columns, "derive": derived}.items():
        for name, about in abouts.items():
            if len(about) > LONGEST_COLUMN_DESCRIPTION:
                most = f"{LONGEST_COLUMN_DESCRIPTION:,}"
                yield f"{part}.{name}.about has {len(about):,} characters; BigQuery takes {most} of a column"


def clustering_problems(columns: Mapping[str, pa.DataType | None]) -> Iterator[str]:
    """Yields what BigQuery refuses of the columns by which a table is clustered."""
    for name, kind in columns.items():
        if kind is not None and (pa.types.is_floating(kind) or pa.types.is_binary(kind)):
            spelled = "FLOAT64" if pa.types.is_floating(kind) else "BYTES"
            yield f"cluster_by names {name}, which is {spelled}; BigQuery cannot cluster by that"


def repeated(part: str, names: Sequence[str]) -> Iterator[str]:
    """Yields the names that a list of columns has more than once."""
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield f"{part} names {name} more than once"
