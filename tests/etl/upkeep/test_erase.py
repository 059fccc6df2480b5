"""A person is forgotten on a real BigQuery server: found under every key version, erased as the contracts say."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import Result

from etl.clock import now
from etl.errors import SettingsInvalid
from etl.keys import change_keyring, create_keyring_file, open_keyring
from etl.ledger import leased
from etl.upkeep.erase.persons import ErasureRefused, read_persons, token_columns
from masking.errors import KagemushaError
from masking.examples import EXAMPLE_DAY
from masking.formats import luhn_share
from masking.keyring import KeyRef
from masking.strategies import Fpe, MaskContext
from schemas.contract_file import load_contract
from scripts.local_stack.local_stack import Endpoints
from tests.etl.rotating import rotate_and_use
from tests.etl.upkeep.shop import COMMON, CONTRACTS, PERSON, Shop, open_shop

pytestmark = pytest.mark.stack


@pytest.fixture
def shop(stack: Endpoints, tmp_path: Path) -> Shop:
    """Returns tables of two key versions, of which the older is retired."""
    return open_shop(stack, tmp_path)


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


@pytest.mark.parametrize(
    ("kind", "spelled", "value"),
    [
        ("numeric(12,2)", ("42", "042", "42.00"), Decimal("42.00")),
        ("int64", ("1234567890123456789",), 1234567890123456789),
        ("date", ("1990-01-02",), date(1990, 1, 2)),
    ],
)
def test_a_person_is_found_whatever_type_the_key_has(
    tmp_path: Path, kind: str, spelled: tuple[str, ...], value: object
) -> None:
    """A line is what the column would hold, as `tokenize` reads it; what it cannot hold is refused, never not found."""
    column = f"{{type: '{kind}', class: identifier, mask: {{strategy: tokenize, domain: member}}}}"
    place = "table: t\nsource: s.t\npublish: shop.t\nload: {mode: full}\nabout: One row for each.\nkey: [member]\n"
    (tmp_path / "t.yaml").write_text(f"{place}columns:\n  member: {column}\n", encoding="utf-8")
    contract = load_contract(tmp_path / "t.yaml")
    create_keyring_file(tmp_path / "keyring.json")
    keys = open_keyring(KeyRef(f"file:{tmp_path / 'keyring.json'}"))
    (found,) = token_columns(contract, "member", spelled, keys)
    column_type = contract.columns["member"].type.arrow
    masked = contract.columns["member"].mask.mask(pa.array([value], column_type), MaskContext(keys, EXAMPLE_DAY))
    assert list(found.tokens) == masked.values.to_pylist()
    for wrong in ("0x10", "42.001"):
        with pytest.raises(ErasureRefused, match="1 of 1 lines cannot be identifiers"):
            token_columns(contract, "member", (wrong,), keys)


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
    assert read_persons(["\ufefftaro@example.jp\r\n", "2\n"]) == ("taro@example.jp", "2"), "as some editors save it"
    with pytest.raises(SettingsInvalid, match=r"no text in UTF-8\. Nothing was erased") as unread:
        read_persons(["1\n", "\udc83e\n"])
    assert unread.value.__context__ is None
    with pytest.raises(ErasureRefused, match="more than 10,000"):
        read_persons(str(number) for number in range(10_002))
