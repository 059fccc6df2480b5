"""A proposed contract is valid as it stands, and drops what nobody can be sure of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from masking.policy import ColumnClass
from schemas.contract import Contract
from schemas.contract_file import load_contract, load_contracts
from schemas.lint import lint
from schemas.propose import LARGE, FoundColumn, FoundTable, propose
from schemas.types import ColumnType

KNOWN = load_contracts()


def column(name: str, kind: str = "string", *, never_null: bool = True, **more: object) -> FoundColumn:
    """Returns a column."""
    return FoundColumn(name, ColumnType.parse(kind), never_null, **more)  # type: ignore[arg-type]


def proposed(folder: Path, table: FoundTable, name: str = "t", known: Sequence[Contract] = ()) -> Contract:
    """Returns the proposal as the contract that it is, after linting its file."""
    path = folder / f"{name}.yaml"
    path.write_text(propose(table, name, known), encoding="utf-8")
    assert lint([path]) == ()
    return load_contract(path)


def test_unclear_columns_and_those_without_a_type_are_dropped(tmp_path: Path) -> None:
    """Flags, times, measures and the key are published; the rest does not leave the database."""
    table = FoundTable(
        "s.things",
        (
            column("thing_id", "int64"), column("is_open", "bool"), column("made_at", "timestamp"),
            column("amount", "numeric(12,2)"), column("what", "string"), FoundColumn("span", None, not_null=False),
            column("kubun", "string", length=2), column("shurui", "string", enum=True),
        ),
        ("thing_id",),
    )  # fmt: skip
    contract = proposed(tmp_path, table)
    assert list(contract.selected) == ["thing_id", "is_open", "made_at", "amount", "kubun", "shurui"]
    assert contract.columns["thing_id"].mask.model_dump()["domain"] == "thing"
    assert contract.reconcile == ("amount",)
    assert contract.load.mode == "full"


def test_names_in_any_script_and_words_of_yaml_are_named(tmp_path: Path) -> None:
    """Japanese and mixed-case names are decided as they are, dropped; `no` and `on` stay names."""
    names = ["会員番号", "電話番号", "custName", "no", "on", "null", 'it"s', "備考: 欄"]
    table = FoundTable("s.things", (column("id", "int64"), *(column(name) for name in names)), ("id",))
    contract = proposed(tmp_path, table, "things")
    assert list(contract.columns) == ["id", *names]
    assert list(contract.selected) == ["id"]
    assert contract.columns["電話番号"].column_class == ColumnClass.PHONE
    assert contract.columns["id"].mask.model_dump()["domain"] == "thing"


def test_references_take_the_masks_of_known_contracts() -> None:
    """A foreign key gets the very mask of the column that it leads to, and the join; so tokens meet."""
    table = FoundTable(
        "issuing.extras",
        (column("extra_id", "int64"), column("member_id", "int64"), column("club_id", "int64"), column("who", "int64")),
        ("extra_id",),
        references={
            "member_id": ("issuing.members", "member_id"),
            "club_id": ("community.clubs", "club_id"),
            "who": ("ops_admin.admin_users", "admin_id"),
        },
    )
    contract = Contract.model_validate(yaml.safe_load(propose(table, "extras", list(KNOWN.values()))))
    assert contract.columns["member_id"].mask == KNOWN["members"].columns["member_id"].mask
    assert contract.columns["who"].mask == KNOWN["admin_users"].columns["admin_id"].mask
    assert contract.columns["club_id"].kept
    assert contract.joins == {
        "member_id": "members.member_id", "club_id": "clubs.club_id", "who": "admin_users.admin_id",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("indexed", "size", "mode"),
    [
        ({"made_at", "updated_at"}, LARGE, "partition"),
        ({"made_at", "updated_at"}, LARGE - 1, "full"),
        ({"updated_at"}, LARGE, "merge"),
        ({"last_login_at"}, LARGE, "full"),
    ],
)
def test_large_tables_with_an_indexed_time_are_not_read_whole(
    tmp_path: Path, indexed: set[str], size: int, mode: str
) -> None:
    """A time that stays places rows in days, one that every change moves tells changes; both indexed, never NULL."""
    columns = (
        column("id", "int64"),
        column("made_at", "timestamp"),
        column("updated_at", "timestamp"),
        column("last_login_at", "timestamp"),
    )
    contract = proposed(tmp_path, FoundTable("s.things", columns, ("id",), frozenset(indexed), {}, size), "things")
    assert contract.load.mode == mode
    assert contract.window_column == ("made_at" if mode == "partition" else None)


def test_a_source_that_marks_deleted_rows_itself_keeps_its_mark(tmp_path: Path) -> None:
    """The load mode adds no `deleted_at` beside the table's own."""
    columns = (column("id", "int64"), column("updated_at", "timestamp"), column("deleted_at", "timestamp"))
    table = FoundTable("s.things", columns, ("id",), frozenset({"updated_at"}), {}, LARGE)
    contract = proposed(tmp_path, table, "things")
    assert contract.load.model_dump()["deletes"] == "ignore"
    assert contract.columns["deleted_at"].kept


def test_a_sample_outweighs_a_harmless_name(tmp_path: Path) -> None:
    """What the values look like drops a column that its name would show, and the comment tells the counts."""
    table = FoundTable(
        "s.things",
        (
            column("id", "int64"),
            column("amount", "int64", seen=ColumnClass.NATIONAL_ID, note="of 10 values: 9 national_id"),
            column("settings", "json", seen=ColumnClass.ADDRESS, note="of 10 values: 10 address"),
            column("code1", "string", seen=ColumnClass.PERSON_NAME, note="of 10 values: 10 person_name"),
        ),
        ("id",),
    )
    text = propose(table, "t")
    contract = proposed(tmp_path, table)
    assert contract.columns["amount"].column_class == ColumnClass.NATIONAL_ID
    assert contract.columns["code1"].column_class == ColumnClass.PERSON_NAME
    assert contract.columns["settings"].column_class == ColumnClass.FREE_TEXT
    assert list(contract.selected) == ["id"]
    assert "# unclear: dropped until somebody knows; of 10 values: 9 national_id" in text
