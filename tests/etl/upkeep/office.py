"""Tables and views of one test module alone, under a keyring of its own: what a rotation is tried on."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.keys import create_keyring_file, open_keyring
from etl.progress import JsonLines
from etl.settings import Settings, load_settings
from etl.upkeep.retokenize.retokenize import Retokenized, retokenize
from schemas.contract_file import BUNDLED, load_contracts
from schemas.domains import one_way_columns
from tests.etl.changed_settings import settings_file
from tests.etl.conftest import DAY, Issuer, Republish

TABLES = ("card_designs", "cards", "clubs", "delinquencies", "members", "payments", "rewards")
TOKENS = {
    "cards": "card_id",
    "delinquencies": "member_id",
    "members": "member_id",
    "payments": "card_id",
    "rewards": "member_id",
}
PANS = """-- about: Payments by the state of the card, found by the token of the card's number.
SELECT c.status, COUNT(*) AS payments, COUNT(DISTINCT payments.pan) AS cards
FROM ledger.payments
JOIN issuing.cards c ON c.pan = payments.pan
WHERE payments.authorized_on >= '2020-01-01'
GROUP BY c.status
"""
TAG = "projects/p/locations/asia-northeast1/taxonomies/1/policyTags/2"
VIEWS = ("delinquency_by_age_band", "design_reaction", "pans")


@dataclass(frozen=True)
class Office:
    """Tables and views of a module, published under its prefix."""

    issuer: Issuer
    prefix: str
    settings: Settings
    settings_file: Path
    contracts: Path

    @property
    def keyring(self) -> str:
        """Where the keys are."""
        return self.settings.keyring.ref

    def load(self, *tables: str) -> None:
        """Loads tables from the source under the primary key version."""
        open_keyring.cache_clear()
        self.issuer.load(DAY, *tables, contracts=self.contracts, settings=self.settings)

    def renew(self, *tables: str) -> Retokenized:
        """Renews tokens in this process."""
        open_keyring.cache_clear()
        return retokenize(self.settings, JsonLines(io.StringIO()), tables, self.contracts)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Returns every row of every table, without the columns that only the source can renew."""
        found = {}
        for name in TABLES:
            contract = load_contracts(self.contracts)[name]
            columns = [column for column in contract.published if column not in one_way_columns(contract)]
            sql = f"SELECT {', '.join(f'`{column}`' for column in columns)} FROM {contract.publish}"
            found[name] = sorted(self.issuer.published(sql), key=repr)
        return found

    def versions(self) -> dict[str, list[str]]:
        """Returns, for each table with tokens, the key versions that they name."""
        publish = {name: load_contracts(self.contracts)[name].publish for name in TOKENS}
        return {
            name: sorted(
                row[0]
                for row in self.issuer.published(
                    f"SELECT DISTINCT SPLIT({column}, '_')[OFFSET(0)] FROM {publish[name]}"
                )
            )
            for name, column in TOKENS.items()
        }

    def answers(self) -> dict[str, list[tuple[Any, ...]]]:
        """Returns what the views say."""
        return {
            view: sorted(self.issuer.published(f"SELECT * FROM {self.prefix}_looker.{view}"), key=repr)
            for view in VIEWS
        }

    def maps(self) -> list[str]:
        """Returns the domains that have a token map."""
        tables = [table.table_id for table in self.issuer.warehouse.client.list_tables(f"{self.prefix}_ops")]
        return sorted(table.removeprefix("token_map_") for table in tables if table.startswith("token_map_"))


def open_office(issuer: Issuer, republished: Republish, home: Path, prefix: str) -> Office:
    """Returns tables that were loaded under the first key version, just before a rotation."""
    contracts = republished(prefix, *TABLES)
    (contracts / "views").mkdir()
    for name in VIEWS:
        bundled = BUNDLED / "views" / f"{name}.sql"
        text = bundled.read_text(encoding="utf-8") if bundled.exists() else PANS
        text = re.sub(r"\b(issuing|ledger|community|collections)\.(?=[a-z])", rf"{prefix}_\1.", text)
        (contracts / "views" / f"{name}.sql").write_text(text, encoding="utf-8")
    create_keyring_file(home / "keyring.json")
    settings = settings_file(
        issuer.ends,
        home,
        keyring__ref=f'"file:{home / "keyring.json"}"',
        bigquery__views_dataset=f'"{prefix}_looker"',
        bigquery__ops_dataset=f'"{prefix}_ops"',
        bigquery__rights=f'{{policy_tags = {{identifier = "{TAG}"}}}}',
    )
    found = Office(issuer, prefix, load_settings(settings), settings, contracts)
    found.load()
    every_row = f"CREATE ROW ACCESS POLICY job ON {prefix}_ledger.payments GRANT TO ('allUsers') FILTER USING (TRUE)"
    issuer.warehouse.client.query_and_wait(every_row)
    return found
