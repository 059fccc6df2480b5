"""The package as users get it: wheel and sdist built from tracked files, and environments that hold nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conftest import SHORT_LIVED

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("etl", "masking", "schemas", "jobs", "expectations")
_UV: Final = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Built:
    """What a release would hold."""

    wheel: Path
    sdist: Path

    def wheel_names(self) -> set[str]:
        """Returns the names of the wheel's files."""
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    def sdist_names(self) -> set[str]:
        """Returns the names of the sdist's files, without its own folder."""
        with tarfile.open(self.sdist) as archive:
            return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own; what it runs sees neither the checkout nor this process's path."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """The folder that its distributions are installed in."""
        return self.folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"

    @property
    def spark_home(self) -> Path:
        """Spark, as the pyspark package brings it."""
        return self.packages / "pyspark"

    def variables(self, **more: str) -> dict[str, str]:
        """Returns what its programs find in their environment."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYSPARK", "SPARK"))
        }
        return {**kept, "PATH": f"{self.folder / 'bin'}:{kept['PATH']}", **more}

    def start(self, *command: str | Path, cwd: Path, **variables: str) -> subprocess.Popen[str]:
        """Starts one of its programs, somewhere outside the checkout.

        Args:
            command: a program of the environment by name, then its arguments.
            cwd: where.
            variables: set in addition.
        """
        if command[0] == "spark-submit":
            variables = {"SPARK_SUBMIT_OPTS": SHORT_LIVED, **variables}
        return subprocess.Popen(  # noqa: S603  our own package
            [self.folder / "bin" / command[0], *command[1:]],
            cwd=cwd,
            env=self.variables(**variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs one of its programs to the end; see `start`."""
        with self.start(*command, cwd=cwd, **variables) as process:
            try:
                out, err = process.communicate(timeout=240)
            finally:
                process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def laid_out(self, folder: Path, without: Collection[str] = ()) -> Environment:
        """Returns another environment with the same packages at another path, but for some; it takes a moment."""
        other = _empty(folder)
        for one in self.packages.iterdir():
            target = other.packages / one.name
            if one.name not in without and not target.exists():
                target.symlink_to(one)
        return other


def _empty(folder: Path) -> Environment:
    subprocess.run([_UV, "--quiet", "venv", "--python", sys.executable, folder], check=True)  # noqa: S603  uv
    return Environment(folder)


def _tracked(*paths: str) -> list[str]:
    command = ["git", "ls-files", "-z", "--", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  git
    return done.stdout.rstrip("\0").split("\0")


def tracked_files() -> list[str]:
    """Returns what git tracks of the packages."""
    return _tracked(*PACKAGES)


def build(folder: Path, change: Callable[[Path], object] = lambda _source: None) -> Built:
    """Builds the sdist from a copy of what git tracks, and the wheel out of the sdist, as an index's user gets it.

    Args:
        folder: where.
        change: is given the copy before it is built.
    """
    source = folder / "source"
    for name in _tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name)
    change(source)
    out = folder / "dist"
    isolated = ["--no-build-isolation", "--python", sys.executable]
    subprocess.run([_UV, "build", "--quiet", *isolated, "--out-dir", out, source], check=True, capture_output=True)  # noqa: S603  uv
    return Built(next(out.glob("*.whl")), next(out.glob("*.tar.gz")))


def installed(folder: Path, wheel: Path) -> Environment:
    """Returns an environment with the wheel and what the wheel itself demands, at the lock's versions.

    uv has these versions in its cache since it made our own environment; asking the index for them would take longer
    than all else. So does compiling them again, where our own environment has the same files.
    """
    made = _empty(folder)
    install = [_UV, "--quiet", "pip", "install", "--python", made.python, "-c", ROOT / "requirements.lock"]
    wanted = f"{wheel}[spark]"
    if subprocess.run([*install, "--offline", wanted], check=False, capture_output=True).returncode:  # noqa: S603  uv
        subprocess.run([*install, wanted], check=True)  # noqa: S603  uv
    ours = Environment(Path(sys.executable).parents[1]).packages
    for compiled in ours.rglob("__pycache__"):  # Python looks at the time and size of the source before it takes one
        target = made.packages / compiled.relative_to(ours)
        if target.parent.is_dir() and not target.exists():
            shutil.copytree(compiled, target)
    return made
