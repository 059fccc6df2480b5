"""Reads a reviewed YAML file: what stands there is what runs, so no anchors, no repeated keys, no surprises."""

from __future__ import annotations

from pathlib import Path

import yaml

from schemas.errors import ContractInvalid


class _Reviewed(yaml.SafeLoader):
    """SafeLoader that refuses repeated keys; dates stay text so that types are the model's business."""


_Reviewed.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> dict[str, object]:
    """Returns the mapping in a YAML file.

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
        root = yaml.compose(text, Loader=_Reviewed)
    except yaml.MarkedYAMLError as error:
        root, problem = None, "is not valid YAML"
        line = error.problem_mark.line + 1 if error.problem_mark else 0
    if not problem:
        problem, line = _unreviewable(text, root)
    if problem:
        raise ContractInvalid(f"The file {problem}.", not_done="Nothing ran.", where={"file": f"{path.name}:{line}"})
    value: dict[str, object] = yaml.load(text, Loader=_Reviewed)  # noqa: S506  _Reviewed is a SafeLoader
    return value


def _unreviewable(text: str, root: yaml.Node | None) -> tuple[str, int]:
    if not isinstance(root, yaml.MappingNode):
        return "does not hold a mapping", 1
    for event in yaml.parse(text, Loader=_Reviewed):
        if getattr(event, "anchor", None):
            return "uses an anchor or alias; write the value out", (
                event.start_mark.line + 1 if event.start_mark else 0
            )
    return _repeated_key(root)


def _repeated_key(node: yaml.Node) -> tuple[str, int]:
    if isinstance(node, yaml.MappingNode):
        seen: set[object] = set()
        for key, value in node.value:
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
