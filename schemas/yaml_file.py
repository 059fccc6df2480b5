"""Reads a reviewed YAML file: what is written there is what runs, so no anchors, no repeated keys, no surprises."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from schemas.errors import ContractInvalid

try:
    from yaml import CSafeLoader as SafeLoader  # libyaml's, which reads the same thirty times faster
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]


class _Reviewed(SafeLoader):
    """Loader of plain values; dates, `=` and `<<` are text, so that types are the model's business."""


_LEFT_AS_TEXT: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("timestamp", "value", "merge"))
_Reviewed.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _LEFT_AS_TEXT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

_DEEPEST: Final = 50
"""Levels of nesting; a file of thousands would exhaust the stack."""
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""What nobody sees or types; NEL and U+2028 end lines for YAML and not for people, so that no line would be right."""
_BOOL, _INT, _FLOAT, _TEXT = (f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "str"))
_BOOLS: Final = frozenset({"true", "false"})
_PLAIN_NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9_]{0,99})")
"""Whole numbers that a person and YAML 1.1 read alike: 010 is eight there, and 12:30 is 750."""


@dataclass(frozen=True, slots=True)
class YamlFile:
    """What a YAML file says, and the nodes that tell where it says so."""

    value: dict[str, object]
    root: yaml.Node


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file cannot be reviewed, as the rest of a sentence that begins with `The file`; the line counts from 1."""

    what: str
    line: int


def read_yaml(path: Path) -> dict[str, object]:
    """Returns the mapping in a YAML file.

    Raises:
        ContractInvalid: see `read_nodes`.
    """
    return read_nodes(path).value


def read_nodes(path: Path) -> YamlFile:
    """Returns the mapping in a YAML file together with its nodes.

    Raises:
        ContractInvalid: the file is missing, is no mapping, or holds something that people and YAML read differently,
            such as a repeated key, an anchor, a tag, or `no` as a name; with its line.
    """
    text, fault = read_text(path)
    read = fault or parse(text)
    if isinstance(read, YamlFile):
        return read
    where = {"file": f"{path.name}:{read.line}"}
    raise ContractInvalid(f"The file {read.what}.", not_done="Nothing ran.", where=where)


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


def unprintable_at(text: str) -> int:
    """Returns the line of the first character that nobody can see or type; 0 where there is none."""
    found = _UNPRINTABLE.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 0


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


def parse(text: str) -> YamlFile | Fault:
    """Returns the mapping in a text of YAML together with its nodes, or why it cannot be reviewed."""
    line = unprintable_at(text)
    if line:
        return Fault("is not valid YAML: it holds a control character", line)
    try:
        for what, line in _faults_of_events(text):
            if what:
                return Fault(what, line)
        loader = _Reviewed(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            return Fault("does not hold a mapping", 1)
        fault = next((Fault(what, at) for what, at in _faults(root) if what), None)
        return fault or YamlFile(loader.construct_document(root), root)
    except yaml.YAMLError as error:
        line = _broken_at(text, error)
    except Exception:  # noqa: BLE001, S110  whatever else the library stumbles over is in the file; its text quotes it
        pass
    return Fault("is not valid YAML", line)


def _faults_of_events(text: str) -> Iterator[tuple[str, int]]:
    """Yields for each event what must not be written so, with its line, before nodes are made of it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Reviewed):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        what = f"is nested more than {_DEEPEST} levels deep" if depth > _DEEPEST else ""
        if getattr(event, "anchor", None):
            what = "uses an anchor or alias; write the value out"
        elif getattr(event, "tag", None):
            what = "is not valid YAML: it uses a tag (!); write the value without it"
        yield what, event.start_mark.line + 1 if event.start_mark else 1


def _broken_at(text: str, error: yaml.YAMLError) -> int:
    """Returns the line of an error; PyYAML's own scanner names it, because libyaml points past the end of a file."""
    try:
        yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as named:
        error = named
    except Exception:  # noqa: BLE001, S110  that scanner stumbles over escapes which libyaml names
        pass
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


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
        return "has a list or a mapping as a key"
    if key.tag not in {_TEXT, _BOOL}:
        return "has a key that YAML reads as something else than text, such as a number; write it in quotes"
    if key.tag == _BOOL:
        return f"has a key that is no text: {_read_as(key)}; write it in quotes"
    return _misread(key)


def _misread(node: yaml.ScalarNode) -> str:
    if _UNPRINTABLE.search(node.value):
        return "is not valid YAML: it holds a control character"
    if node.tag == _BOOL and node.value.lower() not in _BOOLS:
        return f"holds a word that is no text: {_read_as(node)}; write it in quotes if it is a word, else true or false"
    number = node.tag == _INT and not _PLAIN_NUMBER.fullmatch(node.value)
    if number or (node.tag == _FLOAT and ":" in node.value):
        return "holds a number that YAML reads otherwise than people, such as 010 or 12:30; write it in quotes"
    return ""


def _read_as(word: yaml.ScalarNode) -> str:
    return f"YAML reads {word.value} as {str(yaml.SafeLoader.bool_values[word.value.lower()]).lower()}"
