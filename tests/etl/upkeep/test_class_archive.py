"""Spark's classes are laid out once, whole or not at all, and a session starts without them too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from etl import spark
from etl.upkeep import class_archive
from etl.upkeep.class_archive import NotArchived, make_class_archive

HOW_THE_JVM_RUNS = (
    "import sys\nfrom pathlib import Path\nfrom etl import spark\nspark.CLASS_ARCHIVE = Path(sys.argv[1])\n"
    "session = spark.spark_session()\nassert session.range(3).count() == 3\n"
    "java = session.sparkContext._gateway.proc.pid\n"
    "print('opened', sys.argv[1] in Path(f'/proc/{java}/maps').read_text())\nsession.stop()\n"
)


def test_sessions_of_a_checkout_start_from_its_archive() -> None:
    """What the checkout was made ready with is whole: Java takes it for these jars, and says nothing."""
    if not spark.CLASS_ARCHIVE.exists():
        make_class_archive()
    assert [file.name for file in spark.CLASS_ARCHIVE.parent.iterdir()] == [spark.CLASS_ARCHIVE.name]
    command = [sys.executable, "-c", HOW_THE_JVM_RUNS, str(spark.CLASS_ARCHIVE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  our own program
    assert done.stdout == "opened True\n"


@pytest.mark.parametrize("content", [None, b"", b"no archive of Java's"], ids=["none", "empty", "another file"])
def test_java_starts_without_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    """Where there is none, or a file that Java does not know, a session's Java starts all the same and says nothing."""
    place = tmp_path / "spark.jsa"
    if content is not None:
        place.write_bytes(content)
    monkeypatch.setattr(spark, "CLASS_ARCHIVE", place)
    home = os.environ.get("JAVA_HOME")
    command = [f"{home}/bin/java" if home else "java", *spark._from_archive().split(), "-version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  Java
    assert (done.stdout, " version " in done.stderr, "archive" in done.stderr) == ("", True, False)


def test_a_java_that_writes_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Java that ends without an archive leaves the older one, and an error that names the place."""
    place = tmp_path / "spark.jsa"
    place.write_bytes(b"older")
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\nexit 1\n")
    java.chmod(0o755)
    monkeypatch.setattr(class_archive, "CLASS_ARCHIVE", place)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(NotArchived, match=r"No archive of Spark's classes was made\. Nothing was changed\."):
        make_class_archive()
    assert place.read_bytes() == b"older"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bin", "spark.jsa"]


def test_the_archive_belongs_to_the_environment() -> None:
    """It lies in the virtual environment whose jars it holds, under the version of Spark, and dies with it."""
    assert Path(sys.prefix) in spark.CLASS_ARCHIVE.parents
    assert spark.spark_version in spark.CLASS_ARCHIVE.name
