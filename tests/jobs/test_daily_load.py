"""The job's entry point: its arguments mean what they say, its exit code arrives, and Glue is used only where it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from etl.errors import SettingsInvalid
from etl.keys import create_keyring_file
from etl.spark import spark_session
from jobs.arguments import resolved, table_names
from jobs.daily_load import main
from jobs.glue import glue_job, has_glue_classes
from schemas.errors import ContractInvalid

ROOT = Path(__file__).parents[2]
OURS = ("day", "tables", "settings", "resume")
GLUES_OWN = (
    *(
        "--JOB_NAME",
        "nightly",
        "--JOB_ID",
        "j_1",
        "--JOB_RUN_ID",
        "jr_1",
        "--job-bookmark-option",
        "job-bookmark-disable",
    ),
    *("--TempDir", "s3://bucket/tmp", "--enable-metrics", "true", "--datalake-formats", "iceberg"),
)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Returns settings of an installation of which only the keyring is there: nobody listens on its ports."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    create_keyring_file(tmp_path / "keyring.json")
    path = tmp_path / "settings.toml"
    path.write_text(
        f"""
        [source]
        url = "postgresql://etl_reader@127.0.0.1:{closed}/issuer"
        local = true
        connect_seconds = 1
        [stage]
        bucket = "kagemusha-stage"
        endpoint = "http://127.0.0.1:{closed}"
        [bigquery]
        project = "local-project"
        endpoint = "http://127.0.0.1:{closed}"
        [keyring]
        ref = "file:{tmp_path / "keyring.json"}"
        """,
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), {}),
        (("--day", "2023-08-31"), {"day": "2023-08-31"}),
        (("--day=2023-08-31", "--tables=a,b"), {"day": "2023-08-31", "tables": "a,b"}),
        (("--tables", "a,b", "--settings", "s.toml"), {"tables": "a,b", "settings": "s.toml"}),
        (("--day=", "--tables", "a"), {"day": "", "tables": "a"}),
        ((*GLUES_OWN, "--day", "2023-08-31"), {"day": "2023-08-31"}),
        (("--JOB_NAME=nightly", "--day=2023-08-31"), {"day": "2023-08-31"}),
    ],
)
def test_arguments_are_taken_as_passed(given: tuple[str, ...], expected: dict[str, str]) -> None:
    """Both spellings work, what was not passed is absent, and Glue's own arguments are let be."""
    assert resolved(["daily_load.py", *given], (), OURS) == expected


@pytest.mark.parametrize(
    ("given", "message", "advice"),
    [
        (("--dya", "2023-08-31"), "The job has no argument --dya.", "Did you mean --day?"),
        (("--days=2023-08-31",), "The job has no argument --days.", "Did you mean --day?"),
        (("--table", "payments"), "The job has no argument --table.", "Did you mean --tables?"),
        (
            ("--jdbc", "x"),
            "The job has no argument --jdbc.",
            "Required: none; optional: --day, --tables, --settings, --resume.",
        ),
        ((*GLUES_OWN, "--table", "payments"), "The job has no argument --table.", "Did you mean --tables?"),
        (
            ("2023-08-31",),
            "A word stands where an argument should.",
            "Required: none; optional: --day, --tables, --settings, --resume.",
        ),
        (("--day=2023-08-31", "payments"), "A word stands where an argument should.", "optional: --day"),
        (("--day",), "A job argument is missing or malformed.", "optional: --day"),
        (("--day", "--tables", "a"), "A job argument is missing or malformed.", "optional: --day"),
    ],
)
def test_a_wrong_argument_is_refused(given: tuple[str, ...], message: str, advice: str) -> None:
    """A typing mistake never turns into a load of another day or of all tables."""
    with pytest.raises(SettingsInvalid) as caught:
        resolved(["daily_load.py", *given], (), OURS)
    assert f"{message} No row was read." in str(caught.value)
    assert advice in str(caught.value)
    assert caught.value.exit_code == 2
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("date", "day"),
        ("DAY", "day"),
        ("Day", "day"),
        ("business-date", "day"),
        ("target_day", "day"),
        ("businessDate", "day"),
        ("d", "day"),
        ("dt", "day"),
        ("run_date", "day"),
        ("TABLES", "tables"),
        ("table-name", "tables"),
        ("tbl", "tables"),
        ("only_tables", "tables"),
        ("tab", "tables"),
        ("Settings", "settings"),
        ("config", "settings"),
        ("resume-run", "resume"),
        ("job-date", "day"),
        ("spark_day", "day"),
        ("extra-tables", "tables"),
        ("yyyymmdd", "day"),
        ("as-of", "day"),
        ("asOf", "day"),
        ("from", "day"),
        ("hizuke", "day"),
        ("対象日", "day"),
        ("ｄａｙ", "day"),
        ("day\u200b", "day"),
        ("テーブル", "tables"),
    ],
)
def test_what_glue_would_drop_is_refused_when_it_looks_like_ours(name: str, meant: str) -> None:
    """Whatever contains, abbreviates or spells otherwise an argument of ours never loads yesterday or all tables."""
    for given in ((f"--{name}", "x"), (f"--{name}=x",)):
        with pytest.raises(SettingsInvalid, match=f"The job has no argument --{name}") as caught:
            resolved(["daily_load.py", *GLUES_OWN, *given], (), OURS)
        assert f"Did you mean --{meant}?" in str(caught.value)


