"""Row access policies: whoever publishes must see all rows, and what replaces them must leave the policies there.

A copy job from a table without policies onto one with policies removes them (BigQuery documentation, "Using row-level
security with other BigQuery features"). Where there are any, rows are replaced by a query job with WRITE_TRUNCATE_DATA
instead, which keeps a table's policies (the same, "BigQueryAuditMetadata.WriteDisposition").
"""

from __future__ import annotations

from typing import ClassVar, Final

from etl.cloud.bigquery import Warehouse, quoted
from etl.errors import NOT_PUBLISHED, STOPPED, PublishRefused
from masking.errors import KagemushaError
from schemas.contract import Contract

KEEPS_POLICIES: Final = "WRITE_TRUNCATE_DATA"
"""The write disposition that replaces rows and nothing else; older clients take it, but have no name for it."""


class RowPoliciesLost(KagemushaError):
    """A load took row access policies from a table: whoever may read the table now reads all of its rows."""

    advice = "Create the policies again now, and report this with the job's id."
    exit_code: ClassVar[int] = STOPPED


def row_policies(warehouse: Warehouse, contract: Contract) -> frozenset[str]:
    """Returns the names of a published table's row access policies, through all of which this account sees.

    Raises:
        PublishRefused: policies hide rows from this account, or it may not know whether there are any.
    """
    found = warehouse.row_policies(contract.publish)
    if found:
        _refuse_hidden_rows(warehouse, contract, found)
    return found


def refuse_lost_policies(warehouse: Warehouse, contract: Contract, before: frozenset[str]) -> None:
    """Lets a table pass that has the policies which it had before it was loaded.

    Raises:
        RowPoliciesLost: some are gone; by name.
    """
    lost = sorted(before - warehouse.row_policies(contract.publish)) if before else []
    if lost:
        raise RowPoliciesLost(
            f"{contract.publish} lost {len(lost)} row access policies: {', '.join(lost)}.",
            not_done="The table is published, and nothing hides its rows.",
            where={"table": contract.table},
        )


def _refuse_hidden_rows(warehouse: Warehouse, contract: Contract, policies: frozenset[str]) -> None:
    by, table = contract.partition_by, warehouse.find_table(contract.publish)
    where = f"{quoted(by)} >= DATE '0001-01-01'" if by else "TRUE"
    sql = f"SELECT COUNT(*) AS seen FROM `{warehouse.table_id(contract.publish)}` WHERE {where}"
    (row,) = warehouse.rows("Published rows could not be counted", sql)
    if table is None or row["seen"] != table.num_rows:
        raise PublishRefused(
            f"Policies of {contract.publish} hide rows from the job's account: {', '.join(sorted(policies))}.",
            not_done=NOT_PUBLISHED,
            advice="Create one more policy for that account with FILTER USING (TRUE), as BigQuery asks of whoever "
            "changes such a table.",
            where={"table": contract.table},
        )
