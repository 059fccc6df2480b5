"""Finds what is wrong with contracts, with file, line and column: first against the model, then against the policy."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from masking.policy import Profile, Rule
from schemas.contract import Contract
from schemas.errors import ContractInvalid
from schemas.namespaces import PRODUCT_DATASETS, contract_problems, view_problems
from schemas.policy import policy_findings
from schemas.yaml_file import line_of, read_nodes

CONTRACT_FITS = Rule(
    "KG100",
    "A contract is readable and fits the model.",
    "Kagemusha: what is reviewed is what runs",
    "Correct the file; an editor that reads contract.schema.json shows what fits.",
)
NAMES_FIT = Rule(
    "KG103",
    "Contracts publish outside the product's own datasets: ops and looker, unless the settings name others.",
    "Kagemusha: what is proven stays true",
    "Publish into a dataset of your own.",
)
VIEW_READS = Rule(
    "KG104",
    "A view is one SELECT over tables that contracts publish; it names no other table, dataset or function.",
    "Kagemusha: what is reviewed is what runs",
    "Name published tables as dataset.table; leave out other tables, statements and functions of datasets.",
)
SUITE_FITS = Rule(
    "KG101",
    "A suite speaks Great Expectations' vocabulary and names published columns.",
    "Kagemusha: what is reviewed is what runs",
    "Correct the suite; Great Expectations' gallery names expectations and their arguments.",
)
VIEW_FITS = Rule(
    "KG102",
    "A view is one query under a line that says what it answers.",
    "Kagemusha: what is reviewed is what runs",
    "Correct the file; schemas/views holds examples.",
)
_PLACE_IN_MESSAGE = re.compile(r"[a-z_]+(?:\.[^\s.:;,]+)*")
_MESSAGES = {"extra_forbidden": "there is no such key", "missing": "the key is missing"}
_LINE = re.compile(r":(\d+)$")


@dataclass(frozen=True, slots=True, order=True)
class Located:
    """A finding and where it stands; line and column count from 1."""

    path: str
    line: int
    column: int
    rule: str
    severity: str
    message: str
    clause: str
    todo: str


@dataclass(frozen=True, slots=True)
class LintedFile:
    """A file and the nodes of its YAML, by which findings get their places."""

    path: Path
    root: yaml.Node | None

    def locate(self, rule: Rule, message: str, keys: Sequence[object]) -> Located:
        """Places a finding at the deepest of the keys that the file has."""
        return self.at(rule, message, *line_of(self.root, keys))

    def at(self, rule: Rule, message: str, line: int, column: int = 1) -> Located:
        """Places a finding at a line and column."""
        return Located(str(self.path), line, column, rule.id, rule.severity.value, message, rule.clause, rule.todo)


ReadContract = tuple[LintedFile, Contract | None, list[Located]]
"""A file's nodes, its contract when it fits the model, and what does not fit."""


def lint(paths: Collection[Path], profile: Profile = Profile.PCI) -> tuple[Located, ...]:
    """Returns every finding about the contracts at the paths, in the order of files and lines.

    A contract is judged together with its neighbors in its folder, because joins and domains cross tables; findings
    about neighbors that were not named are left out. The views of a folder that is named are judged with it.

    Args:
        paths: contract files, or folders of them.
        profile: which rules apply.

    Raises:
        ContractInvalid: a path does not exist, or a folder holds no contract.
    """
    chosen = {file.resolve(): file for path in paths for file in contract_files(path)}
    neighbors = {file.resolve(): file for path in chosen.values() for file in path.parent.glob("*.yaml")}
    read = {path: read_contract(chosen.get(path, path)) for path in sorted({**neighbors, **chosen})}
    named = {str(path) for path in chosen.values()}
    found: list[Located] = []
    for folder in sorted({path.parent for path in chosen}):
        beside = [one for path, one in read.items() if path.parent == folder]
        found += (finding for finding in _lint_folder(beside, profile) if finding.path in named)
    for folder in {path for path in paths if path.is_dir()}:
        found += _lint_views(folder, [read[path.resolve()][1] for path in sorted(folder.glob("*.yaml"))])
    return tuple(sorted(found))


