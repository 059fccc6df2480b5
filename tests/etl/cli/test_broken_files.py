"""Whatever bytes a contract, a suite, a view or the settings hold: the command line says what and where, and ends."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.main import get_command

from etl.audit.table_checks import table_suite
from etl.cli import app
from etl.errors import SettingsInvalid
from etl.settings import load_settings
from expectations.suite import BUNDLED as SUITES
from masking.errors import KagemushaError
from schemas.contract_file import BUNDLED, load_contract, load_contracts
from schemas.errors import ContractInvalid
from schemas.namespaces import PRODUCT_DATASETS, view_problems
from schemas.view_file import load_views

COMMAND = get_command(app)
"""Made once: it looks at every command, which takes longer than to read a file."""

CONTRACT = re.sub(rb"(?m)^joins:.*\n", b"", (BUNDLED / "cards.yaml").read_bytes())  # it stands alone here
SUITE = (SUITES / "cards.yaml").read_bytes()
VIEW = b"-- about: cards by status.\nSELECT status, COUNT(*) AS cards\nFROM issuing.cards\nGROUP BY status\n"
TOML = b"""\
[source]
url = "postgresql://etl_reader@etl.cluster-custom-abc.ap-northeast-1.rds.amazonaws.com/issuer"
max_connections = 8
[stage]
bucket = "issuer-stage"
[bigquery]
project = "issuer-analytics"
[keyring]
ref = "file:/keys/keyring.json"
"""
PIECES = (
    b"\x00", b"\x0b", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\t", b"\r", b"\n", b"'", b'"', b"{", b"}", b"[",
    b"]", b"*", b"&a ", b"!x ", b"? ", b"- ", b": ", b"=", b"<<: ", b"null", b"no", b"~", b"1e999", b".nan", b"-.inf",
    b"0x_", b"12:30", b"9" * 5000, b"[" * 1500, b"%YAML 3\n---\n", b'"\\ud800"', b'"\\U00110000"', b"...\n", b"#",
    b"1979-13-45", "会員".encode(), b"\\", b"{a: {b: 1}}", b"[[1]]", b"true", b"-1", b"''", b"a" * 3000,
)  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def spark() -> None:
    """No Spark is needed here."""


@st.composite
def broken(draw: st.DrawFn, good: bytes) -> bytes:
    """Returns a good file after a few cuts and insertions."""
    raw = good
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.sampled_from((0, 0, 1, 5, 40))))
        raw = raw[:start] + draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=3))) + raw[end:]
    return raw


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of one contract with its suite, a view and settings, whose bytes each example changes."""
    found = tmp_path_factory.mktemp("broken")
    (found / "suites").mkdir()
    (found / "contracts" / "views").mkdir(parents=True)
    return found


def written(folder: Path, contract: bytes = CONTRACT, suite: bytes = SUITE, view: bytes = VIEW) -> Path:
    """Writes the files and returns the folder of contracts."""
    contracts = folder / "contracts"
    (contracts / "cards.yaml").write_bytes(contract)
    (contracts / "views" / "daily_gmv.sql").write_bytes(view)
    (folder / "suites" / "cards.yaml").write_bytes(suite)
    return contracts


def linted(folder: Path) -> Result:
    """Runs `kagemusha lint` in this process."""
    return CliRunner().invoke(COMMAND, ["lint", str(folder / "contracts"), "--suites", str(folder / "suites")])


def refusal(read: Callable[[], object]) -> KagemushaError | None:
    """Returns our error where a file is refused; any other error is the test's."""
    try:
        read()
    except KagemushaError as error:
        return error
    return None


MANY = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


@MANY
@given(raw=broken(CONTRACT))
def test_any_contract_ends_with_findings_or_none(folder: Path, raw: bytes) -> None:
    """Lint ends with 0 or 2, each finding has file and line, and a run refuses what cannot be read with exit code 2."""
    path = written(folder, contract=raw) / "cards.yaml"
    result = linted(folder)
    assert result.exit_code in {0, 2}, result.exception
    assert isinstance(result.exception, SystemExit | None)
    refused = refusal(lambda: load_contract(path))
    if refused is not None:
        assert refused.exit_code == result.exit_code == 2
        assert re.fullmatch(r"cards\.yaml(:\d+)?", refused.where["file"])


@MANY
@given(raw=broken(SUITE))
def test_any_suite_is_read_at_night_as_it_is_by_day(folder: Path, raw: bytes) -> None:
    """What lint refuses of a suite a run refuses with file, line and exit code 2, and takes the rest."""
    contract = load_contract(written(folder, suite=raw) / "cards.yaml")
    result = linted(folder)
    assert isinstance(result.exception, SystemExit | None)
    suite_errors = "KG101" in result.output
    assert result.exit_code == (2 if suite_errors else 0)
    refused = refusal(lambda: table_suite(contract, folder / "suites"))
    assert (refused is not None) == suite_errors
    if refused is not None:
        assert refused.exit_code == 2
        assert re.search(r"cards\.yaml:\d+$", refused.where["file"])


def test_one_text_of_a_view_is_reviewed_and_sent(folder: Path) -> None:
    """A line end of Windows' in a raw string hid what follows from the review: a table that no contract publishes."""
    hidden = b"SELECT r'a\\\n' AS a, (SELECT MAX(run_id) FROM ops.runs) AS r -- '\nFROM issuing.cards\n"
    for ended in (b"\n", b"\r\n"):
        contracts = written(folder, view=VIEW.split(b"\n")[0] + ended + hidden.replace(b"\n", ended))
        (view,) = load_views(contracts / "views")
        assert "\r" not in view.sql
        problems = [*view_problems({view.name: view.sql}, load_contracts(contracts).values(), PRODUCT_DATASETS)]
        assert any("ops" in problem for _, problem in problems)
        assert linted(folder).exit_code == 2


