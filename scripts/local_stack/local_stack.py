"""The local stack: everything the daily job talks to, on loopback, with real servers and made-up data."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.local_stack import bigquery, mariadb, postgres, storage
from scripts.local_stack.bigquery import LOCATION, PROJECT, BigQuery
from scripts.local_stack.mariadb import MariaDb
from scripts.local_stack.postgres import Postgres
from scripts.local_stack.processes import LOOPBACK
from scripts.local_stack.state import State, locked
from scripts.local_stack.storage import BUCKET, Storage

PARTS = (postgres.PRIMARY, postgres.STANDBY, storage.PART, bigquery.PART)
"""What every stack has; `up(mysql=True)` adds MariaDB."""
_SETTINGS_FILE, _MYSQL_SETTINGS_FILE = "settings.toml", "settings_mysql.toml"
_SETTINGS = """\
# Written by the local stack at every start; edits do not last.
[source]
url = "{source}"{password}
local = true
allowed_instances = []

[stage]
bucket = "{bucket}"
prefix = "kagemusha"
endpoint = "{storage}"

[bigquery]
project = "{project}"
location = "{location}"
endpoint = "{bigquery}"
views_dataset = "{views}"
ops_dataset = "{ops}"
views = {{smallest_group = 3}}  # the made-up members are few

[keyring]
ref = "file:{keyring}"

[detokenize]
audit_log = "{audit_log}"

[site]
write = false

[local]
primary_url = "{primary}"{mysql}
"""
_OWNER_OF_MYSQL = """
mysql_url = "{url}"
mysql_password = "{password}"
"""


@dataclass(frozen=True)
class MySqlEndpoint:
    """Where MariaDB is.

    Args:
        settings: the settings file of the whole stack that names MariaDB as the source.
        url: its address for the owner of the tables.
        password: where the owner's password is, as settings spell it.
    """

    settings: Path
    url: str
    password: str


@dataclass(frozen=True)
class Endpoints:
    """Where the parts of a running stack are.

    Args:
        root: folder of the stack.
        settings: the settings file that names all of them.
        source_url: the standby, as the reader.
        primary_url: the primary, as the owner of the tables.
        storage: address of Cloud Storage.
        bigquery: address of BigQuery.
        mysql: where MariaDB is, if it was asked for.
    """

    root: Path
    settings: Path
    source_url: str
    primary_url: str
    storage: str
    bigquery: str
    bucket: str = BUCKET
    project: str = PROJECT
    location: str = LOCATION
    mysql: MySqlEndpoint | None = None


@dataclass(frozen=True)
class PartStatus:
    """One line of `status`: the part, its port and process, and whether it does its work."""

    part: str
    port: int | None
    pid: int | None
    healthy: bool


class LocalStack:
    """A stack with all its data, logs and passwords below one folder.

    Args:
        root: that folder; nothing outside is touched, but for PostgreSQL's data when its account cannot get there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def up(self, *, mysql: bool = False) -> Endpoints:
        """Starts what does not run and gives the addresses; what already runs well is left alone.

        Args:
            mysql: whether MariaDB belongs to the stack too, from now on until `reset`.
        """
        with self._parts() as (state, (database, objects, warehouse, other)):
            (self.root / "logs").mkdir(exist_ok=True)
            starts = [database.up, objects.up, warehouse.up, *([other.up] if mysql or other.wanted else [])]
            with ThreadPoolExecutor(len(starts)) as together:
                for started in [together.submit(start) for start in starts]:
                    started.result()
            return self._endpoints(state, database, other)

    def down(self) -> None:
        """Stops the stack's own processes, and no others; data stays."""
        with self._parts() as (_, parts), ThreadPoolExecutor(len(parts)) as together:
            for stopped in [together.submit(part.down) for part in parts]:
                stopped.result()

    def reset(self) -> None:
        """Stops the stack and removes its data, logs, passwords and settings; keys and benchmark figures stay."""
        self.down()
        with self._parts() as (_, parts):
            for part in reversed(parts):
                part.wipe()
            shutil.rmtree(self.root / "logs", ignore_errors=True)
            for name in (_SETTINGS_FILE, _MYSQL_SETTINGS_FILE, "state.json"):
                (self.root / name).unlink(missing_ok=True)

    def promote_standby(self) -> None:
        """Makes the standby a primary of its own: the ETL endpoint's reader has become a writer."""
        with self._parts() as (_, (database, *_)):
            database.promote()

    def renew_standby(self) -> None:
        """Puts a standby that follows the primary where the promoted one was."""
        with self._parts() as (_, (database, *_)):
            database.renew_standby()

    def kill_mysql(self) -> None:
        """Kills MariaDB, as a machine that fails does."""
        with self._parts() as (_, (*_, other)):
            other.kill()

    def start_mysql(self) -> None:
        """Starts MariaDB where it was; one that runs well is left alone, and so is every other part."""
        with self._parts() as (_, (*_, other)):
            other.up()

    def status(self) -> list[PartStatus]:
        """Returns what each part does right now."""
        with self._parts() as (state, (database, objects, warehouse, other)):
            healthy = {storage.PART: objects.healthy(), bigquery.PART: warehouse.healthy(), **database.health()}
            names: tuple[str, ...] = PARTS
            if other.wanted:
                healthy[mariadb.PART] = other.healthy()
                names = (*PARTS, mariadb.PART)
            processes = {part: state.process(part) for part in names}
            return [
                PartStatus(part, state.port(part), process.pid if process else None, healthy[part])
                for part, process in processes.items()
            ]

    @contextmanager
    def _parts(self) -> Iterator[tuple[State, tuple[Postgres, Storage, BigQuery, MariaDb]]]:
        with locked(self.root) as state:
            objects = Storage(self.root, state)
            parts = (Postgres(self.root, state), objects, BigQuery(self.root, state, objects.objects))
            yield state, (*parts, MariaDb(self.root, state))

    def _endpoints(self, state: State, database: Postgres, other: MariaDb) -> Endpoints:
        found = Endpoints(
            root=self.root,
            settings=self.root / _SETTINGS_FILE,
            source_url=database.url(postgres.STANDBY, postgres.READER),
            primary_url=database.url(postgres.PRIMARY, postgres.OWNER),
            storage=f"http://{LOOPBACK}:{state.port(storage.PART)}",
            bigquery=f"http://{LOOPBACK}:{state.port(bigquery.PART)}",
        )
        if other.wanted:
            place = MySqlEndpoint(
                self.root / _MYSQL_SETTINGS_FILE, other.url(mariadb.OWNER), other.password(mariadb.OWNER)
            )
            found = replace(found, mysql=place)
            self._write_settings(place.settings, found, other.url(mariadb.READER), other.password(mariadb.READER))
        self._write_settings(found.settings, found, found.source_url)
        return found

    def _write_settings(self, file: Path, found: Endpoints, source: str, password: str = "") -> None:
        owner = found.mysql
        text = _SETTINGS.format(
            source=source,
            password=f'\npassword = "{password}"' if password else "",
            primary=found.primary_url,
            mysql=_OWNER_OF_MYSQL.format(url=owner.url, password=owner.password).rstrip() if owner else "",
            bucket=found.bucket,
            project=found.project,
            location=found.location,
            storage=found.storage,
            bigquery=found.bigquery,
            views=bigquery.VIEWS_DATASET,
            ops=bigquery.OPS_DATASET,
            keyring=self.root / "keys" / "keyring.json",
            audit_log=self.root / "audit" / "detokenize.jsonl",
        )
        file.write_text(text, encoding="utf-8")
