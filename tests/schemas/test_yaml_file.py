"""A reviewed file is read as people read it; whatever else it holds ends with file and line, never with a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ContractInvalid
from schemas.yaml_file import read_yaml

REFUSED = {
    b"a: 1\nabout: x\x0by": ("control character", 2),
    b'a: 1\nabout: "x\\0y"': ("control character", 2),
    b'a: "\\ud800"': ("not valid YAML", 1),
    b'a: 1\nb: "\\U00110000"': ("not valid YAML", 2),
    b'a: "\\UFFFFFFFF"': ("not valid YAML", 1),
    b"a: 1\n\xff": ("not UTF-8 text", 2),
    b"a: 1\n? [a, b]\n: 1": ("a key that is no name", 2),
    b"a: 1\n? {a: b}\n: 1": ("a key that is no name", 2),
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
    b"a: " + b"[" * 2000: ("nested more than 50 levels", 1),
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
