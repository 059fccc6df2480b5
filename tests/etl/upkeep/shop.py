"""A shop's tables of a test of its own, with three persons in each, masked under two key versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from typer.testing import CliRunner, Result

from etl.cli import app
from etl.keys import change_keyring, create_keyring_file, open_keyring
from etl.ledger import Ledger
from etl.publish.tables import ensure_table
from etl.settings import load_settings
from masking.examples import EXAMPLE_DAY
from masking.keyring import KeyRef
from masking.strategies import MaskContext
from schemas.contract import Contract
from schemas.contract_file import load_contract
from scripts.local_stack.local_stack import Endpoints
from tests.etl.changed_settings import settings_file
from tests.etl.rotating import rotate_and_use

PERSON, OTHER, THIRD = "41077731", "41077732", "41077733"
MONDAY = date(2023, 8, 28)
COMMON = "about: One row for a test.\nkey: [row_id]\n"
ROW_ID = '  row_id: {type: string, class: none, mask: {strategy: keep, why: "a made-up number"}, nullable: false}\n'
MEMBER = "  member_id: {type: int64, class: identifier, mask: {strategy: tokenize, domain: member}}\n"
PAID = '  paid_on: {type: date, class: none, mask: {strategy: keep, why: "a made-up day"}, nullable: false}\n'
CONTRACTS = {
    "profiles": "load: {mode: full}\nerasure: {rule: delete}\ncolumns:\n" + ROW_ID + MEMBER,
    "visits": "load: {mode: partition, by: paid_on}\nrequire_partition_filter: true\nerasure: {rule: nullify}\n"
    "columns:\n"
    + ROW_ID
    + MEMBER.replace("tokenize", "pseudonymize").replace("member_id", "visitor")
    + "  area: {type: string, class: postal_code, mask: {strategy: postal_area}}\n"
    + PAID,
    "bills": 'load: {mode: full}\nerasure: {rule: keep, why: "a law, seven years"}\ncolumns:\n' + ROW_ID + MEMBER,
    "clicks": "load: {mode: full}\ncolumns:\n" + ROW_ID + MEMBER.replace("domain: member", "domain: cookie"),
}


@dataclass(frozen=True)
class Shop:
    """Tables of a test of its own, with three persons in each, masked under two key versions."""

    folder: Path
    settings: Path
    ledger: Ledger
    contracts: dict[str, Contract]
    dataset: str

    def run(self, *arguments: str, persons: Sequence[str] = (PERSON,), domain: str = "member") -> Result:
        """Runs the command in this process."""
        open_keyring.cache_clear()
        given = ["forget", "--domain", domain, "--stdin", "--settings", str(self.settings)]
        given += ["--contracts", str(self.folder), *arguments]
        return CliRunner().invoke(app, given, input="\n".join(persons))

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """Returns a table's rows, ordered."""
        everywhere = "WHERE paid_on >= '2000-01-01'" if table == "visits" else ""
        found = self.ledger.read(f"SELECT * FROM {self.dataset}_shop.{table} {everywhere}")
        return sorted(tuple(row) for row in found)

    def erasures(self) -> list[dict[str, Any]]:
        """Returns what the ledger has written down."""
        return [dict(row) for row in self.ledger.read(f"SELECT * FROM `{self.ledger.table_id('erasures')}`")]


def _fill(shop: Shop, keyring: str) -> None:
    """Puts into each table a row of each person under key versions 1 and 2, the third under 2 only; and a token map."""
    client = shop.ledger.warehouse.client
    keys = open_keyring(KeyRef(keyring))
    for name, contract in shop.contracts.items():
        table = ensure_table(shop.ledger.warehouse, contract)
        rows = []
        for version, persons in ((1, (PERSON, OTHER)), (2, (PERSON, OTHER, THIRD))):
            given = MaskContext(keys.as_of(version), EXAMPLE_DAY)
            for at, person in enumerate(persons):
                row: dict[str, object] = {"row_id": f"{version}-{at}"}
                for column, spec in contract.selected.items():
                    if spec.column_class == "identifier":
                        row[column] = spec.mask.mask(pa.array([int(person)]), given).values[0].as_py()
                if name == "visits":
                    row |= {"area": "150", "paid_on": MONDAY.isoformat()}
                rows.append(row)
        client.load_table_from_json(rows, table).result()
    mask = shop.contracts["profiles"].columns["member_id"].mask
    old, new = (
        mask.mask(pa.array([int(PERSON)]), MaskContext(keys.as_of(at), EXAMPLE_DAY)).values[0].as_py() for at in (1, 2)
    )
    mapped = [{"version": 1, "token": old, "current": new}, {"version": 1, "token": "k1_else", "current": "k2_else"}]
    settings = shop.ledger.warehouse.settings
    client.load_table_from_json(mapped, f"{settings.project}.{shop.dataset}.token_map_member").result()


def open_shop(stack: Endpoints, folder_of_test: Path) -> Shop:
    """Returns tables of two key versions, of which the older is retired."""
    dataset = f"forget_{folder_of_test.name.replace('-', '_')}"
    folder = folder_of_test / "schemas"
    folder.mkdir()
    for name, text in CONTRACTS.items():
        place = f"table: {name}\nsource: shop.{name}\npublish: {dataset}_shop.{name}\n"
        (folder / f"{name}.yaml").write_text(place + COMMON + text, encoding="utf-8")
    keyring = f"file:{folder_of_test / 'keyring.json'}"
    create_keyring_file(folder_of_test / "keyring.json")
    rotate_and_use(keyring)
    change_keyring(keyring, lambda keys: keys.retired(1))
    settings = settings_file(
        stack,
        folder_of_test,
        keyring__ref=f'"{keyring}"',
        bigquery__ops_dataset=f'"{dataset}"',
        stage__prefix=f'"{dataset}"',
    )
    ledger = Ledger.of(load_settings(settings))
    contracts = {name: load_contract(folder / f"{name}.yaml") for name in CONTRACTS}
    found = Shop(folder, settings, ledger, contracts, dataset)
    _fill(found, keyring)
    return found
