"""`kagemusha detokenize`: values for a purpose, written down before the first one, and nothing else."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from etl.cli import app
from etl.keys import change_keyring, create_keyring_file, open_keyring
from etl.upkeep.detokenize.access_log import AccessLog, AccessLogUnusable
from etl.upkeep.detokenize.detokenize import BATCH, detokenize
from masking.errors import KagemushaError, KeyUnusable
from masking.examples import EXAMPLE_DAY
from masking.formats import luhn_share
from masking.keyring import KeyRef
from masking.strategies import Fpe, KeyedStrategy, MaskContext, Tokenize
from schemas.domains import DomainUse
from schemas.types import ColumnType
from tests.etl.rotating import rotate_and_use

ROOT = Path(__file__).parents[3]
CARD, OTHER_CARD = "4111111111111111", "5555555555554444"
SETTINGS = """
[source]
url = "postgresql://etl_reader@127.0.0.1/issuer"
[stage]
bucket = "issuer-stage"
[bigquery]
project = "issuer-analytics"
[keyring]
ref = "file:{keyring}"
"""


@dataclass(frozen=True)
class Desk:
    """What a person has who may turn tokens back: settings, a keyring, an access log."""

    settings: Path
    keyring: Path
    log: Path

    @property
    def where(self) -> str:
        """The keyring's place."""
        return f"file:{self.keyring}"

    def tokens(self, strategy: KeyedStrategy, *values: str | None) -> str:
        """Returns the tokens of values under the primary version, one a line."""
        open_keyring.cache_clear()
        given = MaskContext(open_keyring(KeyRef(self.where)), EXAMPLE_DAY)
        masked = strategy.mask(pa.array(values, pa.string()), given).values.to_pylist()
        return "\n".join(token or "" for token in masked) + "\n"

    def run(self, *arguments: str, tokens: str = "") -> Result:
        """Runs the command in this process."""
        open_keyring.cache_clear()
        given = ["detokenize", "--settings", str(self.settings), *arguments]
        if "--audit-log" not in arguments:
            given += ["--audit-log", str(self.log)]
        return CliRunner().invoke(app, given, input=tokens)

    def looks(self) -> list[dict[str, object]]:
        """Returns what the access log holds."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Returns a desk with a new keyring."""
    found = Desk(tmp_path / "settings.toml", tmp_path / "keyring.json", tmp_path / "audit" / "looks.jsonl")
    create_keyring_file(found.keyring)
    found.settings.write_text(SETTINGS.format(keyring=found.keyring), encoding="utf-8")
    return found


def refused(result: Result) -> KagemushaError:
    """Returns the error that ended a command before it showed anything."""
    assert isinstance(result.exception, KagemushaError)
    assert result.stdout == ""
    return result.exception


def test_values_come_out_in_order_and_the_look_is_written_down(desk: Desk) -> None:
    """Values are on standard output alone; the log says who, when, why, how many and which tokens, and no value."""
    tokens = desk.tokens(Tokenize(domain="member"), "42", None, "73")
    result = desk.run("--domain", "member", "--purpose", "dunning  case 7", tokens=tokens)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "42\n\n73\n", "")
    asked, opened = desk.looks()
    assert (asked["event"], asked["domain"], asked["purpose"]) == ("asked", "member", "dunning case 7")
    assert asked["tokens"] == [token for token in tokens.split("\n") if token]
    assert asked["user"]
    assert (opened["event"], opened["look"]) == ("opened", asked["look"])
    assert (asked["count"], opened["count"], opened["failed"]) == (2, 2, 0)
    assert stat.S_IMODE(desk.log.stat().st_mode) == 0o600


def test_the_log_only_grows(desk: Desk) -> None:
    """A second look is added behind the first."""
    tokens = desk.tokens(Tokenize(domain="member"), "42")
    for _ in range(2):
        assert desk.run("--domain", "member", "--purpose", "a case", tokens=tokens).exit_code == 0
    assert [look["event"] for look in desk.looks()] == ["asked", "opened"] * 2


def test_tokens_come_from_a_file_too(desk: Desk, tmp_path: Path) -> None:
    """The file is named as an argument, and a missing one is an error of ours."""
    file = tmp_path / "tokens.txt"
    file.write_text(desk.tokens(Tokenize(domain="member"), "42"), encoding="utf-8")
    assert desk.run("--domain", "member", "--purpose", "a case", str(file)).stdout == "42\n"
    assert "cannot be read" in str(refused(desk.run("--domain", "member", "--purpose", "a case", str(tmp_path / "no"))))


