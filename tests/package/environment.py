"""The package as users get it: wheel and sdist built from tracked files, and environments that hold nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
        return next((self.folder / "lib").glob("python3.*/site-packages"))

    def run(self, *command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs one of its programs to the end, somewhere outside the checkout.

        Args:
            command: a program of the environment by name, then its arguments.
            cwd: where.
            variables: set in addition.
        """
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYSPARK", "VIRTUAL"))
        }
        return subprocess.run(  # noqa: S603  our own package
            [self.folder / "bin" / command[0], *command[1:]],
            cwd=cwd,
            env={**kept, "PATH": f"{self.folder / 'bin'}:{kept['PATH']}", **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )


def tracked_files() -> list[str]:
    """Returns what git tracks of the packages."""
    listed = subprocess.run(  # noqa: S603  git
        ["git", "ls-files", *PACKAGES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.splitlines()


def build(folder: Path) -> Built:
    """Builds sdist and wheel from a copy of what git tracks, the wheel out of the sdist as an index user gets it."""
    source = folder / "source"
    source.mkdir(parents=True)
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S607
    subprocess.run(  # noqa: S603  a copy of the work tree's tracked files
        ["cp", "--parents", "--target-directory", source, "--", *names.decode().rstrip("\0").split("\0")],  # noqa: S607
        cwd=ROOT,
        check=True,
    )
    out = folder / "dist"
    subprocess.run(  # noqa: S603  our own package
        [_UV, "build", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", out, source],
        check=True,
        capture_output=True,
    )
    return Built(next(out.glob("*.whl")), next(out.glob("*.tar.gz")))


def environment(folder: Path, *wheels: Path) -> Environment:
    """Makes an environment with what the lock names, and the given wheels."""
    made = Environment(folder)
    quiet = [_UV, "--quiet"]
    subprocess.run([*quiet, "venv", "--python", sys.executable, folder], check=True)  # noqa: S603
    install = [*quiet, "pip", "install", "--python", made.python]
    subprocess.run([*install, "--require-hashes", "-r", ROOT / "requirements.lock"], check=True)  # noqa: S603
    if wheels:
        subprocess.run([*install, "--no-deps", *wheels], check=True)  # noqa: S603
    return made
