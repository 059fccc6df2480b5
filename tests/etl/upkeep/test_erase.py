"""A person is forgotten on a real BigQuery server: found under every key version, erased as the contracts say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from etl.cli import app
from etl.clock import now
from etl.keys import change_keyring, create_keyring_file, open_keyring
from etl.ledger import Ledger, leased
from etl.publish.tables import ensure_table
from etl.settings import load_settings
from etl.upkeep.erase.persons import ErasureRefused, read_persons, token_columns
from masking.errors import KagemushaError
from masking.examples import EXAMPLE_DAY
from masking.formats import luhn_share
from masking.keyring import KeyRef
from masking.strategies import Fpe, MaskContext
from schemas.contract import Contract
from schemas.contract_file import load_contract
from scripts.local_stack.local_stack import Endpoints
from tests.etl.changed_settings import settings_file
from tests.etl.rotating import rotate_and_use

pytestmark = pytest.mark.stack
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
        return sorted(tuple(row.values()) for row in found)

    def erasures(self) -> list[dict[str, Any]]:
        """Returns what the ledger has written down."""
        return [dict(row) for row in self.ledger.read(f"SELECT * FROM `{self.ledger.table_id('erasures')}`")]


def _fill(shop: Shop, keyring: str) -> None:
    """Gives each table a row of each person under key versions 1 and 2, the third under 2 only; and a token map."""
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


@pytest.fixture
def shop(stack: Endpoints, tmp_path: Path) -> Shop:
    """Returns tables of two key versions, of which the older is retired."""
    dataset = f"forget_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / "schemas"
    folder.mkdir()
    for name, text in CONTRACTS.items():
        place = f"table: {name}\nsource: shop.{name}\npublish: {dataset}_shop.{name}\n"
        (folder / f"{name}.yaml").write_text(place + COMMON + text, encoding="utf-8")
    keyring = f"file:{tmp_path / 'keyring.json'}"
    create_keyring_file(tmp_path / "keyring.json")
    rotate_and_use(keyring)
    change_keyring(keyring, lambda keys: keys.retired(1))
    settings = settings_file(stack, tmp_path, keyring__ref=f'"{keyring}"', bigquery__ops_dataset=f'"{dataset}"')
    ledger = Ledger.of(load_settings(settings))
    contracts = {name: load_contract(folder / f"{name}.yaml") for name in CONTRACTS}
    found = Shop(folder, settings, ledger, contracts, dataset)
    _fill(found, keyring)
    return found


def refused(result: Result) -> KagemushaError:
    """Returns the error that ended a command."""
    assert isinstance(result.exception, KagemushaError)
    return result.exception


def test_a_dry_run_counts_and_an_applied_one_erases(shop: Shop) -> None:
    """Rows under every key version are counted; applied, they go as each contract says, and nobody else's do."""
    before = {name: shop.rows(name) for name in CONTRACTS}
    counted = shop.run()
    assert counted.exit_code == 0
    assert "Dry run: nothing was changed." in counted.stdout
    assert {name: shop.rows(name) for name in CONTRACTS} == before
    assert shop.erasures() == []

    done = shop.run("--apply", "--purpose", "case  2023-17")
    assert done.exit_code == 0, done.output
    mapped = shop.ledger.read(f"SELECT token FROM {shop.dataset}.token_map_member")
    assert [row["token"] for row in mapped] == ["k1_else"]
    gone = {"1-0", "2-0"}
    assert shop.rows("profiles") == [row for row in before["profiles"] if row[0] not in gone]
    assert shop.rows("visits") == [(row[0], None, None, row[3]) if row[0] in gone else row for row in before["visits"]]
    assert shop.rows("bills") == before["bills"]
    assert shop.rows("clicks") == before["clicks"]
    rules = {row["table_name"]: (row["rule"], row["rows_found"], row["rows_changed"]) for row in _ended(shop)}
    assert rules == {"profiles": ("delete", 2, 2), "visits": ("nullify", 2, 2), "bills": ("keep", 2, 0)}
    assert {row["event"] for row in shop.erasures()} == {"begun", "ended"}
    assert {(row["purpose"], row["persons"]) for row in shop.erasures()} == {("case 2023-17", 1)}
    for text in (counted.output, done.output, json.dumps(shop.erasures(), default=str)):
        assert PERSON not in text
    assert shop.run("--apply", "--purpose", "case 2023-17").exit_code == 0
    assert [row["rows_found"] for row in _ended(shop)[3:] if row["rule"] != "keep"] == [0, 0]


def _ended(shop: Shop) -> list[dict[str, Any]]:
    return sorted((row for row in shop.erasures() if row["event"] == "ended"), key=lambda row: row["at"])


