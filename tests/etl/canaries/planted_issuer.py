"""A stack of its own with an issuer in which every sensitive column holds canaries, and where they are looked for."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from etl.cloud.bigquery import Warehouse
from etl.keys import create_keyring_file
from etl.settings import load_settings
from schemas.contract_file import load_contracts
from scripts.local_stack.local_stack import Endpoints
from scripts.local_stack.passwords import read as read_passwords
from scripts.local_stack.replay import answer, follows
from tests.etl.canaries.canaries import KANJI, MARKERS, Canaries
from tests.etl.canaries.planting import plant
from tests.etl.canaries.search import Searcher
from tests.etl.canaries.watched_job import ROOT

DAY = date(2023, 8, 30)
UNFIT_FOR_LOADING = (
    ("leaking", "memo text", "'お客様{pan}様'"),
    ("unfit", "amount numeric", "{pan}.5"),
    ("unmaskable", "pan text", "'{word}{pan}'"),
    ("unreadable", "document json", """'{{"pan": "{pan}", "name": "{word}", "bad": "\\u0000"}}'"""),
    (
        "clubs",
        "code text, kind text, support_rate numeric(5,4), contact_name text, contact_email text",
        "'c', '{word}{pan:.4}', 0.01, '{word}', '{word}@example.jp'",
    ),
)
"""Tables that fail at each step that sees values, in such a way that the step's own libraries would quote them."""
TALKATIVE = {
    "log_statement": "all",
    "log_min_messages": "info",
    "log_min_error_statement": "error",
    "log_error_verbosity": "verbose",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
}


@dataclass(frozen=True)
class PlantedIssuer:
    """A stack of its own with an issuer in which every sensitive column holds canaries.

    Attributes:
        rows: table → how many of its rows hold canaries.
    """

    ends: Endpoints
    warehouse: Warehouse
    searcher: Searcher
    rows: dict[str, int]

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        """Asks BigQuery."""
        return [tuple(row) for row in self.warehouse.client.query_and_wait(sql)]

    def in_bigquery(self) -> dict[str, set[str]]:
        """Searches every column of every table and view, their descriptions, and what BigQuery remembers of jobs."""
        client, found = self.warehouse.client, {}
        for dataset in client.list_datasets():
            for listed in client.list_tables(dataset.dataset_id):
                table = client.get_table(listed.reference)
                by = table.time_partitioning.field if table.time_partitioning else None
                rows = self.published(
                    f"SELECT * FROM {dataset.dataset_id}.{listed.table_id}"
                    + (f" WHERE {by} >= '0001-01-01'" if by else "")
                )
                values = [value for row in rows for value in row]
                found[table.full_table_id] = self.searcher.in_values([*values, table.to_api_repr()])
        found["jobs"] = self.searcher.in_values(job.to_api_repr() for job in client.list_jobs(all_users=True))
        return {name: sightings for name, sightings in found.items() if sightings}

    def in_files(self, *searched: str) -> dict[str, set[str]]:
        """Searches every file of the stack but PostgreSQL's own data, passwords, the keyring, and what was searched."""
        kept_apart = [self.ends.root / name for name in ("postgres", "secrets", "keys", *searched)]
        return self.searcher.in_tree(self.ends.root, skipping=kept_apart)


def planted_issuer(ends: Endpoints) -> PlantedIssuer:
    """Returns a new issuer full of canaries; its servers write every statement and every error into their logs."""
    settings = load_settings(ends.settings)
    create_keyring_file(Path(settings.keyring.ref.removeprefix("file:")))
    days = ["--first-day", "2023-06-01", "--last-day", str(DAY)]
    synth = [sys.executable, "scripts/synth.py", "create", "--scale", "3000", *days, "--url", ends.primary_url]
    subprocess.run(synth, cwd=ROOT, check=True, capture_output=True)  # noqa: S603  our own script
    canaries = Canaries()
    with psycopg.connect(ends.primary_url, autocommit=True) as connection:
        planted = plant(connection, load_contracts().values(), canaries, DAY)
        connection.execute("CREATE SCHEMA canary")
        for table, columns, row in UNFIT_FOR_LOADING:
            connection.execute(f"CREATE TABLE canary.{table} (id bigint, {columns})".encode())
            number = canaries.card_number()
            connection.execute(f"INSERT INTO canary.{table} VALUES (1, {row.format(pan=number, word=KANJI)})".encode())
        assert follows(connection, partial(answer, ends.source_url), 30)
    set_servers(ends, *(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in TALKATIVE.items()))
    secrets = {
        password for path in ("admin", "pgpass") for password in read_passwords(ends.root / "secrets" / path).values()
    }
    secrets |= set(
        re.findall(r"[A-Za-z0-9+/=_-]{40,}", (ends.root / "keys" / "keyring.json").read_text(encoding="utf-8"))
    )
    searcher = Searcher(MARKERS | secrets, frozenset(canaries.numbers))
    return PlantedIssuer(ends, Warehouse(settings.bigquery), searcher, planted)


def set_servers(ends: Endpoints, *statements: str) -> None:
    """Changes the configuration of both servers, as their administrator."""
    for url in (ends.primary_url, ends.source_url):
        place = psycopg.conninfo.conninfo_to_dict(url)
        with psycopg.connect(
            host=str(place["host"]),
            port=str(place["port"]),
            user="postgres",
            dbname="postgres",
            passfile=str(ends.root / "secrets" / "admin"),
            autocommit=True,
        ) as admin:
            for statement in (*statements, "SELECT pg_reload_conf()"):
                admin.execute(statement.encode())
