"""Reads a reviewed YAML file: what is written there is what runs, so no anchors, no repeated keys, no surprises."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from schemas.errors import ContractInvalid


class _Reviewed(yaml.SafeLoader):
    """SafeLoader in which dates, `=` and `<<` are text: their types are the model's business."""


_LEFT_AS_TEXT: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("timestamp", "value", "merge"))
_Reviewed.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _LEFT_AS_TEXT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

_DEEPEST: Final = 50
"""Levels of nesting; Python's own limit would end the process's recursion in the middle of a file."""
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_BOOL, _INT, _FLOAT, _TEXT = (f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "str"))
_BOOLS: Final = frozenset({"true", "false"})
_PLAIN_NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9_]{0,99})")
"""Whole numbers that a person and YAML 1.1 read alike: 010 is eight there, and 12:30 is 750."""


@dataclass(frozen=True)
class Fault:
    """Why a file cannot be reviewed, as the rest of a sentence that begins with `The file`; the line counts from 1."""

    what: str
    line: int


@dataclass(frozen=True)
class ReviewedFile:
    """The mapping that a file holds, and the nodes by which its parts are found again."""

    value: dict[str, object]
    root: yaml.Node


def read_yaml(path: Path) -> dict[str, object]:
    """Returns the mapping in a YAML file.

    Raises:
        ContractInvalid: see `open_yaml`.
    """
    return open_yaml(path).value


def open_yaml(path: Path) -> ReviewedFile:
    """Returns the mapping in a YAML file with its nodes.

    Raises:
        ContractInvalid: the file is missing, is no mapping, or holds something that people and YAML read differently,
            such as a repeated key, an anchor, a tag, or `no` as a name; with its line.
    """
    text, fault = read_text(path)
    if fault is None:
        found = _reviewed(text)
        if isinstance(found, ReviewedFile):
            return found
        fault = found
    raise ContractInvalid(
        f"The file {fault.what}.", not_done="Nothing ran.", where={"file": f"{path.name}:{fault.line}"}
    )


def read_text(path: Path) -> tuple[str, Fault | None]:
    """Returns the text of a file, or why it has none."""
    try:
        raw = path.read_bytes()
    except OSError:
        return "", Fault("cannot be read", 1)
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError as error:
        return "", Fault("is not UTF-8 text", raw.count(b"\n", 0, error.start) + 1)


def line_of(root: yaml.Node | None, keys: Sequence[object]) -> tuple[int, int]:
    """Returns line and column, from 1, of the deepest of the keys that exists; keys only the model knows are passed."""
    node, mark = root, root.start_mark if root is not None else None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            entry = next((pair for pair in node.value if pair[0].value == str(key)), None)
            if entry is not None:
                mark, node = entry[0].start_mark, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            mark = node.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _reviewed(text: str) -> ReviewedFile | Fault:
    try:
        loader = _Reviewed(text)
    except yaml.reader.ReaderError as error:
        return Fault("holds a control character", text.count("\n", 0, error.position) + 1)
    try:
        fault = _unreviewable_event(loader)
        if fault is not None:
            return fault
        loader = _Reviewed(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            return Fault("does not hold a mapping", 1)
        fault = next((Fault(what, line) for what, line in _faults(root) if what), None)
        return fault or ReviewedFile(loader.construct_document(root), root)
    except yaml.MarkedYAMLError as error:
        return Fault("is not valid YAML", error.problem_mark.line + 1 if error.problem_mark else loader.line + 1)
    except Exception:  # noqa: BLE001  whatever else the library stumbles over is in the file, and may be quoted
        return Fault("is not valid YAML", loader.line + 1)


def _unreviewable_event(loader: _Reviewed) -> Fault | None:
    """Returns the first thing that must not be written, before nodes are made of it."""
    depth = 0
    while loader.check_event():
        event: yaml.Event = loader.get_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            return Fault(f"is nested more than {_DEEPEST} levels deep", line)
        if getattr(event, "anchor", None):
            return Fault("uses an anchor or alias; write the value out", line)
        if getattr(event, "tag", None):
            return Fault("uses a tag (!); write the value without it", line)
    return None


def _faults(node: yaml.Node) -> Iterator[tuple[str, int]]:
    """Yields what is wrong with a node and those in it, with its line; the text is empty where nothing is."""
    if isinstance(node, yaml.ScalarNode):
        yield _misread(node), node.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _faults(value)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            yield _no_name(key) or ("repeats a key" if key.value in seen else ""), key.start_mark.line + 1
            seen.add(key.value)
            yield from _faults(value)


def _no_name(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        return "has a key that is no name"
    if key.tag not in {_TEXT, _BOOL}:
        return "has a key that YAML reads as something else than text, such as a number; write it in quotes"
    if key.tag == _BOOL:
        return f"has a key that is no text: {_read_as(key)}; write it in quotes"
    return _misread(key)


def _misread(node: yaml.ScalarNode) -> str:
    if _UNPRINTABLE.search(node.value):
        return "holds a control character"
    if node.tag == _BOOL and node.value.lower() not in _BOOLS:
        return f"holds a word that is no text: {_read_as(node)}; write it in quotes if it is a word, else true or false"
    number = node.tag == _INT and not _PLAIN_NUMBER.fullmatch(node.value)
    if number or (node.tag == _FLOAT and ":" in node.value):
        return "holds a number that YAML reads otherwise than people, such as 010 or 12:30; write it in quotes"
    return ""


def _read_as(word: yaml.ScalarNode) -> str:
    return f"YAML reads {word.value} as {str(yaml.SafeLoader.bool_values[word.value.lower()]).lower()}"
