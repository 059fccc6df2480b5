"""Names, descriptions and layouts that BigQuery refuses are refused before a row is read; the rest is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from schemas.contract import Contract
from schemas.errors import ContractInvalid
from schemas.found import FoundColumn, FoundTable
from schemas.lint import lint
from schemas.patch import Edit, EditKind, patched
from schemas.pictures import load_pictures
from schemas.propose import propose
from schemas.published_names import free_name, published_name
from schemas.types import ColumnType
from schemas.view_file import load_views

KEEP = {"strategy": "keep", "why": "a made-up value"}


def kept(kind: str = "string", **more: Any) -> dict[str, Any]:
    """Returns a kept column."""
    return {"type": kind, "class": "none", "mask": KEEP, **more}


def contract(columns: dict[str, Any], **changes: Any) -> Contract:
    """Returns the contract of a table of such columns and an id."""
    return Contract.model_validate(
        {
            "table": "orders",
            "about": "One row for each order.",
            "source": "shop.Order",
            "publish": "shop.orders",
            "load": {"mode": "full"},
            "key": ["id"],
            "columns": {"id": kept("int64"), **columns},
            **changes,
        }
    )


@pytest.mark.parametrize(
    "name",
    ["_table_no", "_file_name", "_partition_key", "_row_timestamp", "__root__", "_colidentifier", "_change_type"],
)
def test_reserved_prefixes_are_refused_with_their_reason(name: str) -> None:
    """BigQuery keeps them for itself: drop the column, or give it another name."""
    with pytest.raises(ValidationError, match="which BigQuery keeps for itself"):
        contract({name: kept()})
    with pytest.raises(ValidationError, match="which BigQuery keeps for itself"):
        contract({"plain": kept(publish_as=name)})
    assert contract({name: {**kept(), "mask": {"strategy": "drop"}}}).published == ("id",)
    assert contract({name: kept(publish_as="plain")}).published == ("id", "plain")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cluster_by": ["rate"]}, "cluster_by names rate, which is FLOAT64"),
        ({"cluster_by": ["raw"]}, "cluster_by names raw, which is BYTES"),
        ({"cluster_by": ["status", "status"]}, "cluster_by names status more than once"),
        ({"key": ["id", "id"]}, "key names id more than once"),
        ({"about": "あ" * 16_385}, "about has 16,385 characters; BigQuery takes 16,384"),
        ({"table": "t" * 64}, "table has a name of 64 characters"),
    ],
)
def test_layouts_and_descriptions_that_bigquery_refuses(changes: dict[str, Any], said: str) -> None:
    """What would fail when the table is created is a finding about the contract."""
    columns = {"status": kept(), "rate": kept("float64"), "raw": kept("bytes")}
    with pytest.raises(ValidationError) as refused:
        contract(columns, **changes)
    assert said in str(refused.value)
    assert contract(columns, cluster_by=["status", "id"], about="あ" * 16_384).cluster_by == ("status", "id")


def test_a_long_description_of_a_column_is_refused() -> None:
    """Of columns that are published; what is said of a dropped one stays in the file."""
    with pytest.raises(ValidationError, match=r"columns\.a\.about has 1,025 characters"):
        contract({"a": kept(about="あ" * 1_025)})
    assert contract({"a": kept(about="あ" * 1_024)}).about_column("a") == "あ" * 1_024
    assert contract({"a": {**kept(about="あ" * 1_025), "mask": {"strategy": "drop"}}}).published == ("id",)


def test_a_description_that_holds_a_card_number_is_refused(tmp_path: Path) -> None:
    """It would be published with the table, the column or the view; the refusal counts and does not repeat it."""
    for texts in ({"about": "As of card 4111 1111 1111 1111."}, {}):
        column = kept(about="" if texts else "Such as 4111-1111-1111-1111.")
        with pytest.raises(ValidationError, match="a description holds what looks like a card number") as refused:
            contract({"a": column}, **texts)
        assert "4111" not in refused.value.errors()[0]["msg"]
    text = "-- about: Cards.\nSELECT '4111111111111111' AS card FROM a.b\n"
    (tmp_path / "seen.sql").write_text(text, encoding="utf-8")
    with pytest.raises(ContractInvalid, match=r"View seen\.sql holds what looks like a card number"):
        load_views(tmp_path)


@pytest.mark.parametrize("changes", [
    {"mask": {"strategy": "keep", "why": "as card 4111111111111111 has it"}},
    {"mask": {"strategy": "keep", "why": {"en": "a code", "ja": "カード４１１１１１１１１１１１１１１１"}}},
    {"mask": {"strategy": "redact", "value": "4111-1111-1111-1111"}},
    {"values": ["approved", "4111111111111111"]},
    {"mask": {"strategy": "drop"}, "about": "Such as 4111 1111 1111 1111."},
    {"type": "int64", "values": [1, 4111111111111111]},
])  # fmt: skip
def test_a_card_number_is_refused_wherever_it_is_written(changes: dict[str, Any]) -> None:
    """Reasons, constants, codes, and what is said of a column that never leaves: the site and exports show them all."""
    with pytest.raises(ValidationError, match="holds what looks like a card number or My Number") as refused:
        contract({"a": {**kept(), **changes}})
    assert "4111" not in refused.value.errors()[0]["msg"]


def test_the_title_of_a_picture_holds_no_card_number(tmp_path: Path) -> None:
    """It would stand above the picture; the refusal does not repeat it."""
    people = "people: {column: members}"
    text = f"seen: {{title: Card 4111111111111111, shape: columns, x: month, measures: [members], {people}}}\n"
    (tmp_path / "pictures.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContractInvalid, match="the title holds what looks like a card number") as refused:
        load_pictures(tmp_path)
    assert "4111" not in str(refused.value)


def test_a_name_that_contracts_do_not_publish_gets_one() -> None:
    """The reason is told with the name to write; two columns never have the same published name."""
    with pytest.raises(ValidationError, match="publish_as: created_at"):
        contract({"createdAt": kept()})
    with pytest.raises(ValidationError, match="published more than once"):
        contract({"orderId": kept(publish_as="order_id"), "OrderID": kept(publish_as="order_id")})
    with pytest.raises(ValidationError, match="published more than once"):
        contract({"ID": kept(publish_as="id")})
    with pytest.raises(ValidationError, match="names a column that is dropped"):
        contract({"a": {**kept(publish_as="b"), "mask": {"strategy": "drop"}}})
    told = contract({"createdAt": kept("timestamp", publish_as="created_at", nullable=False), "no": kept()})
    assert told.published == ("id", "created_at", "no")
    assert told.source_names == {"id": "id", "created_at": "createdAt", "no": "no"}


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("orderId", "order_id"),
        ("createdAt", "created_at"),
        ("1stAmount", "_1st_amount"),
        ("Order Date", "order_date"),
        ("HTTPServerID", "http_server_id"),
        ("12:30", "_12_30"),
        ("会員番号", "member_number"),
        ("登録日時", "registered_at"),
        ("Größe", "grosse"),
        ("_table_no", "table_no"),
        ("no", "no"),
        ("空想", ""),
    ],
)
def test_published_names_are_proposed(name: str, published: str) -> None:
    """camelCase, digits first, spaces, other scripts: lower-case words, and nothing where no word is known."""
    assert published_name(name) == published


def test_a_proposed_name_is_free() -> None:
    """Namesakes are numbered, and a name without known words is that of its place."""
    assert free_name("orderId", 1, {"order_id", "order_id_2"}) == "order_id_3"
    assert free_name("空想", 7, ()) == "column_7"


def test_a_proposal_of_a_foreign_table_can_be_read(tmp_path: Path) -> None:
    """Key, joins, sums, days and columns are quoted as YAML needs it, and published under names of their own."""
    names = {
        "orderId": "int64",
        "no": "string",
        "1stAmount": "numeric(12,2)",
        "on": "bool",
        "12:30": "bool",
        "会員名": "string",
    }
    columns = tuple(FoundColumn(name, ColumnType.parse(kind), not_null=True) for name, kind in names.items())
    made = FoundColumn("createdAt", ColumnType("timestamp"), not_null=True)
    table = FoundTable(
        "shop.Order", (*columns, made), ("orderId", "no"), indexed=frozenset({"createdAt"}), bytes=1 << 40, comment="="
    )
    path = tmp_path / "order.yaml"
    path.write_text(propose(table, "order"), encoding="utf-8")
    assert lint([path]) == ()
    found = Contract.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert found.key == ("order_id", "no")
    assert found.reconcile == ("_1st_amount",)
    assert found.source_names["created_at"] == "createdAt"
    assert (found.day_column, found.partition_by) == ("created_at", "created_on")
    assert found.about == "="


@pytest.mark.parametrize(
    "comment", ["=", "orders\x07", "a\u2028b", "\ufeff", "- x", "no", "'", '"\\', "x" * 20_000, "~"]
)
def test_a_comment_of_the_database_breaks_no_proposal(comment: str, tmp_path: Path) -> None:
    """Text of a database is quoted, cleaned and shortened."""
    key = FoundColumn("id", ColumnType("int64"), not_null=True)
    path = tmp_path / "a.yaml"
    path.write_text(propose(FoundTable("shop.a", (key,), ("id",), comment=comment), "a"), encoding="utf-8")
    assert lint([path]) == ()


def test_a_renamed_column_is_quoted_and_keeps_its_published_name() -> None:
    """A new name that YAML misreads is quoted everywhere; one that contracts do not publish keeps the old one."""
    text = (
        "key: [num]\ncluster_by: [num]\ncolumns:\n"
        "  num: {type: int64, class: none, mask: {strategy: keep, why: a made-up number}}\n"
    )
    renamed = yaml.safe_load(patched(text, [Edit(EditKind.RENAME, "num", "no")]))
    assert (renamed["key"], renamed["cluster_by"], list(renamed["columns"])) == (["no"], ["no"], ["no"])
    camel = yaml.safe_load(patched(text, [Edit(EditKind.RENAME, "num", "orderNo")]))
    assert (camel["key"], camel["columns"]["orderNo"]["publish_as"]) == (["num"], "num")