def test_turned_text_is_refused(folder: Path) -> None:
    """Marks that turn the direction of writing show a person another order than runs."""
    for mark in "\u202a\u202e\u2066\u2069":
        contracts = written(folder, view=VIEW.replace(b"SELECT ", f"SELECT /* {mark} */ ".encode(), 1))
        with pytest.raises(ContractInvalid, match=r"turns the direction of writing\."):
            load_views(contracts / "views")


@MANY
@given(raw=broken(VIEW))
def test_any_view_is_a_view_or_refused(folder: Path, raw: bytes) -> None:
    """A view is taken, or refused with file and line by lint and run alike."""
    contracts = written(folder, view=raw)
    result = linted(folder)
    assert isinstance(result.exception, SystemExit | None)
    refused = refusal(lambda: load_views(contracts / "views"))
    queries = {} if refused else {view.name: view.sql for view in load_views(contracts / "views")}
    foreign = [*view_problems(queries, load_contracts(contracts).values(), PRODUCT_DATASETS)]
    assert result.exit_code == (refused.exit_code if refused else 2 if foreign else 0)
    if refused is not None:
        assert refused.exit_code == 2
        assert re.search(r"views/daily_gmv\.sql:\d+$", refused.where["file"])


@pytest.mark.parametrize("end", [b"\r", b"\r\r\n"], ids=["half", "one and a half"])
@pytest.mark.parametrize("place", [b"-- about: ", b"SELECT status, ", b"FROM "], ids=["header", "columns", "table"])
def test_half_a_line_end_is_refused(folder: Path, place: bytes, end: bytes) -> None:
    """A comment ends at it for some and goes on for others; whole line ends of Windows are line ends for all."""
    contracts = written(folder, view=VIEW.replace(place, place + b"-- paid" + end, 1))
    assert linted(folder).exit_code == 2
    with pytest.raises(ContractInvalid, match=r"holds a carriage return that ends no line\."):
        load_views(contracts / "views")
    written(folder, view=VIEW.replace(b"\n", b"\r\n"))
    assert linted(folder).exit_code == 0
    assert load_views(contracts / "views")


@MANY
@given(raw=broken(TOML))
def test_any_settings_are_taken_or_refused(folder: Path, raw: bytes) -> None:
    """Settings are taken, or refused with file and line and exit code 2."""
    path = folder / "settings.toml"
    path.write_bytes(raw)
    refused = refusal(lambda: load_settings(path))
    if refused is not None:
        assert refused.exit_code == 2
        assert re.search(r"settings\.toml:\d+$", refused.where["settings"])


def test_settings_are_wrong_at_their_line(tmp_path: Path) -> None:
    """The line is that of the key, of the section that lacks one, or of what is no TOML."""
    path = tmp_path / "settings.toml"
    for raw, line in (
        (TOML.replace(b"= 8", b"= 1"), 3),
        (TOML.replace(b'project = "issuer-analytics"', b""), 6),
        (TOML + b"= 1\n", 10),
        (TOML + b"\xff", 10),
        (TOML + b"a = " + b"[" * 5000, 1),
    ):
        path.write_bytes(raw)
        with pytest.raises(SettingsInvalid) as wrong:
            load_settings(path)
        assert wrong.value.where["settings"] == f"{path}:{line}"


def test_an_unreadable_contract_costs_its_own_table_only(tmp_path: Path) -> None:
    """One file that cannot be read is one error: what joins it is not said to join what does not exist."""
    shutil.copytree(BUNDLED, tmp_path / "contracts", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "contracts" / "cards.yaml").write_bytes(b"table: cards\nno: 1\n")
    result = CliRunner().invoke(COMMAND, ["lint", str(tmp_path / "contracts")])
    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == "1 error, 0 warnings"
    assert "cards.yaml:2:1: error KG100" in result.output
    assert "YAML reads no as false; write it in quotes" in result.output


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ("[JP, US, NO]", 4),
        ("[01, 02]", 4),
        ("[12:30]", 4),
        ("[JP, true]", 4),
        ("[1, 2]", 4),
    ],
)
def test_a_set_means_what_it_says(values: str, line: int, folder: Path) -> None:
    """A set in which YAML would read another value than was written is refused by lint and by the run, in its line."""
    suite = (
        "table: cards\nexpectations:\n  - expect: expect_column_values_to_be_in_set\n"
        f"    kwargs: {{column: status, value_set: {values}}}\n"
    )
    contract = load_contract(written(folder, suite=suite.encode()) / "cards.yaml")
    with pytest.raises(ContractInvalid) as refused:
        table_suite(contract, folder / "suites")
    assert refused.value.where["file"].endswith(f"cards.yaml:{line}")
    assert f"cards.yaml:{line}:" in linted(folder).output


def test_a_repeated_block_of_a_suite_runs_nowhere(folder: Path) -> None:
    """The file that was reviewed is the one that runs: a second `expectations:` does not replace the first one."""
    contract = load_contract(written(folder, suite=SUITE + b"\nexpectations: []\n") / "cards.yaml")
    with pytest.raises(ContractInvalid, match="repeats a key"):
        table_suite(contract, folder / "suites")
