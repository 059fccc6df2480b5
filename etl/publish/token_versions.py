"""Which rows of a published table have tokens of an earlier key version: BigQuery SQL over its tokens' own names."""

from __future__ import annotations

from etl.cloud.bigquery import quoted
from masking.strategies import Tokenize
from schemas.contract import Contract
from schemas.domains import rewritable_columns


def tells_version(contract: Contract) -> bool:
    """Tells whether the table's rows name their key version: only tokens of `tokenize` do."""
    return any(isinstance(strategy, Tokenize) for strategy in rewritable_columns(contract).values())


def version_of_row(contract: Contract, alias: str = "") -> str:
    """Returns SQL for the key version that masked a row; NULL where no token of the row names it."""
    return f"CAST(REGEXP_EXTRACT({_naming(contract, alias)}, r'^k([0-9]+)_') AS INT64)"


def is_old(contract: Contract, primary: int) -> str:
    """Returns SQL for: the row was masked under another version than the primary."""
    everywhere = f"{quoted(contract.partition_by)} >= DATE '0001-01-01' AND " if contract.partition_by else ""
    return f"{everywhere}NOT STARTS_WITH({_naming(contract)}, 'k{primary}_')"


def _naming(contract: Contract, alias: str = "") -> str:
    before = f"{alias}." if alias else ""
    columns = [one for one, strategy in rewritable_columns(contract).items() if isinstance(strategy, Tokenize)]
    return f"COALESCE({', '.join(before + quoted(column) for column in columns)})"
