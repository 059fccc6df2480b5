"""Edits a contract's text in place, comments and layout untouched, and shows the edit as a unified diff to apply."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import yaml

from schemas.reviewed import NAME
from schemas.yaml_text import yaml_name, yaml_text

_NAMES_COLUMNS: Final = ("key", "cluster_by", "reconcile", "joins", "derive", "load")
"""Keys of a contract whose values may name columns."""


class EditKind(StrEnum):
    """What an edit does to a contract."""

    ADD = "add"
    REMOVE = "remove"
    RENAME = "rename"
    RETYPE = "retype"
    ALLOW_NULL = "allow_null"
    MOVE_SOURCE = "move_source"


@dataclass(frozen=True)
class Edit:
    """One change of a contract.

    Attributes:
        kind: what is done.
        column: the column in question; empty for MOVE_SOURCE.
        value: the line to add, the new name, the new type, or the new `schema.table`.
    """

    kind: EditKind
    column: str = ""
    value: str = ""


def yaml_type(text: str) -> str:
    """Returns a type as a contract spells it: quoted where a comma would end the value in YAML's braces."""
    return f'"{text}"' if "," in text else text


def patched(text: str, edits: Sequence[Edit]) -> str:
    """Returns the contract's text after all edits; an edit whose place is not there changes nothing."""
    for edit in edits:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if isinstance(root, yaml.MappingNode):
            text = _EDITS[edit.kind](text, root, edit)
    return text


def unified_diff(before: str, after: str, path: str) -> str:
    """Returns the difference of two texts in the form that `git apply` takes; empty where there is none."""
    lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
    shown = difflib.unified_diff(*lines, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in shown)


def _pair(mapping: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    if not isinstance(mapping, yaml.MappingNode):
        return None
    return next(((name, value) for name, value in mapping.value if name.value == key), None)


def _under(root: yaml.Node, *keys: str) -> yaml.Node | None:
    node: yaml.Node | None = root
    for key in keys:
        pair = _pair(node, key)
        node = pair[1] if pair else None
    return node


def _with(text: str, node: yaml.Node | None, new: str) -> str:
    if node is None:
        return text
    return text[: node.start_mark.index] + new + text[node.end_mark.index :]


def _lines_of(columns: yaml.MappingNode, text: str, name: str) -> tuple[int, int] | None:
    """Returns the first line of a column and the one after its last."""
    pair = _pair(columns, name)
    if pair is None:
        return None
    end = pair[1].end_mark
    in_a_block = isinstance(pair[1], yaml.CollectionNode) and not pair[1].flow_style
    last = end.line if in_a_block else end.line + 1  # a block ends where the next thing begins
    lines = text.splitlines()
    last = max(last, pair[0].start_mark.line + 1)
    while last - 1 > pair[0].start_mark.line and not lines[last - 1].strip():
        last -= 1
    return pair[0].start_mark.line, last


def _add(text: str, root: yaml.Node, edit: Edit) -> str:
    columns = _under(root, "columns")
    if not isinstance(columns, yaml.MappingNode) or not columns.value:
        return text
    last = columns.value[-1][0]
    found = _lines_of(columns, text, str(last.value))
    lines = text.splitlines(keepends=True)
    end = found[1] if found else len(lines)
    if lines and not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    lines.insert(end, " " * last.start_mark.column + edit.value + "\n")
    return "".join(lines)


def _remove(text: str, root: yaml.Node, edit: Edit) -> str:
    columns = _under(root, "columns")
    found = _lines_of(columns, text, edit.column) if isinstance(columns, yaml.MappingNode) else None
    if found is None:
        return text
    lines = text.splitlines(keepends=True)
    return "".join(lines[: found[0]] + lines[found[1] :])


def _rename(text: str, root: yaml.Node, edit: Edit) -> str:
    """Renames a column, and every place of the contract that names it.

    A column that is published under a name of its own keeps it, and one whose new name contracts do not publish keeps
    the old one: then only the column's key changes.
    """
    pair = _pair(_under(root, "columns"), edit.column)
    if pair is None:
        return text
    published = _under(pair[1], "publish_as") is not None
    named, keeps = [pair[0]], published or not NAME.match(edit.value)
    for key in () if keeps else _NAMES_COLUMNS:
        named += _scalars(_under(root, key), edit.column)
    if keeps and not published and _mapping(pair[1]):
        first = pair[1].value[0][0].start_mark.index
        text = f"{text[:first]}publish_as: {yaml_name(edit.column)}, {text[first:]}"
    for node in sorted(named, key=lambda one: -one.start_mark.index):
        text = _with(text, node, yaml_name(edit.value))
    return text


def _mapping(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode) and bool(node.flow_style) and bool(node.value)


def _scalars(node: yaml.Node | None, value: str) -> Iterator[yaml.Node]:
    """Yields the names of columns below a node: of mappings their keys too, but not what `joins` leads to."""
    if isinstance(node, yaml.ScalarNode) and node.value == value:
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _scalars(one, value)
    elif isinstance(node, yaml.MappingNode):
        for name, one in node.value:
            yield from _scalars(name, value)
            yield from _scalars(one, value)


def _retype(text: str, root: yaml.Node, edit: Edit) -> str:
    return _with(text, _under(root, "columns", edit.column, "type"), yaml_type(edit.value))


def _allow_null(text: str, root: yaml.Node, edit: Edit) -> str:
    return _with(text, _under(root, "columns", edit.column, "nullable"), "true")


def _move_source(text: str, root: yaml.Node, edit: Edit) -> str:
    return _with(text, _under(root, "source"), yaml_text(edit.value))


_EDITS: Final = {
    EditKind.ADD: _add,
    EditKind.REMOVE: _remove,
    EditKind.RENAME: _rename,
    EditKind.RETYPE: _retype,
    EditKind.ALLOW_NULL: _allow_null,
    EditKind.MOVE_SOURCE: _move_source,
}
