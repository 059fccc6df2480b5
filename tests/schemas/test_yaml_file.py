"""A reviewed file is read as people read it; whatever else it holds ends with file and line, never with a traceback."""

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


REFUSED = {
    b"a: 1\nabout: x\x0by": ("control character", 2),
    b'a: 1\nabout: "x\\0y"': ("control character", 2),
    b"a: 1\nabout: x\xc2\x85y": ("control character", 2),
    b"a: 1\nabout: x\xe2\x80\xa8y": ("control character", 2),
    b'a: "\\ud800"': ("not valid YAML", 1),
    b'a: 1\nb: "\\U00110000"': ("not valid YAML", 2),
    b'a: "\\UFFFFFFFF"': ("not valid YAML", 1),
    b"a: 1\n\xff": ("not UTF-8 text", 2),
    b"a: 1\n? [a, b]\n: 1": ("a list or a mapping as a key", 2),
    b"a: 1\n? {a: b}\n: 1": ("a list or a mapping as a key", 2),
    b"a: !foo x": ("uses a tag", 1),
    b"a: !!binary x": ("uses a tag", 1),
    b"a: !!python/object:os.system x": ("uses a tag", 1),
    b"a: 1\nno: 2": ("YAML reads no as false; write it in quotes", 2),
    b"a: 1\nOn: 2": ("YAML reads On as true; write it in quotes", 2),
    b"a: 1\nnull: 2": ("something else than text", 2),
    b"a: 1\n12:30: 2": ("something else than text", 2),
    b"a:\n  - JP\n  - NO": ("YAML reads NO as false", 3),
    b"a: {b: off}": ("YAML reads off as false", 1),
    b"a: 1\nb: 010": ("a number that YAML reads otherwise", 2),
    b"a: [12:30]": ("a number that YAML reads otherwise", 1),
    b"a: 1:30.5": ("a number that YAML reads otherwise", 1),
    b"a: 0x_": ("a number that YAML reads otherwise", 1),
    b"a: " + b"9" * 5000: ("a number that YAML reads otherwise", 1),
    b"a: " + b"[" * 200: ("nested more than 50 levels", 1),
    b"a: " + b"[" * 2000: ("", 1),  # libyaml itself may give up before we do
    b"a: &x 1\nb: *x": ("anchor", 1),
    b"a: 1\na: 2": ("repeats a key", 2),
    b"a: 1\n---\nb: 2": ("not valid YAML", 2),
    b"%YAML 9.9\n---\na: 1": ("not valid YAML", 1),
    b"": ("does not hold a mapping", 1),
    b"- a": ("does not hold a mapping", 1),
    b"\x00": ("control character", 1),
}


@pytest.mark.parametrize("raw", REFUSED)
def test_what_people_and_yaml_read_differently_is_refused_with_its_line(raw: bytes, tmp_path: Path) -> None:
    """Any such file is a contract that must change (exit code 2), and the error says where."""
    what, line = REFUSED[raw]
    path = tmp_path / "orders.yaml"
    path.write_bytes(raw)
    with pytest.raises(ContractInvalid) as refused:
        read_yaml(path)
    assert what in refused.value.what
    assert refused.value.where == {"file": f"orders.yaml:{line}"}
    assert refused.value.exit_code == 2


def test_what_everybody_reads_alike_is_taken(tmp_path: Path) -> None:
    """Signs that YAML once gave a meaning are text, and so are dates; quotes make text of anything."""
    path = tmp_path / "orders.yaml"
    text = 'fill: =\n"no": "12:30"\nday: 2023-08-31\nmany: 1_000\nnullable: False\nnone: null\n'
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_yaml(path) == {
        "fill": "=", "no": "12:30", "day": "2023-08-31", "many": 1000, "nullable": False, "none": None,
    }  # fmt: skip
