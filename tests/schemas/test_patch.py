"""Edits change what they are for and nothing else, and their diff is one that `git apply` takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from schemas.contract_file import BUNDLED, load_contract
from schemas.patch import Edit, EditKind, patched, unified_diff

TEXT = """\
# yaml-language-server: $schema=./contract.schema.json
table: members
source: issuing.members
load: {mode: partition, by: registered_on}
key: [member_id]
joins: {member_id: cards.member_id}
columns:
  member_id:   {type: int64, nullable: false}  # the key
  preferences:
    type: json
    mask:
      fields:
        theme: {strategy: keep}

  limit:       {type: "numeric(12,0)"}
  last:
    type: string
derive:
  registered_on: {type: date, from: member_id}
"""


def edited(*edits: Edit, text: str = TEXT) -> list[str]:
    """Returns the changed lines of the diff."""
    diff = unified_diff(text, patched(text, edits), "schemas/members.yaml")
    return [line for line in diff.splitlines() if line[0] in "+-" and line[:3] not in {"+++", "---"}]


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        (Edit(EditKind.ADD, "new", "new: {type: string}"), ["+  new: {type: string}"]),
        (
            Edit(EditKind.REMOVE, "preferences"),
            ["-  preferences:", "-    type: json", "-    mask:", "-      fields:", "-        theme: {strategy: keep}"],
        ),
        (Edit(EditKind.REMOVE, "last"), ["-  last:", "-    type: string"]),
        (Edit(EditKind.REMOVE, "limit"), ['-  limit:       {type: "numeric(12,0)"}']),
        (
            Edit(EditKind.RETYPE, "limit", "numeric(14,2)"),
            ['-  limit:       {type: "numeric(12,0)"}', '+  limit:       {type: "numeric(14,2)"}'],
        ),
        (Edit(EditKind.RETYPE, "last", "int64"), ["-    type: string", "+    type: int64"]),
        (
            Edit(EditKind.ALLOW_NULL, "member_id"),
            ["-  member_id:   {type: int64, nullable: false}  # the key",
             "+  member_id:   {type: int64, nullable: true}  # the key"],
        ),
        (Edit(EditKind.MOVE_SOURCE, "", "new.members"), ["-source: issuing.members", "+source: new.members"]),
        (Edit(EditKind.REMOVE, "nowhere"), []),
    ],
    ids=lambda value: f"{value.kind} {value.column}" if isinstance(value, Edit) else "",
)  # fmt: skip
def test_an_edit_changes_its_lines_only(edit: Edit, lines: list[str]) -> None:
    """Comments, blank lines, order and layout of everything else stay."""
    assert edited(edit) == lines


def test_a_renamed_column_is_renamed_wherever_the_contract_names_it() -> None:
    """Key, joins and derived columns follow; the table that a join leads to keeps its own name."""
    new = patched(TEXT, [Edit(EditKind.RENAME, "member_id", "person_id")])
    read = yaml.safe_load(new)
    assert read["key"] == ["person_id"]
    assert read["joins"] == {"person_id": "cards.member_id"}
    assert next(iter(read["columns"])) == "person_id"
    assert read["derive"]["registered_on"]["from"] == "person_id"


def test_a_contract_without_a_last_line_break_takes_a_line() -> None:
    """The line stands on its own, at the columns' indentation."""
    assert edited(Edit(EditKind.ADD, "b", "b: {}"), text="columns:\n    a: {type: string}") == [
        "-    a: {type: string}",
        "+    a: {type: string}",
        "+    b: {}",
    ]


def test_the_diff_applies(tmp_path: Path) -> None:
    """`git apply` takes the diff of a bundled contract, and what comes out is a contract."""
    before = (BUNDLED / "members.yaml").read_text(encoding="utf-8")
    (tmp_path / "members.yaml").write_text(before, encoding="utf-8")
    edits = [
        Edit(EditKind.REMOVE, "preferences"),
        Edit(EditKind.RETYPE, "gender", "string"),
        Edit(EditKind.ADD, "x", "x: {type: string, class: free_text, mask: {strategy: drop}}"),
    ]
    diff = unified_diff(before, patched(before, edits), "members.yaml")
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff.encode(), check=True)  # noqa: S607
    contract = load_contract(tmp_path / "members.yaml")
    assert "preferences" not in contract.columns
    assert str(contract.columns["gender"].type) == "string"
    assert list(contract.columns)[-1] == "x"
