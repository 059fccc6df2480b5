"""The structure keeps its promises: imports point one way, and only the audit makes an `Approved`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("jobs", "etl", "schemas", "masking", "expectations")
MAY_IMPORT = {
    "jobs": {"jobs", "etl", "schemas", "masking", "expectations"},
    "etl": {"etl", "schemas", "masking", "expectations"},
    "schemas": {"schemas", "masking"},
    "masking": {"masking"},
    "expectations": {"expectations", "schemas"},
}
NOT_HERE = {
    "masking": {"pyspark", "boto3", "botocore", "google", "awsglue", "psycopg", "requests", "time"},
    "expectations": {"pyspark", "boto3", "botocore", "google", "awsglue", "psycopg"},
    "schemas": {"pyspark", "boto3", "botocore", "google", "awsglue", "psycopg"},
    "etl": {"awsglue"},
}


@cache
def modules(package: str) -> tuple[tuple[Path, ast.Module], ...]:
    """Returns every module of a package, parsed."""
    paths = sorted((ROOT / package).rglob("*.py"))
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """Returns every node of a module."""
    return tuple(ast.walk(tree))


def imported(tree: ast.Module) -> set[str]:
    """Returns the first parts of all names that a module imports, wherever in it."""
    found = set()
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    """Jobs → etl → schemas → masking | expectations → third party, and never back."""
    for path, tree in modules(package):
        own = imported(tree) & {*PACKAGES, "scripts", "tests"}
        assert own <= MAY_IMPORT[package], f"{path.relative_to(ROOT)} imports {sorted(own - MAY_IMPORT[package])}"


@pytest.mark.parametrize("package", sorted(NOT_HERE))
def test_the_inner_packages_know_no_cloud(package: str) -> None:
    """Masking, suites and contracts know no Spark, cloud, database or clock; Glue is imported in jobs only."""
    for path, tree in modules(package):
        outside = imported(tree) & NOT_HERE[package]
        assert not outside, f"{path.relative_to(ROOT)} imports {sorted(outside)}"


def test_only_the_audit_makes_an_approved() -> None:
    """`publish` takes an `Approved`, and no other module of the package constructs one."""
    makers = [
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path, tree in modules(package)
        if any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Approved"
            for node in nodes(tree)
        )
    ]
    assert makers == ["etl/audit/verdict.py"]


def test_an_approved_cannot_be_made_without_the_seal() -> None:
    """Whoever lacks the audit's seal gets an error, not a proof."""
    from etl.audit import Approved  # noqa: PLC0415  heavy import, only here

    with pytest.raises(TypeError):
        Approved(None, None, object())  # type: ignore[arg-type]


def test_modules_stay_small() -> None:
    """A module has one subject and fits on a few screens."""
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for package in PACKAGES
        for path, _ in modules(package)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert not long


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yields every function of a module, methods and inner ones too."""
    for node in nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_functions_of_a_run_stay_short() -> None:
    """The order of the steps can be read at a glance: no function of `etl/run` is over 40 lines, docstring and all."""
    long = {
        f"{path.stem}.{function.name}": lines
        for path, tree in modules("etl/run")
        for function in functions(tree)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > 40
    }
    assert not long


def depth(node: ast.AST) -> int:
    """Returns how deep blocks are nested in a node; an `elif` is no deeper than its `if`."""
    own = isinstance(node, ast.If | ast.For | ast.While | ast.With | ast.Try)
    deepest = 0
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                chained = name == "orelse" and isinstance(child, ast.If) and len(value) == 1
                deepest = max(deepest, depth(child) - chained)
    return deepest + own


def test_a_run_is_not_nested_deeply() -> None:
    """No function of `etl/run` nests blocks more than two levels deep."""
    nested = {
        f"{path.stem}.{function.name}": depth(function)
        for path, tree in modules("etl/run")
        for function in functions(tree)
        if depth(function) > 2
    }
    assert not nested


def is_dataclass(node: ast.AST) -> bool:
    """Tells whether a node defines a dataclass."""
    return isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(one) for one in node.decorator_list)


def test_large_dataclasses_are_filled_by_name() -> None:
    """Of more than five values handed to a dataclass, each is named, so that no two of one type can be swapped."""
    known = {node.name for _, tree in modules("etl") for node in nodes(tree) if is_dataclass(node)}
    swappable = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in modules("etl")
        for node in nodes(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in known and len(node.args) > 5
    ]
    assert not swappable
