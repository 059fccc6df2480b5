"""The local stack: parts that start, survive, stop, and behave like the services they stand for."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import google_crc32c
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core.exceptions import BadRequest, NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage
from typer.testing import CliRunner

from etl.cli.local import local
from scripts.local_stack import postgres, postgres_files, processes
from scripts.local_stack.local_stack import PARTS, Endpoints, LocalStack
from scripts.local_stack.processes import Identity, wait_until

pytestmark = pytest.mark.stack
_PAN = "4111111111111111"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Yields a stack that a test may break; `up` mends it."""
    private = LocalStack(tmp_path_factory.mktemp("own"))
    try:
        yield private
    finally:
        private.reset()


@pytest.fixture(scope="module")
def buckets(stack: Endpoints) -> storage.Client:
    """Returns a Cloud Storage client."""
    return storage.Client(stack.project, AnonymousCredentials(), client_options={"api_endpoint": stack.storage})


@pytest.fixture(scope="module")
def warehouse(stack: Endpoints) -> bigquery.Client:
    """Returns a BigQuery client."""
    return _bigquery(stack)


def _bigquery(ends: Endpoints) -> bigquery.Client:
    return bigquery.Client(ends.project, AnonymousCredentials(), client_options={"api_endpoint": ends.bigquery})


def _pids(of: LocalStack) -> dict[str, int | None]:
    return {part.part: part.pid for part in of.status()}