def test_a_table_that_a_run_holds_is_left_alone(shop: Shop) -> None:
    """A held table keeps its rows and makes the exit code 3; the others are erased, and a later try erases it too."""
    before = shop.rows("profiles")
    with leased(shop.ledger, "a-run", [shop.contracts["profiles"].publish], 600):
        done = shop.run("--apply", "--purpose", "case 18")
        assert done.exit_code == 3
        assert "is held by run a-run" in done.output
        assert shop.rows("profiles") == before
        assert [row[1] for row in shop.rows("visits") if row[0] == "1-0"] == [None]
    assert shop.run("--apply", "--purpose", "case 18").exit_code == 0
    assert len(shop.rows("profiles")) == len(before) - 2


def test_what_cannot_be_meant_is_refused(shop: Shop) -> None:
    """No purpose, a domain without a rule, an unknown domain, or lines that are no identifiers: nothing is touched."""
    before = {name: shop.rows(name) for name in CONTRACTS}
    assert "No purpose was given. Nothing was erased." in str(refused(shop.run("--apply")))
    assert "clicks does not say what becomes" in str(refused(shop.run(domain="cookie")))
    assert "Domains: cookie, member." in str(refused(shop.run(domain="nobody")))
    unfit = refused(shop.run(persons=(PERSON, "not-a-number-7731")))
    assert "1 of 2 lines cannot be identifiers of bills.member_id." in str(unfit)
    assert "7731" not in str(unfit)
    assert unfit.__context__ is None
    assert "There is no identifier on standard input." in str(refused(shop.run(persons=())))
    assert {name: shop.rows(name) for name in CONTRACTS} == before


def test_another_keyring_finds_nobody_and_says_so(shop: Shop) -> None:
    """A keyring that did not mask the tables is refused: under it a person would seem to be gone."""
    row = {"run_id": "r", "table_name": "profiles", "outcome": "published", "at": now(), "key_checks": {2: "00000000"}}
    shop.ledger.append("table_loads", [row])
    assert "Key version 2 is not the key that earlier runs used" in str(refused(shop.run()))


def test_spellings_of_one_number_are_one_person(tmp_path: Path) -> None:
    """A number is the source's number however it is spelled, in one token a key version; a retired one counts."""
    place = "table: profiles\nsource: shop.profiles\npublish: shop.profiles\n"
    (tmp_path / "profiles.yaml").write_text(place + COMMON + CONTRACTS["profiles"], encoding="utf-8")
    contract = load_contract(tmp_path / "profiles.yaml")
    create_keyring_file(tmp_path / "keyring.json")
    where = f"file:{tmp_path / 'keyring.json'}"
    rotate_and_use(where)
    keys = change_keyring(where, lambda keyring: keyring.retired(1))
    (column,) = token_columns(contract, "member", ("7", "007"), keys)
    assert [token.split("_")[0] for token in column.tokens] == ["k1", "k2"]
    given = MaskContext(keys, EXAMPLE_DAY)
    assert contract.columns["member_id"].mask.mask(pa.array([7]), given).values.to_pylist()[0] in column.tokens


def test_persons_are_looked_for_under_tokens_that_avoided_own_cards(tmp_path: Path) -> None:
    """The tokens are those of the load, which had the own IINs of the settings and of the contract."""
    place = "table: accounts\nsource: shop.accounts\npublish: shop.accounts\nload: {mode: full}\n"
    mask = "{strategy: fpe, format: digits, domain: account}"
    create_keyring_file(tmp_path / "keyring.json")
    keys = open_keyring(KeyRef(f"file:{tmp_path / 'keyring.json'}"))
    accounts = pa.array([f"1{number:015d}" for number in range(400)])
    strategy = Fpe(domain="account", format="digits")
    tokens = strategy.mask(accounts, MaskContext(keys, EXAMPLE_DAY)).values.to_pylist()
    cards = [at for at, token in enumerate(tokens) if luhn_share(pa.array([token])).valid][:2]
    first, second = (tokens[at][:6] for at in cards)
    columns = f"columns:\n  account: {{type: string, class: account_number, mask: {mask}}}\n"
    rest = f"about: Accounts.\nkey: [account]\nown_iins: ['{first}']\n{columns}"
    (tmp_path / "accounts.yaml").write_text(place + rest, encoding="utf-8")
    persons = [accounts[at].as_py() for at in cards]
    (column,) = token_columns(load_contract(tmp_path / "accounts.yaml"), "account", persons, keys, (second,))
    given = MaskContext(keys, EXAMPLE_DAY, own_iins=(first, second))
    assert list(column.tokens) == strategy.mask(pa.array(persons), given).values.to_pylist()
    assert not set(column.tokens) & set(tokens)


def test_the_list_of_persons_is_bounded() -> None:
    """Each identifier counts once, empty lines do not count, and a file of everybody is refused."""
    assert read_persons(["1\n", "\n", " 2 \n", "1\n"]) == ("1", "2")
    with pytest.raises(ErasureRefused, match="more than 10,000"):
        read_persons(str(number) for number in range(10_002))