@pytest.mark.parametrize("word", ["day", "-day", "–day", "—date", "day=2023-08-30", "Tables"])
def test_a_name_without_its_dashes_is_refused_under_glue_too(word: str) -> None:
    """Glue hands on what stands in the job's parameters; a name that lacks `--` would be dropped like a strange one."""
    with pytest.raises(SettingsInvalid, match="A word stands where an argument should") as caught:
        resolved(["daily_load.py", *GLUES_OWN, word, "2023-08-30"], (), OURS)
    assert "Did you mean --" in str(caught.value)
    assert resolved(["daily_load.py", *GLUES_OWN, "true", "s3://bucket/day=1"], (), OURS) == {}


def test_glue_s_own_arguments_are_let_be() -> None:
    """Arguments that Glue documents pass, also those with words of ours in them."""
    own = (
        *("--job-language", "python", "--enable-auto-scaling", "true", "--spark-event-logs-path", "s3://b/e"),
        *("--extra-py-files", "s3://b/k.whl", "--additional-python-modules", "x", "--conf", "spark.x=y"),
        *("--job-bookmark-from", "a", "--job-bookmark-to", "b", "--write-shuffle-files-to-s3", "true"),
        *("--scriptLocation", "s3://b/j.py", "--WORKFLOW_NAME", "w", "--WORKFLOW_RUN_ID", "wr"),
    )
    found = resolved(["backfill.py", *GLUES_OWN, *own, "--from", "2023-08-01"], ("from",), ("to", "tables"))
    assert found == {"from": "2023-08-01"}


def test_an_argument_that_comes_twice_is_refused() -> None:
    """Which of two days is meant nobody can tell."""
    with pytest.raises(SettingsInvalid, match="--day more than once"):
        resolved(["daily_load.py", "--day", "2023-08-30", "--day=2023-08-31"], (), OURS)


@pytest.mark.parametrize(("said", "tables"), [("a, b", ["a", "b"]), (" a ", ["a"]), ("a,,b,", ["a", "b"])])
def test_tables_are_named_with_or_without_spaces(said: str, tables: list[str]) -> None:
    """Spaces around commas belong to no name; without the argument all tables are loaded."""
    assert table_names({"tables": said}) == tables
    assert table_names({}) == []


@pytest.mark.parametrize("said", ["", " ", ",", " , "])
def test_an_empty_list_of_tables_is_not_all_tables(said: str) -> None:
    """A variable that was empty in somebody's scheduler does not load everything."""
    with pytest.raises(SettingsInvalid, match="--tables names no table") as caught:
        table_names({"tables": said})
    assert caught.value.exit_code == 2


def test_a_missing_required_argument_is_named() -> None:
    """What a job needs and did not get is listed."""
    with pytest.raises(SettingsInvalid, match="A job argument is missing or malformed") as caught:
        resolved(["job.py", "--tables", "a"], ("day",), ("tables",))
    assert "Required: --day; optional: --tables." in str(caught.value)


def test_tables_are_separated_by_commas(settings: Path) -> None:
    """Every name of `--tables` counts: one that does not exist is refused, whatever stands beside it."""
    with pytest.raises(ContractInvalid, match="There is no contract for 'nowhere'"):
        main(["daily_load.py", "--day=2023-08-30", f"--settings={settings}", "--tables=clubs,nowhere,cards"])


def _submitted(*arguments: str) -> subprocess.CompletedProcess[str]:
    submit = str(Path(sys.executable).with_name("spark-submit"))
    return subprocess.run(  # noqa: S603  our own job
        [submit, "jobs/daily_load.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
        check=False,
        capture_output=True,
        text=True,
    )


def test_spark_submit_ends_with_the_exit_code(settings: Path) -> None:
    """A refused argument ends spark-submit with 2 and one message; no traceback of ours hides it."""
    done = _submitted("--day", "2023-08-32", "--settings", str(settings))
    assert done.returncode == 2
    assert "SettingsInvalid: The day is not a date. No row was read.\n  Write it as 2023-08-31." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_without_glue_a_job_name_changes_nothing(settings: Path) -> None:
    """Glue's Python package without its Java classes is not Glue: the job runs on Spark alone, to its own exit code."""
    done = _submitted("--JOB_NAME", "nightly", "--day", "2023-08-30", "--settings", str(settings))
    assert done.returncode == 3
    assert "StorageUnavailable: Cloud Storage did not list the staging bucket." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_only_java_classes_prove_the_glue_runtime() -> None:
    """A name that the JVM does not know is a package to py4j, whatever the name; only a class counts."""
    jvm: Any = spark_session().sparkContext._jvm
    assert not has_glue_classes(jvm)
    assert has_glue_classes(_with_glue(jvm.java.lang.String))


def _with_glue(found: Any) -> Any:
    glue = SimpleNamespace(GlueContext=found)
    services = SimpleNamespace(services=SimpleNamespace(glue=glue))
    return SimpleNamespace(com=SimpleNamespace(amazonaws=services))


def test_an_error_leaves_the_glue_job() -> None:
    """What the work raises arrives unchanged; nothing swallows it on the way to the exit code."""
    with pytest.raises(SettingsInvalid), glue_job(["daily_load.py", "--JOB_NAME", "nightly"]):
        raise SettingsInvalid("A setting is wrong.", not_done="Nothing ran.")
