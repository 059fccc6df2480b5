"""A reviewed YAML file is read as PyYAML's own loader reads it, or refused with the line that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from expectations.suite import BUNDLED as SUITES
from schemas.contract_file import BUNDLED
from schemas.errors import ContractInvalid
from schemas.yaml_file import read_nodes, read_yaml


def places(node: yaml.Node) -> list[tuple[int, int, str]]:
    """Returns line, column and text of every scalar of a document, in its order."""
    if isinstance(node, yaml.ScalarNode):
        return [(node.start_mark.line, node.start_mark.column, node.value)]
    parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    return [place for part in parts for place in places(part)]


@pytest.mark.parametrize(
    "path",
    [*sorted(BUNDLED.glob("*.yaml")), *sorted(SUITES.glob("*.yaml"))],
    ids=lambda path: path.parent.name + path.stem,
)
def test_values_and_places_are_those_of_the_slow_loader(path: Path) -> None:
    """The fast loader reads the same values at the same lines and columns, Japanese text included."""
    text, read = path.read_text(encoding="utf-8"), read_nodes(path)
    assert read.value == yaml.safe_load(text)
    assert places(read.root) == places(yaml.compose(text, Loader=yaml.SafeLoader))


def test_dates_stay_text(tmp_path: Path) -> None:
    """What a value is stays the model's business."""
    path = tmp_path / "t.yaml"
    path.write_text("since: 2023-08-31\n表: [名前, 1]\n", encoding="utf-8")
    assert read_yaml(path) == {"since": "2023-08-31", "表": ["名前", 1]}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: [1,\nb: 2\n", 3, "is not valid YAML"),
        ("a: 1\n&a", 2, "is not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "is not valid YAML"),
        ("a: 1\nb: !strange 2\n", 2, "is not valid YAML"),
        ("a: \x07\n", 1, "is not valid YAML"),
        ("- 1\n", 1, "does not hold a mapping"),
        ("", 1, "does not hold a mapping"),
        ("a: 1\nb: &x 2\n", 2, "uses an anchor or alias"),
        ("a: {b: 1,\n  b: 2}\n", 2, "repeats a key"),
        ("a: 1\n[b]: 2\n", 2, "has a list or a mapping as a key"),
    ],
)
def test_what_cannot_be_reviewed_is_refused(tmp_path: Path, text: str, line: int, said: str) -> None:
    """A broken or surprising file is refused with what is wrong and its line, never with a value of it."""
    path = tmp_path / "t.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractInvalid, match=said) as refused:
        read_yaml(path)
    assert refused.value.where == {"file": f"t.yaml:{line}"}
    assert refused.value.__context__ is None
