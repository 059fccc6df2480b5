"""Publishes the prefecture of a Japanese address."""

from __future__ import annotations

from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from masking.normalize import nfkc
from masking.rows import lost
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked
from masking.strategies.patterns import one_of
from masking.text_types import is_text

# fmt: off
PREFECTURES = (  # in the order of their codes, JIS X 0401
    "北海道", "青森県", "岩手県", "宮城県", "秋田県", "山形県", "福島県", "茨城県",
    "栃木県", "群馬県", "埼玉県", "千葉県", "東京都", "神奈川県", "新潟県", "富山県",
    "石川県", "福井県", "山梨県", "長野県", "岐阜県", "静岡県", "愛知県", "三重県",
    "滋賀県", "京都府", "大阪府", "兵庫県", "奈良県", "和歌山県", "鳥取県", "島根県",
    "岡山県", "広島県", "山口県", "徳島県", "香川県", "愛媛県", "高知県", "福岡県",
    "佐賀県", "長崎県", "熊本県", "大分県", "宮崎県", "鹿児島県", "沖縄県",
)
# fmt: on
_LEADING = rf"^\s*(?:日本国?[、,\s]*)?(?:〒?\s*[0-9]{{3}}-?[0-9]{{4}})?\s*(?P<prefecture>{'|'.join(PREFECTURES)})"


class Prefecture(FallibleStrategy):
    """Publishes the prefecture a Japanese address begins with, after an optional postal code.

    An address that does not begin with one of the 47 names is invalid.
    """

    strategy: Literal["prefecture"] = "prefecture"

    examples: ClassVar[tuple[Example, ...]] = (
        Example((("東京都渋谷区神宮前1-1-1", "東京都"), ("〒600-8216 京都府京都市下京区", "京都府"), (None, None))),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; takes text."""
        if not (is_text(source) or pa.types.is_null(source)):
            raise self._misused(source, "text")
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns the 47 names."""
        return one_of(PREFECTURES)

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        found = pc.extract_regex(nfkc(column).cast(pa.string()), _LEADING)
        names = pc.struct_field(found, [0])
        return Masked(names, lost(column, names))