def _one(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def test_a_second_up_changes_nothing(own: LocalStack) -> None:
    """What runs well is left alone: same processes, same addresses."""
    first, before = own.up(), _pids(own)
    assert set(before) == set(PARTS)
    assert None not in before.values()
    assert own.up() == first
    assert _pids(own) == before


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_started_again(own: LocalStack, part: str) -> None:
    """`up` mends a part that was killed, with its data, and leaves the others alone."""
    own.up()
    before = _pids(own)
    killed = Identity.of(before[part] or 0)
    assert killed
    os.kill(killed.pid, signal.SIGKILL)
    assert wait_until(lambda: not killed.alive, 10)
    assert [line.part for line in own.status() if line.pid is None] == [part]
    endpoints = own.up()
    after = _pids(own)
    assert all(line.healthy for line in own.status())
    assert {name for name in PARTS if before[name] != after[name]} == {part}
    assert _one(endpoints.source_url, "SELECT pg_is_in_recovery()") is True


def test_down_leaves_no_process_and_up_finds_the_data_again(own: LocalStack) -> None:
    """After `down` nothing of the stack runs; its data is still there after the next `up`, a job just ended too."""
    endpoints = own.up()
    with psycopg.connect(endpoints.primary_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.kept AS SELECT 42 AS answer")
    folders = _folders(own.root)
    assert _processes_of(folders)
    _bigquery(endpoints).query("SELECT 1", job_id="just_before").result()
    own.down()
    assert set(_pids(own).values()) == {None}
    assert _processes_of(folders) == []
    endpoints = own.up()
    assert _one(endpoints.source_url, "SELECT answer FROM public.kept") == 42
    assert _bigquery(endpoints).get_job("just_before").state == "DONE"


def test_only_own_processes_are_stopped(own: LocalStack) -> None:
    """A process that got the number of an ended part is not the part, and stays alive."""
    own.up()
    own.down()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        remembered = json.loads((own.root / "state.json").read_text())
        actual = Identity.of(stranger.pid)
        assert actual
        remembered["processes"]["storage"] = {"pid": actual.pid, "ticks": actual.ticks - 1, "boot": actual.boot}
        (own.root / "state.json").write_text(json.dumps(remembered))
        own.down()
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_reset_removes_data_but_no_keys(tmp_path: Path) -> None:
    """`reset` leaves neither processes nor data, logs or passwords; keys are not data."""
    tmp_path.joinpath("keys").mkdir()
    tmp_path.joinpath("keys", "keyring.json").write_text("{}")
    short = LocalStack(tmp_path)
    short.up()
    folders = _folders(tmp_path)
    short.reset()
    assert _processes_of(folders) == []
    assert [folder for folder in folders if folder.exists()] == [tmp_path]
    assert {path.name for path in tmp_path.iterdir()} == {"keys", "lock"}


def test_postgres_has_a_folder_it_can_use(tmp_path: Path) -> None:
    """Below a folder that is closed to PostgreSQL's account, its data goes where the account can get to."""
    tmp_path.chmod(0o700)
    user = postgres_files.account()
    place = postgres_files.make_place(tmp_path / "postgres", user)
    usable = processes.run(["test", "-w", str(place)], log=tmp_path / "log", user=user) == 0
    mode = place.stat().st_mode & 0o777
    place.rmdir()
    assert usable
    assert mode == 0o700


def test_a_missing_server_program_is_named(own: LocalStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the BigQuery server's environment, `up` says what is missing and what to do."""
    own.down()
    monkeypatch.setenv("KAGEMUSHA_BIGQUERY_PYTHON", str(tmp_path / "python"))
    with pytest.raises(processes.LocalStackFailed, match=r"BigQuery server is not installed(.|\n)*make bootstrap"):
        own.up()


def test_the_source_is_a_standby_that_replicates(stack: Endpoints) -> None:
    """What is written to the primary is read from the standby, which takes no writes."""
    assert _one(stack.primary_url, "SELECT pg_is_in_recovery()") is False
    assert _one(stack.source_url, "SELECT pg_is_in_recovery()") is True
    with psycopg.connect(stack.primary_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA replicated")
        connection.execute("CREATE TABLE replicated.names AS SELECT '山田 花子' AS name")
    exists = "SELECT to_regclass('replicated.names') IS NOT NULL"
    assert wait_until(lambda: _one(stack.source_url, exists) is True, 10)
    assert _one(stack.source_url, "SELECT name FROM replicated.names") == "山田 花子"
    assert _one(stack.source_url, "SHOW hot_standby_feedback") == "on"


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO guarded.t VALUES (2)", "DELETE FROM guarded.t", "CREATE TABLE guarded.u (n int)",
     "CREATE TABLE public.u (n int)", "CREATE TEMP TABLE u (n int)", "CREATE SCHEMA mine", "TRUNCATE guarded.t"],
)  # fmt: skip
def test_the_reader_reads_and_nothing_else(stack: Endpoints, statement: str) -> None:
    """`etl_reader` may select from whatever the owner creates; even on the primary it cannot write."""
    with psycopg.connect(stack.primary_url, autocommit=True) as owner:
        owner.execute("CREATE SCHEMA IF NOT EXISTS guarded")
        owner.execute("CREATE TABLE IF NOT EXISTS guarded.t AS SELECT 1 AS n")
    as_reader = stack.primary_url.replace(f"//{postgres.OWNER}@", f"//{postgres.READER}@")
    assert _one(as_reader, "SELECT n FROM guarded.t") == 1
    with psycopg.connect(as_reader) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(statement)


def test_a_password_is_needed_and_others_cannot_read_it(stack: Endpoints) -> None:
    """No role connects without its password, which lies in a file of mode 0600 and in no address."""
    nobody = stack.source_url.partition("?")[0] + "?passfile=/nonexistent"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(nobody)
    for file in (stack.root / "secrets").iterdir():
        assert file.stat().st_mode & 0o077 == 0
        for line in file.read_text().splitlines():
            assert line.rpartition(":")[2] not in stack.settings.read_text()


def test_failed_statements_leave_no_value_in_the_logs(stack: Endpoints) -> None:
    """Errors of the database quote values; the server's logs do not, whatever goes wrong."""
    with psycopg.connect(stack.primary_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS public.pans (pan text PRIMARY KEY)")
        connection.execute("INSERT INTO public.pans VALUES (%s) ON CONFLICT DO NOTHING", [_PAN])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO public.pans VALUES (%s)", [_PAN])
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute(f"SELECT '{_PAN}' FROM nowhere")
        with pytest.raises(psycopg.errors.NumericValueOutOfRange):
            connection.execute(f"SELECT '{_PAN}'::int")
        with pytest.raises(psycopg.OperationalError):
            connection.execute(f"SELECT '{_PAN}', pg_terminate_backend(pg_backend_pid())")
    logs = list((stack.root / "logs").iterdir())
    assert logs
    assert [log.name for log in logs if _PAN.encode() in log.read_bytes()] == []


def test_storage_refuses_a_generation_that_is_not_the_one(stack: Endpoints, buckets: storage.Client) -> None:
    """Write-once and compare-and-swap hold, for small and for resumable uploads."""
    bucket = buckets.bucket(stack.bucket)
    bucket.blob("once").upload_from_string(b"first", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.blob("once").upload_from_string(b"second", if_generation_match=0)
    now = bucket.get_blob("once")
    assert now
    with pytest.raises(PreconditionFailed):
        bucket.blob("once").upload_from_string(b"second", if_generation_match=now.generation + 1)
    with pytest.raises(PreconditionFailed):
        bucket.delete_blob("once", if_generation_match=now.generation + 1)
    large = bucket.blob("once", chunk_size=256 * 1024)
    with pytest.raises(PreconditionFailed):
        large.upload_from_file(io.BytesIO(bytes(600 * 1024)), if_generation_match=0)
    assert bucket.blob("once").download_as_bytes() == b"first"
    bucket.blob("once").upload_from_string(b"second", if_generation_match=now.generation)
    assert bucket.blob("once").download_as_bytes() == b"second"
    with pytest.raises(PreconditionFailed):
        bucket.blob("once").download_as_bytes(if_generation_match=now.generation)


def test_storage_lets_one_of_many_writers_win(stack: Endpoints, buckets: storage.Client) -> None:
    """Of writers that all demand that the object is not there yet, one writes it and the others are told no."""

    def write(writer: int) -> int | None:
        try:
            buckets.bucket(stack.bucket).blob("race").upload_from_string(str(writer), if_generation_match=0)
        except PreconditionFailed:
            return None
        return writer

    with ThreadPoolExecutor(8) as together:
        winners = [writer for writer in together.map(write, range(16)) if writer is not None]
    assert [int(buckets.bucket(stack.bucket).blob("race").download_as_bytes())] == winners


def test_storage_keeps_an_upload_in_chunks_whole(stack: Endpoints, buckets: storage.Client) -> None:
    """An object that arrives in several requests is the object that was sent, and its checksum says so."""
    sent = bytes(range(256)) * 3000
    with buckets.bucket(stack.bucket).blob("chunks").open("wb", chunk_size=256 * 1024, if_generation_match=0) as blob:
        blob.write(sent)
    stored = buckets.bucket(stack.bucket).get_blob("chunks")
    assert stored
    assert stored.download_as_bytes(if_generation_match=stored.generation) == sent
    assert stored.crc32c == base64.b64encode(google_crc32c.Checksum(sent).digest()).decode()


def test_the_command_line_says_how_the_stack_is(stack: Endpoints, tmp_path: Path) -> None:
    """`kagemusha local status` exits 0 when every part is well and 2 when one is not."""
    ask = ["status", "--root"]
    assert CliRunner().invoke(local, [*ask, str(stack.root)]).exit_code == 0
    assert CliRunner().invoke(local, [*ask, str(tmp_path)]).exit_code == 2


def test_a_load_into_a_partition_replaces_only_that_partition(
    stack: Endpoints, buckets: storage.Client, warehouse: bigquery.Client
) -> None:
    """`table$YYYYMMDD` with WRITE_TRUNCATE replaces that day, keeps the others, and refuses rows of another day."""
    table = _partitioned_table(warehouse, "partitions")
    first, second = date(2023, 8, 30), date(2023, 8, 31)
    _load(stack, buckets, warehouse, f"{table}$20230830", [(1, first), (2, first)])
    _load(stack, buckets, warehouse, f"{table}$20230831", [(3, second)])
    _load(stack, buckets, warehouse, f"{table}$20230830", [(4, first)])
    assert _rows(warehouse, table) == [(3, second), (4, first)]
    with pytest.raises(BadRequest, match="different partitions"):
        _load(stack, buckets, warehouse, f"{table}$20230830", [(5, second)])
    assert _rows(warehouse, table) == [(3, second), (4, first)]
    _load(stack, buckets, warehouse, f"{table}$20230830", [])
    assert _rows(warehouse, table) == [(3, second)]
    assert [listed.table_id for listed in warehouse.list_tables("partitions")] == ["t"]


def test_a_truncate_load_keeps_the_layout_and_the_modes(
    stack: Endpoints, buckets: storage.Client, warehouse: bigquery.Client
) -> None:
    """Replacing a whole table leaves its partitioning, its clustering, its descriptions and its REQUIRED columns."""
    table = _partitioned_table(warehouse, "whole")
    before = warehouse.get_table(table)
    for n in (1, 2):
        _load(stack, buckets, warehouse, table, [(n, date(2023, 8, 31))])
    after = warehouse.get_table(table)
    assert _rows(warehouse, table) == [(2, date(2023, 8, 31))]
    assert after.schema == before.schema
    assert (after.time_partitioning, after.clustering_fields) == (before.time_partitioning, before.clustering_fields)


def test_a_table_says_when_it_was_written(
    stack: Endpoints, buckets: storage.Client, warehouse: bigquery.Client
) -> None:
    """A load changes the time of the last modification, which tells whether another run has been there."""
    table = _partitioned_table(warehouse, "written")
    before = warehouse.get_table(table).modified
    _load(stack, buckets, warehouse, f"{table}$20230831", [(1, date(2023, 8, 31))])
    first = warehouse.get_table(table).modified
    _load(stack, buckets, warehouse, table, [(2, date(2023, 8, 31))])
    assert before < first < warehouse.get_table(table).modified


def test_an_updated_view_gives_its_new_answer(warehouse: bigquery.Client) -> None:
    """Changing a view's query changes what it says; a query that cannot be changes nothing."""
    view = bigquery.Table(f"{warehouse.project}.looker.answer")
    view.view_query = "SELECT 1 AS n"
    warehouse.create_table(view)
    view.view_query = "SELECT 2 AS n"
    warehouse.update_table(view, ["view_query"])
    assert [row.n for row in warehouse.query_and_wait("SELECT n FROM looker.answer")] == [2]
    view.view_query = "SELECT n FROM no_such_dataset.t"
    with pytest.raises((BadRequest, NotFound)):
        warehouse.update_table(view, ["view_query"], retry=None)
    assert [row.n for row in warehouse.query_and_wait("SELECT n FROM looker.answer")] == [2]


def _refused(warehouse: bigquery.Client, name: str, *fields: bigquery.SchemaField, **choices: object) -> bool:
    """Tells whether BigQuery refuses to create such a table."""
    table = bigquery.Table(f"{warehouse.project}.ops.{name}", schema=list(fields))
    for choice, value in choices.items():
        setattr(table, choice, value)
    try:
        warehouse.create_table(table, retry=None)
    except BadRequest:
        return True
    return False


def _column(name: str, kind: str = "STRING", description: str = "") -> bigquery.SchemaField:
    return bigquery.SchemaField(name, kind, description=description)


def test_bigquery_refuses_names_and_descriptions_as_google_does(warehouse: bigquery.Client) -> None:
    """Reserved prefixes in any case, names that differ in case only, and descriptions that are too long are refused."""
    for name in (
        "_table_no",
        "_FILE_name",
        "_partition_key",
        "_row_timestamp",
        "__root__",
        "_ColIdentifier",
        "_change_type",
    ):
        assert _refused(warehouse, "reserved", _column(name)), name
    assert _refused(warehouse, "doubled", _column("orderId"), _column("ORDERID"))
    assert _refused(warehouse, "described", _column("a", description="あ" * 1_025))
    assert _refused(warehouse, "described", _column("a"), description="あ" * 16_385)
    assert _refused(warehouse, "labelled", _column("a"), labels={"table": "x" * 64})
    assert _refused(warehouse, "labelled", _column("a"), labels={"table": "Orders"})
    fine = _column("table_no", description="あ" * 1_024)
    assert not _refused(warehouse, "taken", fine, description="あ" * 16_384, labels={"table": "x" * 63})
    table = warehouse.get_table(f"{warehouse.project}.ops.taken")
    table.schema = [*table.schema, _column("_FILE_x")]
    with pytest.raises(BadRequest):
        warehouse.update_table(table, ["schema"], retry=None)


def test_bigquery_refuses_layouts_as_google_does(warehouse: bigquery.Client) -> None:
    """FLOAT64 and BYTES cannot cluster a table, a column clusters it once, and a partition needs a time."""
    for kind in ("FLOAT64", "BYTES"):
        assert _refused(warehouse, "clustered", _column("rate", kind), clustering_fields=["rate"])
    assert _refused(warehouse, "clustered", _column("a"), clustering_fields=["a", "a"])
    assert _refused(warehouse, "parted", _column("a"), time_partitioning=bigquery.TimePartitioning("DAY", field="a"))
    assert not _refused(warehouse, "clustered", _column("a"), _column("n", "NUMERIC"), clustering_fields=["n", "a"])


_SCHEMA = [
    bigquery.SchemaField("n", "INTEGER", "REQUIRED", description="a number"),
    bigquery.SchemaField("day", "DATE", "NULLABLE", description="its day"),
]


def _partitioned_table(warehouse: bigquery.Client, dataset: str) -> str:
    warehouse.create_dataset(dataset)
    table = bigquery.Table(f"{warehouse.project}.{dataset}.t", _SCHEMA)
    table.time_partitioning = bigquery.TimePartitioning(field="day")
    table.clustering_fields = ["n"]
    warehouse.create_table(table)
    return f"{warehouse.project}.{dataset}.t"


def _load(
    stack: Endpoints, buckets: storage.Client, warehouse: bigquery.Client, target: str, rows: list[tuple[int, date]]
) -> None:
    columns = [pa.array([n for n, _ in rows], pa.int64()), pa.array([day for _, day in rows], pa.date32())]
    parquet = io.BytesIO()
    pq.write_table(pa.table(columns, names=["n", "day"]), parquet)
    blob = buckets.bucket(stack.bucket).blob(f"load/{target}.parquet")
    blob.upload_from_string(parquet.getvalue())
    config = bigquery.LoadJobConfig(
        source_format="PARQUET", schema=_SCHEMA, write_disposition="WRITE_TRUNCATE", create_disposition="CREATE_NEVER"
    )
    warehouse.load_table_from_uri(f"gs://{stack.bucket}/{blob.name}", target, job_config=config).result(timeout=30)


def _rows(warehouse: bigquery.Client, table: str) -> list[tuple[int, date]]:
    return [(row.n, row.day) for row in warehouse.query_and_wait(f"SELECT n, day FROM `{table}` ORDER BY n")]


def _folders(root: Path) -> list[Path]:
    """Returns the stack's folder, and where PostgreSQL's data lies when that is elsewhere."""
    return sorted({root, *map(Path, json.loads((root / "state.json").read_text())["places"].values())}, reverse=True)


def _processes_of(folders: list[Path]) -> list[str]:
    """Returns the command line of every process of this machine that names one of the folders."""
    commands = [_content(path).decode() for path in Path("/proc").glob("[0-9]*/cmdline")]
    return [command for command in commands if any(str(folder) in command for folder in folders)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
