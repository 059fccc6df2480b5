"""The house keeps its plan: who may import whom is one literal table, and a room is entered through its face."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ETL = ROOT / "etl"
MAY_IMPORT = {
    "errors": set(),
    "typed": set(),
    "clock": set(),
    "logs": set(),
    "spark": {"logs"},
    "settings": {"errors"},
    "retries": {"errors"},
    "progress": {"clock"},
    "cloud": {"settings", "retries", "errors"},
    "keys": {"cloud", "errors"},
    "ledger": {"cloud", "settings", "retries", "clock", "errors"},
    "source": {"cloud", "settings", "retries", "errors"},
    "plan": {"source", "ledger", "clock", "errors"},
    "stage": {"plan", "source", "keys", "cloud", "retries", "logs", "clock", "errors"},
    "audit": {"stage", "ledger", "cloud", "spark", "settings", "retries", "clock", "errors"},
    "publish": {"audit", "stage", "plan", "ledger", "cloud", "settings", "clock", "errors"},
    "exports": {"ledger", "progress", "settings", "clock"},
    "installation": {"ledger", "keys", "cloud", "settings", "errors"},
    "workers": {"installation", "source", "keys", "cloud", "spark", "settings", "retries", "errors"},
    "site": {"installation", "reports", "ledger", "cloud", "settings"},
    "run": {
        "site", "reports", "installation", "workers", "exports", "publish", "audit", "stage", "plan", "source",
        "ledger", "keys", "cloud", "spark", "progress", "settings", "clock", "errors",
    },
    "upkeep": {
        "installation", "workers", "publish", "audit", "stage", "plan", "source", "ledger", "keys", "cloud", "spark",
        "progress", "settings", "retries", "clock", "errors",
    },
    "reports": {"publish", "stage", "plan", "source", "ledger", "cloud", "settings", "clock", "errors"},
    "authoring": {"plan", "source", "settings", "errors"},
    "entry": {"run", "spark", "workers", "publish", "progress", "settings", "typed", "clock", "errors", "logs"},
    "cli": {
        "entry", "installation", "run", "site", "upkeep", "reports", "exports", "authoring", "ledger", "keys",
        "settings", "progress", "typed", "errors",
    },
}  # fmt: skip
"""Room → the rooms that it imports from; a line is exactly what the code does, so a new arrow is a decision."""
FACES = (
    "etl.cloud.bigquery", "etl.cloud.storage", "etl.keys", "etl.ledger", "etl.source.jdbc", "etl.source", "etl.plan",
    "etl.stage", "etl.audit", "etl.publish", "etl.workers",
)  # fmt: skip
"""Packages whose `__init__` names what others may use; `run`, `upkeep`, `reports` and `authoring` are shelves of
commands that are imported one by one."""
MOST_FILES, MOST_MODULES, MOST_LINES = 10, 15, 1500


@cache
def modules(folder: Path = ETL) -> tuple[tuple[str, Path], ...]:
    """Returns the dotted name and the path of every module below a folder."""
    return tuple(
        (".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path)
        for path in sorted(folder.rglob("*.py"))
    )


@cache
def imports(path: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Returns each import of ours in a module, wherever in it: the module and the names taken from it."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "etl":
            yield node.module, tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names if alias.name.split(".")[0] == "etl")


def room(module: str) -> str:
    """Returns the room of a module: the second part of its name."""
    return module.split(".")[1] if "." in module else ""


def imported_rooms(of: str) -> set[str]:
    """Returns the other rooms that the modules of a room import from."""
    found = {room(target) for name, path in modules() if room(name) == of for target, _ in imports(path)}
    return found - {of}


@pytest.mark.parametrize("name", sorted({room(module) for module, _ in modules()} - {""}))
def test_a_room_imports_what_its_line_says(name: str) -> None:
    """The table has a line for each room, and the line is what the room's modules import: no arrow more, none less."""
    assert imported_rooms(name) == MAY_IMPORT[name]


