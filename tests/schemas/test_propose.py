"""A proposed contract is valid as it stands, and drops what nobody can be sure of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from masking.policy import ColumnClass
from schemas.contract import Contract
from schemas.contract_file import load_contract, load_contracts
from schemas.found import FoundColumn, FoundTable
from schemas.lint import lint
from schemas.propose import LARGE, propose
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


def test_the_masks_of_a_foreign_issuer(tmp_path: Path) -> None:
    """Names as public card systems have them: authentication data is dropped, expiries are never kept, codes are."""
    cards = FoundTable(
        "carddemo.card",
        (
            column("card_id", "int64"), column("card_num", length=16), column("card_cvv_cd", "int64"),
            column("cvv_number", length=4), column("pin_number", length=12), column("card_expiraion_date", length=10),
            column("expire_date", "date"), column("expires_on", "date"), column("expires_at", "timestamp"),
            column("valid_until", "timestamp"), column("expmonth", "int64"), column("expyear", "int64"),
            column("card_active_status", length=1), column("rank", "int64"), column("del_flg", "int64"),
            column("sex", "int64"), column("pref", "int64"), column("type_cd", length=2), column("upd_ts", "timestamp"),
            column("total_amt", "numeric(12,2)"), column("curr_bal", "numeric(12,2)"),
            column("modifieddate", "timestamp"),
        ),
        ("card_id",),
    )  # fmt: skip
    contract = proposed(tmp_path, cards)
    masks = {name: one.mask.strategy for name, one in contract.columns.items()}
    dropped = ["card_num", "card_cvv_cd", "cvv_number", "pin_number", "card_expiraion_date", "expmonth", "expyear"]
    dated = ["expire_date", "expires_on", "expires_at", "valid_until"]
    assert {name: masks[name] for name in dropped} == dict.fromkeys(dropped, "drop")
    assert {name: masks[name] for name in dated} == dict.fromkeys(dated, "generalize_date")
    assert {contract.columns[name].column_class for name in dated} == {ColumnClass.CARD_EXPIRY}
    kept = list(masks)[list(masks).index("card_active_status") :]
    assert {name: masks[name] for name in kept} == dict.fromkeys(kept, "keep")


@pytest.mark.parametrize("name", ["cvv_number", "pin_number", "pinblock", "my_number", "nationalidnumber"])
def test_authentication_data_is_dropped_even_as_a_key(name: str) -> None:
    """Whatever the catalogue says a column is, a word of authentication data or of My Number beats it."""
    table = FoundTable("s.t", (column(name), column("id", "int64")), (name, "id"), references={name: ("s.u", name)})
    text = propose(table, "t")
    assert next(line for line in text.splitlines() if line.strip().startswith(name)).count("strategy: drop") == 1


def test_a_code_table_and_what_refers_to_it_are_masked_alike(tmp_path: Path) -> None:
    """Without a foreign key too, the key and its namesake are both kept, or are tokens of one domain."""
    tables = {
        "m_shubetsu": FoundTable("s.m_shubetsu", (column("shubetsu_cd", length=4), column("name")), ("shubetsu_cd",)),
        "mtb_prefs": FoundTable("s.mtb_prefs", (column("id", "int64"), column("name", length=20)), ("id",)),
        "m_tokuisaki": FoundTable("s.m_tokuisaki", (column("tokuisaki_cd", length=8),), ("tokuisaki_cd",)),
        "suppliers": FoundTable("s.suppliers", (column("id", "int64"),), ("id",)),
    }  # fmt: skip
    known = [proposed(tmp_path, found, name) for name, found in tables.items()]
    names = (("shubetsu_cd", "string", 4), ("pref_id", "int64", None), ("tokuisaki_cd", "string", 8))
    more = (("supplier_id", "int64", None), ("tokuisaki", "string", 8))
    columns = [column(name, kind, length=length) for name, kind, length in (*names, *more)]
    uses = FoundTable("s.uses", (column("use_id", "int64"), *columns), ("use_id",))
    contract = proposed(tmp_path, uses, "uses", known)
    masks = {one.table: next(iter(one.columns.values())).mask for one in known}
    assert [masks[name].strategy for name in tables] == ["keep", "keep", "tokenize", "tokenize"]
    assert contract.columns["pref_id"].kept
    assert contract.columns["shubetsu_cd"].mask == masks["m_shubetsu"]
    assert contract.columns["tokuisaki_cd"].mask == masks["m_tokuisaki"]
    assert contract.columns["tokuisaki"].mask == masks["m_tokuisaki"]
    assert contract.columns["supplier_id"].mask == masks["suppliers"]


@pytest.mark.parametrize(
    ("name", "kind", "seen", "sure", "column_class", "mask"),
    [
        ("phone_number", "string", "phone", True, "phone", "drop"),
        ("kaiin_mei", "string", "person_name", True, "person_name", "drop"),
        ("member_no", "string", "phone", True, "phone", "drop"),
        ("email", "string", "phone", True, "phone", "drop"),
        ("email", "string", "phone", False, "email", "drop"),
        ("email", "string", "free_text", False, "email", "drop"),
        ("cvv_number", "string", "phone", True, "sensitive_authentication", "drop"),
        ("amount", "int64", None, False, "none", "keep"),
        ("amount", "int64", "free_text", False, "none", "keep"),
        ("amount", "int64", "national_id", True, "national_id", "drop"),
        ("status", "string", "free_text", False, "free_text", "drop"),
    ],
)
def test_what_nearly_all_values_are_outvotes_a_name(
    name: str,
    kind: str,
    seen: str | None,
    column_class: str,
    mask: str,
    *,
    sure: bool,
) -> None:
    """A sample that agrees decides the class; a few values decide nothing, and authentication data stays what it is."""
    looked = column(name, kind, seen=ColumnClass(seen) if seen else None, sure=sure, note="of 902 values: 5 birth_date")
    text = propose(FoundTable("s.t", (column("t_id", "int64"), looked), ("t_id",)), "t")
    contract = Contract.model_validate(yaml.safe_load(text))
    assert contract.columns[name].column_class == column_class
    assert contract.columns[name].mask.strategy == mask


@pytest.mark.parametrize(
    ("name", "domain"), [("12:30", "t"), ("1st", "st"), ("1stOrder", "st_order"), ("__id", "t"), ("k" * 128, "k" * 63)]
)
def test_a_key_has_a_domain_whatever_its_name(name: str, domain: str) -> None:
    """A domain begins with a letter and is short: what a name has too much is left out."""
    text = propose(FoundTable("s.t", (column(name, "int64"),), (name,)), "t")
    (key,) = Contract.model_validate(yaml.safe_load(text)).columns.values()
    assert key.mask.model_dump()["domain"] == domain


def test_a_comment_with_a_card_number_is_not_published(tmp_path: Path) -> None:
    """The table is proposed all the same, and neither its file nor BigQuery repeats the number."""
    table = FoundTable("s.t", (column("id", "int64"),), ("id",), comment="such as 4111-1111-1111-1111")
    assert "4111" not in propose(table, "t")
    assert "its comment holds what looks like a card number" in proposed(tmp_path, table).about


def test_a_line_says_what_was_done_and_from_what() -> None:
    """A comment is not called a name, and what becomes a token is not said to be dropped."""
    columns = (column("n", "int64"), column("c17", comment="会員のパスワード"), column("x"))
    lines = propose(FoundTable("s.t", columns, ("n",)), "t").splitlines()
    assert next(line for line in lines if " n:" in line).endswith("# unclear, and it identifies rows")
    assert next(line for line in lines if " c17:" in line).endswith("# by its comment (password)")
    assert next(line for line in lines if " x:" in line).endswith("# unclear: dropped until somebody knows")