def contract_files(path: Path) -> list[Path]:
    """Returns the contract files at a path.

    Raises:
        ContractInvalid: there is none.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files or not (path.is_dir() or path.is_file()):
        raise ContractInvalid(
            "There is no contract at a path to lint.",
            not_done="Nothing was linted.",
            advice="Name a contract file or a folder of contracts.",
            where={"path": path},
        )
    return files


def _lint_folder(read: Iterable[ReadContract], profile: Profile) -> Iterator[Located]:
    contracts: dict[str, tuple[LintedFile, Contract]] = {}
    unread: set[str] = set()
    for file, contract, problems in read:
        yield from problems
        if contract is None:
            unread.add(file.path.stem)
            continue
        same = contract.publish.casefold()
        others = [other for _, other in contracts.values() if other.publish.casefold() == same]
        if others:
            message = f"contract {others[0].table} publishes {contract.publish} too"
            yield file.locate(CONTRACT_FITS, message, ("publish",))
        contracts[contract.table] = (file, contract)
    for finding in policy_findings([contract for _, contract in contracts.values()], profile, unread):
        file, contract = contracts[finding.table]
        name = (
            contract.source_names.get(finding.column, finding.column) if finding.part == "columns" else finding.column
        )
        yield file.locate(finding.rule, f"{finding.column}: {finding.message}", (finding.part, name, "mask"))
    for table, problem in contract_problems([one for _, one in contracts.values()], PRODUCT_DATASETS):
        file, _ = contracts[table]
        yield file.locate(NAMES_FIT, problem, ("publish",))


def _lint_views(folder: Path, read: Sequence[Contract | None]) -> Iterator[Located]:
    """Yields what the views of a folder name that its contracts do not publish.

    Where a contract cannot be read, nobody knows what it publishes: its own error is enough. A view that is no text is
    an error of its own too.
    """
    contracts = [contract for contract in read if contract is not None]
    if len(contracts) < len(read):
        return
    files = {path.stem: path for path in sorted((folder / "views").glob("*.sql"))}
    queries = {}
    for name, path in files.items():
        with suppress(UnicodeDecodeError):
            queries[name] = path.read_text(encoding="utf-8").strip().rstrip(";")
    for name, problem in view_problems(queries, contracts, PRODUCT_DATASETS):
        yield LintedFile(files[name], None).at(VIEW_READS, f"view {name} {problem}", 1)


def opened(path: Path, rule: Rule) -> tuple[dict[str, object] | None, LintedFile, list[Located]]:
    """Returns what a file holds and its nodes, or why it cannot be read."""
    unread = LintedFile(path, None)
    try:
        read = read_nodes(path)
    except ContractInvalid as error:
        line = _LINE.search(error.where.get("file", ""))
        return None, unread, [unread.at(rule, error.what, int(line.group(1)) if line else 1)]
    return read.value, LintedFile(path, read.root), []


def read_contract(path: Path) -> ReadContract:
    """Returns a file's nodes, its contract when it fits the model, and what does not fit."""
    raw, file, unread = opened(path, CONTRACT_FITS)
    if raw is None:
        return file, None, unread
    try:
        contract = Contract.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [
            problem for detail in details for problem in _problems(file, detail["type"], detail["loc"], detail["msg"])
        ]
        return file, None, problems
    if contract.table != path.stem:
        message = f"the contract is of table {contract.table}, so its file is named {contract.table}.yaml"
        return file, contract, [file.locate(CONTRACT_FITS, message, ("table",))]
    return file, contract, []


def _problems(file: LintedFile, kind: str, keys: Sequence[object], message: str) -> Iterator[Located]:
    """Yields one finding for each problem; a problem of the whole contract names its place at its beginning."""
    text = _MESSAGES.get(kind, message.removeprefix("Value error, "))
    if keys:
        yield file.locate(CONTRACT_FITS, f"{'.'.join(map(str, keys))}: {text}", keys)
        return
    for part in text.split("; "):
        place = _PLACE_IN_MESSAGE.match(part)
        yield file.locate(CONTRACT_FITS, part, place.group().split(".") if place else ())
