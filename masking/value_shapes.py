"""Counts what the values of a column look like, so that a person can tell its class; no value leaves this module.

What the leak gate knows is counted as the gate counts it. Names, addresses, postal codes, dates of birth and network
addresses are told by the shape of the whole value: good for a column, not for a single value.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from masking.formats import luhn_share
from masking.leaks import LeakKind, count_leaks
from masking.normalize import nfkc, trim
from masking.policy import ColumnClass
from masking.strategies.prefecture import PREFECTURES

_LEAKS: Final = {
    LeakKind.TRACK: ColumnClass.SENSITIVE_AUTHENTICATION,
    LeakKind.PAN: ColumnClass.PAN,
    LeakKind.MY_NUMBER: ColumnClass.NATIONAL_ID,
    LeakKind.EMAIL: ColumnClass.EMAIL,
    LeakKind.PHONE: ColumnClass.PHONE,
}
_SURNAMES: Final = (
    "佐藤|鈴木|高橋|田中|伊藤|渡辺|山本|中村|小林|加藤|吉田|山田|佐々木|山口|松本|井上|木村|林|斎藤|斉藤|清水|山崎|森|池田"
    "|橋本|阿部|石川|山下|中島|石井|小川|前田|岡田|長谷川|藤田|後藤|近藤|村上|遠藤|青木|坂本|福田|太田|西村|藤井|金子|岡本"
    "|藤原|中野|三浦|原田|中川|松田|竹内|小野|田村|中山|和田|石田|森田|上田|原|内田|柴田|酒井|宮崎|横山|高木|安藤|宮本|大野"
    "|小島|谷口|今井|工藤|高田|増田|丸山|杉山|村田|大塚|新井|小山|平野|藤本|河野|上野|野口|武田|松井|千葉|岩崎|菅原|木下"
    "|久保|佐野|野村|松尾|市川|菊地"
)
"""The hundred most frequent family names of Japan."""

_SYLLABLE: Final = "(?:(?:[KGSZTDNHBPMYRWFJ]|SH|CH|TS|[KGNHBPMR]Y|J)?[AIUEO]|N|KK|SS|TT|PP)"
_SHAPES: Final = (
    (ColumnClass.POSTAL_CODE, r"^〒?[0-9]{3}-[0-9]{4}$|^〒[0-9]{7}$"),
    (ColumnClass.PERSON_NAME, r"^[ァ-ヺー]{1,8}[ .][ァ-ヺー]{1,8}$|^[ぁ-ゖー]{1,8} [ぁ-ゖー]{1,8}$"),
    (ColumnClass.PERSON_NAME, rf"^(?:{_SURNAMES}) ?[\p{{Han}}ぁ-ゖァ-ヺ]{{1,4}}$"),
    (ColumnClass.PERSON_NAME, r"^[\p{Han}々]{1,4} [\p{Han}々ぁ-ゖァ-ヺ]{1,4}$"),
    (ColumnClass.PERSON_NAME, rf"^(?i:{_SYLLABLE}{{2,6}}[ ,]{{1,2}}{_SYLLABLE}{{2,6}})$"),
    (ColumnClass.ADDRESS, rf"(?:{'|'.join(PREFECTURES)})[\p{{Han}}々ぁ-ゖァ-ヺ]{{1,8}}[市区町村郡]"),
    (
        ColumnClass.BIRTH_DATE,
        r"^(?:19[2-9][0-9]|200[0-9])[-/.年]?(?:0?[1-9]|1[0-2])[-/.月]?(?:0?[1-9]|[12][0-9]|3[01])日?$",
    ),
    (
        ColumnClass.IP_ADDRESS,
        r"^(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:/[0-9]{1,2})?$|^(?:[0-9a-f]{1,4}:){2,7}[0-9a-f:]{0,4}$",
    ),
)
_MOSTLY: Final = 0.5
_NEARLY_ALL: Final = 0.95
_FEW: Final = 0.05
"""Fewer look like something by chance: of 902 amounts five look like a date of birth."""


def count_looks(values: pa.Array) -> Counter[ColumnClass]:
    """Counts the rows of a text column that look like values of each class; one row may look like several.

    Args:
        values: string, length n.
    """
    found: Counter[ColumnClass] = Counter()
    for kind, rows in count_leaks(values, frozenset(_LEAKS)).items():
        found[_LEAKS[kind]] += rows
    share = luhn_share(values, distinct=True)
    if share.too_high():  # a column of card numbers, whatever their first digits
        found[ColumnClass.PAN] = max(found[ColumnClass.PAN], luhn_share(values).valid)
    plain = trim(nfkc(values))
    matched: dict[ColumnClass, pa.Array] = {}
    for column_class, pattern in _SHAPES:
        rows = pc.fill_null(pc.match_substring_regex(plain, pattern), fill_value=False)
        matched[column_class] = pc.or_(matched[column_class], rows) if column_class in matched else rows
    for column_class, rows in matched.items():
        found[column_class] += pc.sum(rows).as_py() or 0
    return +found


def mostly(looks: Counter[ColumnClass], values: int) -> ColumnClass | None:
    """Returns the class that at least half of the values look like; free text where fewer look like anything.

    None where hardly any value looks like anything.

    Args:
        looks: from `count_looks`.
        values: how many values were no NULL.
    """
    if not looks:
        return None
    column_class, rows = looks.most_common(1)[0]
    if rows < _FEW * values:
        return None
    return column_class if rows >= _MOSTLY * values else ColumnClass.FREE_TEXT


def nearly_all(looks: Counter[ColumnClass], values: int) -> bool:
    """Tells whether nearly all values look like one class, so that they weigh more than the column's name."""
    return bool(looks) and looks.most_common(1)[0][1] >= _NEARLY_ALL * values
