"""Contracts as other tools read them: valid by the standard's own schema, complete, and without what is never read."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator
from typer.testing import CliRunner

from etl.cli import app
from etl.exports.dbt_sources import dbt_sources
from etl.exports.odcs import odcs
from etl.settings import BigQuerySettings
from schemas.contract_file import load_contracts
from tests.etl.upkeep.test_detokenize import SETTINGS

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "tests" / "vectors" / "exports" / "odcs.schema.json").read_text(encoding="utf-8"))
CONTRACTS = load_contracts()
WHERE = BigQuerySettings(project="issuer-analytics")
DBT = ROOT / ".venv-exports" / "bin" / "dbt"


@pytest.mark.parametrize("table", sorted(CONTRACTS))
def test_a_contract_is_valid_odcs(table: str) -> None:
    """The standard's own JSON Schema takes every bundled contract."""
    found = odcs(CONTRACTS[table], WHERE)
    Draft201909Validator(SCHEMA).validate(json.loads(json.dumps(found)))
    (schema,) = found["schema"]
    assert [one["name"] for one in schema["properties"]] == list(CONTRACTS[table].published)
    keys = [one["name"] for one in schema["properties"] if one.get("primaryKey")]
    assert set(keys) == set(CONTRACTS[table].key)


def test_the_schema_refuses_what_is_wrong() -> None:
    """The validation above proves something: a misspelled key, or a type that is none, is found."""
    found = odcs(CONTRACTS["cards"], WHERE)
    validator = Draft201909Validator(SCHEMA)
    assert not validator.is_valid({**found, "tables": []})
    found["schema"][0]["properties"][0]["logicalType"] = "text"
    assert not validator.is_valid(found)


def test_dropped_columns_are_in_no_export() -> None:
    """What never leaves the database is not named elsewhere either."""
    text = json.dumps([odcs(CONTRACTS["cards"], WHERE), dbt_sources(CONTRACTS.values(), WHERE)])
    assert '"cvv2"' not in text
    assert '"holder_name"' not in text
    assert '"card_id"' in text


def test_dbt_sources_say_what_the_audit_proves() -> None:
    """Keys are unique, columns that may not be NULL are tested, codes are listed, references lead to their tables."""
    found = {one["name"]: one for one in dbt_sources(CONTRACTS.values(), WHERE)["sources"]}
    assert {one["schema"] for one in found.values()} == {contract.dataset for contract in CONTRACTS.values()}
    tables = {table["name"]: table for one in found.values() for table in one["tables"]}
    assert set(tables) == {contract.publish.split(".")[1] for contract in CONTRACTS.values()}
    columns = {column["name"]: column for column in tables["payments"]["columns"]}
    assert columns["payment_id"]["data_tests"] == ["unique", "not_null"]
    assert {"accepted_values": {"arguments": {"values": ["JPY", "USD", "EUR"]}}} in columns["currency"]["data_tests"]
    reference = {"to": "source('issuing', 'cards')", "field": "card_id"}
    assert {"relationships": {"arguments": reference}} in columns["card_id"]["data_tests"]
    assert columns["pan"]["config"]["meta"] == {"class": "pan", "mask": "fpe"}
    assert all(column["description"] is not None for column in columns.values())


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """Returns a folder with what the command writes."""
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS.format(keyring="none"), encoding="utf-8")
    for form in ("odcs", "dbt"):
        done = CliRunner().invoke(app, ["export", form, "--to", str(tmp_path / form), "--settings", str(settings)])
        assert done.exit_code == 0, done.output
    return tmp_path


def test_the_command_writes_both(exported: Path) -> None:
    """A file for each table, and one of sources, which are YAML of what the functions return."""
    written = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (exported / "odcs").iterdir()}
    assert written == {f"{name}.odcs.yaml": odcs(contract, WHERE) for name, contract in CONTRACTS.items()}
    sources = yaml.safe_load((exported / "dbt" / "sources.yml").read_text(encoding="utf-8"))
    assert sources == dbt_sources(CONTRACTS.values(), WHERE)


@pytest.mark.exports
def test_dbt_itself_parses_the_sources(exported: Path) -> None:
    """`dbt parse` takes the file and finds every table and test in it."""
    project = exported / "project"
    (project / "models").mkdir(parents=True)
    (exported / "dbt" / "sources.yml").rename(project / "models" / "sources.yml")
    head = "name: issuer\nversion: '1.0.0'\nconfig-version: 2\nprofile: issuer\n"
    (project / "dbt_project.yml").write_text(head, encoding="utf-8")
    profile: dict[str, Any] = {
        "issuer": {
            "target": "dev",
            "outputs": {
                "dev": {"type": "bigquery", "method": "oauth", "project": "issuer-analytics", "dataset": "dbt"}
            },
        }
    }
    (project / "profiles.yml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    quiet = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "HOME": str(exported), "PYTHONPATH": ""}
    done = subprocess.run(  # noqa: S603  a tool of ours
        [str(DBT), "parse", "--project-dir", str(project), "--profiles-dir", str(project)],
        capture_output=True,
        text=True,
        check=False,
        env=quiet,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "eprecat" not in done.stdout, done.stdout
    manifest = json.loads((project / "target" / "manifest.json").read_text(encoding="utf-8"))
    assert {one["name"] for one in manifest["sources"].values()} == {
        contract.publish.split(".")[1] for contract in CONTRACTS.values()
    }
    tests = [one for one in manifest["nodes"].values() if one["resource_type"] == "test"]
    assert len(tests) > 50
