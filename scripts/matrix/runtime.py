"""The runtimes that the package promises to run on, each as an environment of its own."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.deploy.packaging.environment import install_package

ROOT: Final = Path(__file__).resolve().parents[2]
HERE: Final = Path(__file__).parent
TESTS: Final = (
    "tests/masking", "tests/schemas", "tests/expectations", "tests/etl/plan", "tests/etl/stage", "tests/etl/audit",
    "tests/etl/publish", "tests/etl/run/test_daily.py",
)  # fmt: skip
"""What runs everywhere: every rule of masking and contracts, and the steps of a load on real servers."""
_SHOWN: Final = ("pyspark", "numpy", "pandas", "pyarrow")
_UV: Final = Path(sys.executable).with_name("uv")
_TESTS_SECONDS: Final = 3600


@dataclass(frozen=True)
class Trial:
    """What came of one runtime.

    Attributes:
        versions: of Python, Spark, numpy, pandas and pyarrow.
        published: a digest of all values in every published table and view.
    """

    runtime: str
    versions: tuple[str, ...]
    exit_code: int
    seconds: float
    published: str
    tests_passed: int
    tests_failed: int

    @property
    def passed(self) -> bool:
        """Whether the day was loaded and no test failed."""
        return self.exit_code == 0 and self.tests_failed == 0


@dataclass(frozen=True)
class Runtime:
    """A Python with the libraries of one Glue version, or the newest of all.

    Attributes:
        name: of its lock, and of its environment.
        python: its version, as 3.11.
        lock: what it has.
    """

    name: str
    python: str
    lock: Path

    @property
    def folder(self) -> Path:
        """Where its environment is."""
        return ROOT / ".venv-matrix" / self.name

    @property
    def interpreter(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    def make(self) -> None:
        """Installs what its lock says, if that has changed, and this package as the wheel holds it."""
        made_from, wanted = self.folder / ".made-from", hashlib.sha256(self.lock.read_bytes()).hexdigest()
        if not made_from.is_file() or made_from.read_text(encoding="ascii") != wanted:
            _uv("venv", "--clear", "--python", _python(self.python), str(self.folder))
            _uv("pip", "install", "--python", str(self.interpreter), "--require-hashes", "-r", str(self.lock))
            made_from.write_text(wanted, encoding="ascii")
        install_package(self.folder / "lib" / f"python{self.python}" / "site-packages", "", ROOT)

    def versions(self) -> tuple[str, ...]:
        """Returns the versions that a `Trial` tells."""
        tell = (
            "import platform; from importlib.metadata import version; "
            f"print(platform.python_version(), *map(version, {_SHOWN}))"
        )
        return tuple(self._run("-c", tell, cwd=ROOT).stdout.split())

    def load(self, day: str, settings: Path, cwd: Path) -> int:
        """Runs the daily load from the installed package, outside the checkout; returns its exit code."""
        return self._run("-m", "etl.cli", "run", "--day", day, "--settings", str(settings), cwd=cwd).returncode

    def tested(self) -> tuple[int, int]:
        """Runs the part of the tests that every runtime must pass; returns how many passed and failed."""
        said = self._run("-m", "pytest", *TESTS, cwd=ROOT, PYTHONPATH=str(ROOT)).stdout
        *lines, last = said.strip().splitlines() or [""]
        failures = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
        print(*failures, last, sep="\n", file=sys.stderr, flush=True)
        counts = {what: int(number) for number, what in re.findall(r"(\d+) (passed|failed|error)", last)}
        return counts.get("passed", 0), counts.get("failed", 0) + counts.get("error", 0) + (not counts)

    def _run(self, *arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYSPARK", "SPARK"))
        }
        path = f"{self.folder / 'bin'}:{kept['PATH']}"
        return subprocess.run(
            [self.interpreter, *arguments],
            cwd=cwd,
            env={**kept, "PATH": path, "PYSPARK_PYTHON": str(self.interpreter), **variables},
            stdout=subprocess.PIPE,
            text=True,
            timeout=_TESTS_SECONDS,
            check=False,
        )


def _python(version: str) -> str:
    """Returns pyenv's Python of a version, which may not be on the path; else the version, which uv finds or gets."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return str(max(pyenv.glob(f"versions/{version}.*/bin/python"), default=version))


def _uv(*arguments: str) -> None:
    subprocess.run([_UV, "--quiet", *arguments], check=True)


def _listed() -> tuple[Runtime, ...]:
    """Returns the runtime of `make test`, whose lock stands at the top, and those whose locks are here."""
    others = []
    for wanted in sorted(HERE.glob("*.txt")):
        python = re.search(r"^# Python (\S+)$", wanted.read_text(encoding="utf-8"), re.MULTILINE)
        if python is None:
            raise ValueError(f"{wanted.name} does not say which Python it is for.")
        others.append(Runtime(wanted.stem, python[1], wanted.with_suffix(".lock")))
    return (Runtime("glue-5.1", "3.11", ROOT / "requirements-dev.lock"), *others)


RUNTIMES: Final = _listed()
