"""Reads a reviewed YAML file: what stands there is what runs, so no anchors, no repeated keys, no surprises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from schemas.errors import ContractInvalid

try:
    from yaml import CSafeLoader as SafeLoader  # libyaml's, which reads the same thirty times faster
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]


class _Reviewed(SafeLoader):
    """Loader of plain values; dates stay text so that types are the model's business."""


_Reviewed.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class YamlFile:
    """What a YAML file says, and the nodes that tell where it says so."""

    value: dict[str, object]
    root: yaml.Node


def read_yaml(path: Path) -> dict[str, object]:
    """Returns the mapping in a YAML file.

    Raises:
        ContractInvalid: the file is missing, is no mapping, repeats a key, or uses an anchor; with its line.
    """
    return read_nodes(path).value


def read_nodes(path: Path) -> YamlFile:
    """Returns the mapping in a YAML file together with its nodes.

    Raises:
        ContractInvalid: the file is missing, is no mapping, repeats a key, or uses an anchor; with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = None
    if text is None:
        raise ContractInvalid(
            "The file cannot be read as UTF-8 text.", not_done="Nothing ran.", where={"file": path.name}
        )
    problem, line = "", 0
    try:
        loader = _Reviewed(text)
        root = loader.get_single_node()
        problem, line = _unreviewable(text, root)
        if root is not None and not problem:
            return YamlFile(loader.construct_document(root), root)
    except yaml.YAMLError as error:
        problem, line = "is not valid YAML", _broken_at(text, error)
    raise ContractInvalid(f"The file {problem}.", not_done="Nothing ran.", where={"file": f"{path.name}:{line}"})


def _broken_at(text: str, error: yaml.YAMLError) -> int:
    """Returns the line of an error; PyYAML's own scanner names it, because libyaml points past the end of a file."""
    try:
        yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as named:
        error = named
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def _unreviewable(text: str, root: yaml.Node | None) -> tuple[str, int]:
    if not isinstance(root, yaml.MappingNode):
        return "does not hold a mapping", 1
    anchored = _anchored(text) if "&" in text else 0
    return ("uses an anchor or alias; write the value out", anchored) if anchored else _repeated_key(root)


def _anchored(text: str) -> int:
    """Returns the line of the first anchor; 0 where there is none."""
    found = (event.start_mark for event in yaml.parse(text, Loader=_Reviewed) if getattr(event, "anchor", None))
    mark = next(found, None)
    return mark.line + 1 if mark else 0


def _repeated_key(node: yaml.Node) -> tuple[str, int]:
    if isinstance(node, yaml.MappingNode):
        seen: set[object] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                return "has a list or a mapping as a key", key.start_mark.line + 1
            if key.value in seen:
                return "repeats a key", key.start_mark.line + 1
            seen.add(key.value)
            found = _repeated_key(value)
            if found[0]:
                return found
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            found = _repeated_key(value)
            if found[0]:
                return found
    return "", 0
