"""Who may read what in BigQuery, and where that differs from the settings: datasets, tables, columns, rows.

Grants of the whole project, and of the taxonomy's tags, are IAM's own: they are not asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from google.cloud import bigquery

from etl.cloud.bigquery import Warehouse, wanted_entries
from etl.publish import tags_of, wanted_tags
from etl.settings import Settings
from schemas.contract import Contract

UNSAID = "not in the settings"
MISSING = "missing: `kagemusha prepare` or the next load sets it"


@dataclass(frozen=True)
class Right:
    """One right, or one that is missing.

    Attributes:
        place: a dataset, a table, or a table's column.
        what: who may do what, or what guards it.
        differs: how it differs from the settings; empty where it does not.
    """

    place: str
    what: str
    differs: str = ""


def access(settings: Settings, contracts: Mapping[str, Contract]) -> list[Right]:
    """Returns the rights in every dataset of contracts and product, by place; tables that are not published have none.

    Raises:
        PublishRefused, PublishFailed: BigQuery could not be asked, or does not tell this account.
    """
    warehouse = Warehouse.of(settings)
    datasets = {contract.dataset for contract in contracts.values()} | set(settings.bigquery.own_datasets)
    found = [right for name in sorted(datasets) for right in _of_dataset(warehouse, name)]
    for contract in sorted(contracts.values(), key=lambda one: one.publish):
        table = warehouse.find_table(contract.publish)
        if table is not None:
            found += _of_table(warehouse, contract, table)
    return found


def _of_dataset(warehouse: Warehouse, name: str) -> Iterator[Right]:
    dataset = warehouse.find_dataset(name)
    if dataset is None:
        return
    wanted = {_said(entry) for entry in wanted_entries(warehouse.settings, name)}
    present = {_said(entry): entry for entry in dataset.access_entries}
    for said, entry in sorted(present.items()):
        by_default = entry.entity_type == "specialGroup" or entry.role == "OWNER"
        yield Right(name, said, "" if said in wanted or by_default else UNSAID)
    for said in sorted(wanted - present.keys()):
        yield Right(name, said, MISSING)


def _said(entry: bigquery.AccessEntry) -> str:
    if entry.entity_type in {"dataset", "view", "routine"}:
        given = entry.entity_id
        target = given.get("dataset", given) if isinstance(given, dict) else {}
        return f"{entry.entity_type} {'.'.join(str(part) for part in target.values())} is authorized"
    return f"{entry.role} {entry.entity_type} {entry.entity_id}"


def _of_table(warehouse: Warehouse, contract: Contract, table: bigquery.Table) -> Iterator[Right]:
    for role, member in warehouse.table_grants(contract.publish):
        yield Right(contract.publish, f"{role} {member}", UNSAID)
    for policy in sorted(warehouse.row_policies(contract.publish)):
        yield Right(contract.publish, f"row access policy {policy}")
    wanted = wanted_tags(contract, warehouse.settings.rights)
    for field in table.schema:
        place, present = f"{contract.publish}.{field.name}", tags_of(field)
        want = {wanted[field.name]} if field.name in wanted else set()
        for tag in sorted(present):
            yield Right(place, f"policy tag {tag}", "" if tag in want else UNSAID)
        for tag in sorted(want - present):
            yield Right(place, f"policy tag {tag}", MISSING)
