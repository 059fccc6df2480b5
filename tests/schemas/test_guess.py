"""Guesses from names hide every sensitive column, in English, Japanese and romaji; what is unclear is never shown."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from masking.policy import ColumnClass
from masking.policy.names import meaning
from schemas.contract_file import load_contracts
from schemas.guess import guess
from schemas.types import ColumnType

MUST_BE_CAUGHT = (
    "pan", "sensitive_authentication", "national_id", "person_name", "phone", "email", "address", "birth_date",
)  # fmt: skip
BUNDLED = [
    (f"{contract.table}.{name}", column)
    for contract in load_contracts().values()
    for name, column in contract.columns.items()
]


@pytest.mark.parametrize("column_class", MUST_BE_CAUGHT)
def test_every_sensitive_column_of_the_issuer_is_caught(column_class: str) -> None:
    """Recall is 100 %: each column that a reviewed contract gives the class, its name alone gives the class too."""
    wanted = {place for place, column in BUNDLED if column.column_class == column_class}
    caught = {
        place
        for place, column in BUNDLED
        if guess(place.split(".")[1], column.type).column_class == column_class and place in wanted
    }
    assert wanted
    assert caught == wanted, f"recall of {column_class}: {len(caught)} of {len(wanted)}"


@pytest.mark.parametrize("length", [None, 3, 16, 64, 255])
def test_nothing_that_a_review_hides_is_shown(length: int | None) -> None:
    """No column whose reviewed class is more than `none` is called harmless, whatever its class and its limit."""
    shown = [
        place for place, column in BUNDLED
        if guess(place.split(".")[1], column.type, length=length, table=place.split(".")[0]).harmless
        and column.column_class != ColumnClass.NONE
    ]  # fmt: skip
    assert shown == []


def test_half_of_what_a_review_keeps_is_kept() -> None:
    """A guess that hid everything would be no help: times, flags and measures are mostly kept, as reviewed."""
    kept = [(place, column) for place, column in BUNDLED if column.kept and column.type.name not in {"string", "json"}]
    guessed = [place for place, column in kept if guess(place.split(".")[1], column.type).harmless]
    assert len(guessed) >= len(kept) / 2, f"{len(guessed)} of {len(kept)}"


SPELLINGS = {
    "pan": "pan card_number cardNo CARDNO kadobango kaado_bangou カード番号 クレジットカード番号",
    "sensitive_authentication": "cvv cvv2 CVC pin_block track2 password_hash totp_secret ansyou_bango 暗証番号",
    "national_id": "my_number mynumber kojin_bango kojinbangou 個人番号 マイナンバー まいなんばー",
    "person_name": """full_name lastName name_kana shimei shimei_kana simei namae onamae furigana kokyaku_mei sei mei
        meigi 氏名 お名前 ﾌﾘｶﾞﾅ ふりがな 名義人 契約者""",
    "phone": """phone custPhoneNo TEL tel1 denwa denwa_bango denwabangou keitai_no renrakusaki 電話番号 でんわ 携帯電話
        ＴＥＬ""",
    "email": "email e_mail MailAddress meado merado メールアドレス ﾒｰﾙ",
    "address": """address addr1 street jusho jyusho juusho zyuusyo jūsho shozaichi banchi 住所 じゅうしょ 所在地
        市区町村""",
    "birth_date": "birth_date dob dateOfBirth birthday seinengappi tanjobi tanjoubi 生年月日 誕生日",
    "postal_code": "postal_code zip ZipCd yubin yuubin_bangou 郵便番号 〒",
    "account_number": "account_number koza kouza koza_bangou furikomisaki 口座番号 支店",
    "identifier": "kaiin_id kaiin_no kaiin_bango member_id 会員番号 customerNo menkyo_bango 免許証番号",
    "free_text": "memo remarks biko bikou 備考 めも 摘要",
}


@pytest.mark.parametrize("column_class", SPELLINGS)
def test_names_in_three_spellings(column_class: str) -> None:
    """English in any case, romaji in Hepburn, Kunrei and with long vowels, kanji, full-width and half-width kana."""
    names = SPELLINGS[column_class].split()
    guessed = {name: guess(name, ColumnType("string")).column_class.value for name in names}
    assert guessed == dict.fromkeys(names, column_class)


@pytest.mark.parametrize(
    ("name", "kind", "length"),
    [
        ("blood_type", "string", 2), ("byoreki_kubun", "string", 8), ("nenshu", "int64", None),
        ("死亡日", "date", None), ("kinenbi", "date", None), ("has_criminal_record", "bool", None),
        ("reason", "string", None), ("名", "string", 8), ("memo_kubun", "string", None),
        ("nickname", "string", 8), ("x", "string", 4), ("memo_kubun", "string", 500), ("age", "int64", None),
        ("preferences", "json", None),
    ],
)  # fmt: skip
def test_what_is_unclear_or_special_is_not_harmless(name: str, kind: str, length: int | None) -> None:
    """Special care-required information, means of a person, long or nameless texts: a guess keeps nothing of it."""
    assert guess(name, ColumnType(kind), length=length).harmless == ""


@given(st.text(max_size=30), st.sampled_from(["string", "json", "bytes"]))
def test_text_without_a_short_limit_is_never_harmless(name: str, kind: str) -> None:
    """Whatever a text is called, and in whatever script, no guess publishes it, if not as a code."""
    assume(meaning(name).head not in {"code", "thing"})
    assert guess(name, ColumnType(kind)).harmless == ""


@pytest.mark.parametrize("name", ["status", "currency", "country_code", "orderStatus", "locale", "種別", "tsuka"])
def test_a_text_without_a_limit_is_kept_only_as_a_fixed_code(name: str) -> None:
    """PostgreSQL's `text` is how codes are declared today; a word of persons beside the code's hides it again."""
    assert guess(name, ColumnType("string")).harmless == "fixed codes by its name"
    assert guess(f"address_{name}", ColumnType("string")).harmless == ""
    assert guess(name, ColumnType("string"), length=500).harmless == ""


@pytest.mark.parametrize("name", ["product_name", "categoryName", "plan_name", "商品名", "shohin_mei", "country"])
def test_names_of_things_are_kept_and_names_of_persons_never(name: str) -> None:
    """A name is a thing's only where a word says whose it is; a word of persons beside it hides it again."""
    assert guess(name, ColumnType("string")).harmless != ""
    assert guess(f"customer_{name}_name", ColumnType("string"), length=40).harmless == ""
    assert guess("name", ColumnType("string"), length=40).harmless == ""
    assert guess("name", ColumnType("string"), length=40, table="customers").harmless == ""
    assert guess("name", ColumnType("string"), length=40, table="m_products").harmless == "the name of a thing"


def test_a_comment_of_the_database_can_hide_and_cannot_show() -> None:
    """What the catalogue says about a column counts like a name that promises something, and only so."""
    assert guess("c17", ColumnType("string"), comment="会員の電話番号").column_class == ColumnClass.PHONE
    assert guess("c17", ColumnType("int64"), comment="a measure, amount").harmless == ""
    assert guess("verified", ColumnType("bool"), comment="whether the e-mail address is verified").harmless != ""