def test_the_record_is_on_disk_before_a_value_exists(desk: Desk) -> None:
    """When the first batch arrives, the log already holds it, and not yet the next one."""
    keys = open_keyring(KeyRef(desk.where))
    use = DomainUse("members", "member_id", Tokenize(domain="member"), ColumnType("int64"))
    tokens = desk.tokens(use.strategy, *map(str, range(BATCH + 1))).splitlines()
    batches = detokenize(tokens, use, "a case", keys, AccessLog(desk.log))
    assert not desk.log.exists()
    assert len(next(batches).values) == BATCH
    assert [look["count"] for look in desk.looks() if look["event"] == "asked"] == [BATCH]
    assert next(batches).values == (str(BATCH),)
    assert [look["count"] for look in desk.looks() if look["event"] == "asked"] == [BATCH, 1]


def test_without_a_writable_log_no_value_comes_out(desk: Desk, tmp_path: Path) -> None:
    """No log, a device in its place, or a folder that cannot be: nothing is unmasked."""
    tokens = desk.tokens(Tokenize(domain="member"), "42")
    asked = ["--domain", "member", "--purpose", "a case"]
    (tmp_path / "file").touch()
    for path in ("/dev/null", str(tmp_path / "file" / "log"), str(tmp_path)):
        assert isinstance(refused(desk.run(*asked, "--audit-log", path, tokens=tokens)), AccessLogUnusable), path
    result = CliRunner().invoke(app, ["detokenize", "--settings", str(desk.settings), *asked], input=tokens)
    assert isinstance(refused(result), AccessLogUnusable)


def test_no_option_leads_around_the_log_and_the_domains_of_the_settings(desk: Desk, tmp_path: Path) -> None:
    """Where the settings name a log and domains, these hold."""
    with desk.settings.open("a") as file:
        file.write(f'[detokenize]\naudit_log = "{desk.log}"\ndomains = ["member"]\n')
    asked = ["--purpose", "a case", "--domain"]
    tokens = desk.tokens(Tokenize(domain="member"), "42")
    assert desk.run(*asked, "member", tokens=tokens).stdout == "42\n"
    elsewhere = str(tmp_path / "other.jsonl")
    assert "another access log" in str(refused(desk.run(*asked, "member", "--audit-log", elsewhere, tokens=tokens)))
    assert "do not allow" in str(refused(desk.run(*asked, "card", tokens=desk.tokens(Tokenize(domain="card"), "1"))))


@pytest.mark.parametrize("purpose", [[], ["--purpose", ""], ["--purpose", " \t"]])
def test_without_a_purpose_nothing_is_unmasked(desk: Desk, purpose: list[str]) -> None:
    """A missing or blank purpose is refused before the keyring is opened."""
    desk.keyring.unlink()
    assert "No purpose" in str(refused(desk.run("--domain", "member", *purpose, tokens="k1_00\n")))
    assert not desk.log.exists()


def test_a_purpose_may_not_hold_a_card_number(desk: Desk) -> None:
    """What would put a card number into the access log is refused, and the error does not repeat it."""
    error = refused(desk.run("--domain", "member", "--purpose", f"refund of {CARD}"))
    assert CARD not in str(error)
    assert not desk.log.exists()


@pytest.mark.parametrize(("domain", "says"), [("email", "cannot be turned back"), ("nobody", "No contract has")])
def test_only_reversible_domains_are_turned_back(desk: Desk, domain: str, says: str) -> None:
    """One-way and unknown domains are refused, with those that could be meant."""
    error = refused(desk.run("--domain", domain, "--purpose", "a case"))
    assert says in str(error)
    assert "member" in str(error)


def test_card_numbers_come_back_and_never_reach_the_log(desk: Desk) -> None:
    """Fpe tokens do not look different from values, so the log counts them and holds none."""
    tokens = desk.tokens(Fpe(domain="pan"), CARD, OTHER_CARD)
    result = desk.run("--domain", "pan", "--purpose", "a case", tokens=tokens)
    assert result.stdout == f"{CARD}\n{OTHER_CARD}\n"
    assert desk.looks()[0]["tokens"] is None
    assert not any(text in desk.log.read_text() for text in (CARD, OTHER_CARD, *tokens.split()))


def test_what_is_no_token_gives_an_empty_line_and_is_counted(desk: Desk) -> None:
    """A value pasted by mistake neither comes out nor gets into the log; the exit code tells that it was none."""
    good = desk.tokens(Tokenize(domain="member"), "42").strip()
    foreign = desk.tokens(Tokenize(domain="card"), "42").strip()
    result = desk.run("--domain", "member", "--purpose", "a case", tokens=f"{CARD}\n{good}\n{foreign}\nk1_zz\n")
    assert (result.exit_code, result.stdout) == (1, "\n42\n\n\n")
    assert "3 lines are no tokens of domain member" in result.stderr
    assert CARD not in desk.log.read_text()
    assert desk.looks()[1]["failed"] == 3