def test_the_table_has_no_circle_and_no_line_too_many() -> None:
    """The rooms can be put in an order in which each imports earlier ones only."""
    order = list(TopologicalSorter(MAY_IMPORT).static_order())
    assert set(order) == {room(module) for module, _ in modules()} - {""}


@pytest.mark.parametrize("face", FACES)
def test_a_room_is_entered_through_its_face(face: str) -> None:
    """Other packages, jobs and scripts import what the face names, from the face; modules behind it are the room's."""
    strangers = [
        f"{path.relative_to(ROOT)} imports {target}"
        for folder in (ETL, ROOT / "jobs", ROOT / "scripts")
        for name, path in modules(folder)
        if not inside(name, face)
        for target, _ in imports(path)
        if target.startswith(f"{face}.") and not any(target == other for other in FACES)
    ]
    assert not strangers


def inside(module: str, face: str) -> bool:
    """Tells whether a module belongs to a face's room; JDBC is a room of its own only for those outside `source`."""
    home = "etl.source" if face.startswith("etl.source") else face
    return module == home or module.startswith(f"{home}.")


@pytest.mark.parametrize("face", FACES)
def test_a_face_names_what_others_use(face: str) -> None:
    """A face is its docstring, imports from its own modules and `__all__`, and each name of it is used by somebody."""
    path = ROOT / Path(*face.split(".")) / "__init__.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert all(isinstance(node, ast.Expr | ast.ImportFrom | ast.Assign) for node in tree.body)
    named = {name for target, names in imports(path) if target.startswith(face) for name in names}
    used = {
        name
        for folder in (ETL, ROOT / "jobs", ROOT / "scripts")
        for module, other in modules(folder)
        if not inside(module, face)
        for target, names in imports(other)
        if target == face
        for name in names
        if not path.with_name(f"{name}.py").exists()  # a module of the room: scripts reach for some
    }
    assert named == used


def test_folders_stay_small() -> None:
    """A newcomer sees the flow: few files on the ground, and rooms of a size that fits in a head; commands aside."""
    assert len(list(ETL.glob("*.py"))) <= MOST_FILES
    for folder in {path.parent for _, path in modules()} - {ETL, ETL / "cli"}:
        own = list(folder.glob("*.py"))
        assert len(own) <= MOST_MODULES, folder
        assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in own) <= MOST_LINES, folder


def test_every_module_can_be_imported_first() -> None:
    """No module depends on another's having been imported before: faces and lazy imports make no circle.

    Python imports a module's packages before it, so what a package has loaded when it is imported first is proven with
    it; each other module is imported in a fork of the process that has loaded its packages and nothing else of ours.
    """
    program = (
        "import gc, importlib, os, sys\n"
        "gc.disable()\n"
        "for name in ('google.cloud.bigquery', 'google.cloud.storage', 'pyspark.sql', 'great_expectations', 'boto3',\n"
        "             'adbc_driver_postgresql.dbapi', 'psycopg', 'pymysql', 'typer', 'rich.live',\n"
        "             'schemas.contract_file', 'expectations.suite'):\n"
        "    importlib.import_module(name)  # what takes time and is not ours to prove\n"
        "gc.freeze()  # forks copy no page for it\n"
        "def proven(name):\n"
        "    inside = [one for one in sys.argv[1:] if one.rpartition('.')[0] == name]\n"
        "    if name in sys.modules:\n"
        "        return 1 + sum(map(proven, inside))\n"
        "    told, tell = os.pipe()\n"
        "    if not os.fork():\n"
        "        count = 0\n"
        "        try:\n"
        "            importlib.import_module(name)\n"
        "            count = proven(name)\n"
        "        except BaseException as error:\n"
        "            print(name, type(error).__name__, flush=True)\n"
        "        os.write(tell, b'%d' % count)\n"
        "        os._exit(0)\n"
        "    os.close(tell)\n"
        "    with open(told) as pipe:\n"
        "        count = int(pipe.read())\n"
        "    os.wait()\n"
        "    return count\n"
        "print(proven('etl'))\n"
    )
    names = [name for name, _ in modules() if not name.endswith("__main__")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program, *names], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [str(len(names))]