def test_retired_keys_read_and_destroyed_keys_are_refused(desk: Desk) -> None:
    """A retired version still turns its tokens back; once destroyed, the error says so and the log has the try."""
    tokens = desk.tokens(Tokenize(domain="member"), "42")
    asked = ["--domain", "member", "--purpose", "a case"]
    rotate_and_use(desk.where)
    change_keyring(desk.where, lambda keyring: keyring.retired(1))
    assert desk.run(*asked, tokens=tokens).stdout == "42\n"
    change_keyring(desk.where, lambda keyring: keyring.destroyed(1))
    error = refused(desk.run(*asked, tokens=tokens))
    assert isinstance(error, KeyUnusable)
    assert "Key version 1 was destroyed" in str(error)
    assert [look["event"] for look in desk.looks()][-2:] == ["asked", "refused"]


def test_fpe_tokens_of_an_earlier_version_need_its_number(desk: Desk) -> None:
    """Fpe tokens do not name their key version, so --version does."""
    tokens = desk.tokens(Fpe(domain="pan"), CARD)
    rotate_and_use(desk.where)
    asked = ["--domain", "pan", "--purpose", "a case"]
    assert CARD not in desk.run(*asked, tokens=tokens).stdout
    assert desk.run(*asked, "--version", "1", tokens=tokens).stdout == f"{CARD}\n"


ACCOUNTS = """
table: {table}
source: shop.{table}
publish: shop.{table}
about: Accounts of made-up people.
key: [account]
load: {{mode: full}}
may_be_empty: true
own_iins: {iins}
columns:
  account: {{type: string, class: account_number, mask: {{strategy: fpe, format: digits, domain: account}}}}
"""


def test_own_iins_of_settings_and_contract_open_the_tokens_that_avoided_them(desk: Desk, tmp_path: Path) -> None:
    """A value whose token would have been an own card has the next one, and that one opens."""
    strategy = Fpe(domain="account", format="digits")
    accounts = [f"1{number:015d}" for number in range(400)]
    tokens = desk.tokens(strategy, *accounts).splitlines()
    cards = [at for at, token in enumerate(tokens) if luhn_share(pa.array([token])).valid][:2]
    settings_iin, contract_iin = (tokens[at][:6] for at in cards)
    with desk.settings.open("a", encoding="utf-8") as settings:
        settings.write(f'[cards]\nown_iins = ["{settings_iin}"]\n')
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "a.yaml").write_text(ACCOUNTS.format(table="a", iins=[contract_iin]), encoding="utf-8")
    given = MaskContext(open_keyring(KeyRef(desk.where)), EXAMPLE_DAY, own_iins=(settings_iin, contract_iin))
    chosen = [accounts[at] for at in cards]
    masked = strategy.mask(pa.array(chosen), given).values.to_pylist()
    assert not set(masked) & set(tokens)
    asked = ["--domain", "account", "--purpose", "a case", "--contracts", str(folder)]
    assert desk.run(*asked, tokens="\n".join(masked)).stdout.splitlines() == chosen


def test_tables_that_avoid_different_cards_make_different_tokens(desk: Desk, tmp_path: Path) -> None:
    """One domain of account numbers under different own IINs is refused instead of being opened by halves."""
    for table, iins in (("a", ["123456"]), ("b", ["654321"])):
        (tmp_path / f"{table}.yaml").write_text(ACCOUNTS.format(table=table, iins=iins), encoding="utf-8")
    asked = ["--domain", "account", "--purpose", "a case", "--contracts", str(tmp_path)]
    assert "make different tokens of domain account" in str(refused(desk.run(*asked, tokens="1\n")))


def test_a_value_with_line_breaks_stays_on_its_line(desk: Desk) -> None:
    """Line breaks and backslashes are escaped, so that lines of tokens and values go side by side."""
    tokens = desk.tokens(Tokenize(domain="member"), "a\nb\\c\r", "影武者")
    assert desk.run("--domain", "member", "--purpose", "a case", tokens=tokens).stdout == "a\\nb\\\\c\\r\n影武者\n"


def test_the_command_works_as_a_process(desk: Desk) -> None:
    """Run by a shell, values are on standard output, errors on standard error, and the exit code is 2 when refused."""
    command = [sys.executable, "-m", "etl.cli", "detokenize", "--settings", str(desk.settings), "--domain", "member"]
    tokens = desk.tokens(Tokenize(domain="member"), "42")

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        given = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(  # noqa: S603 - our own command
            [*command, *more], input=tokens, capture_output=True, text=True, check=False, cwd=ROOT, env=given
        )

    shown = run("--purpose", "a case", "--audit-log", str(desk.log))
    assert (shown.returncode, shown.stdout) == (0, "42\n")
    hidden = run("--audit-log", str(desk.log))
    assert (hidden.returncode, hidden.stdout) == (2, "")
    assert "DetokenizeRefused: No purpose was given. No value was unmasked." in hidden.stderr
