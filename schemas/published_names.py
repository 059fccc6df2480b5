"""Proposes a published name for a source's own: lower-case Latin letters, digits and underscores, nothing reserved."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from schemas.bigquery_limits import reserved_prefix
from schemas.reviewed import NAME

_WORDS: Final = {
    "メールアドレス": "email", "クレジットカード": "credit_card", "プロジェクト": "project", "パスワード": "password",
    "電話番号": "phone", "郵便番号": "postal_code", "生年月日": "birth_date", "有効期限": "expires_on",
    "暗証番号": "pin", "口座番号": "account_number", "カード": "card", "コード": "code", "フラグ": "flag",
    "メール": "email", "アドレス": "address", "ポイント": "point", "ユーザー": "user", "ユーザ": "user",
    "グループ": "group", "ステータス": "status", "タイプ": "type", "カテゴリ": "category", "サイズ": "size",
    "メモ": "memo", "フリガナ": "kana", "ふりがな": "kana", "カナ": "kana", "かな": "kana", "顧客": "customer",
    "会員": "member", "社員": "employee", "従業員": "employee", "利用者": "user", "契約": "contract", "注文": "order",
    "受注": "order", "発注": "purchase", "商品": "product", "製品": "product", "店舗": "store", "支店": "branch",
    "部署": "department", "会社": "company", "請求": "invoice", "支払": "payment", "入金": "receipt",
    "取引": "transaction", "明細": "detail", "履歴": "history", "予約": "reservation", "在庫": "stock",
    "数量": "quantity", "単価": "unit_price", "金額": "amount", "価格": "price", "合計": "total", "税": "tax",
    "残高": "balance", "割引": "discount", "手数料": "fee", "番号": "number", "氏名": "full_name", "名前": "name",
    "名称": "name", "姓": "last_name", "住所": "address", "電話": "phone", "性別": "sex", "年齢": "age",
    "国": "country", "都道府県": "prefecture", "市区町村": "city", "日時": "at", "日付": "date", "時刻": "time",
    "登録": "registered", "作成": "created", "更新": "updated", "削除": "deleted", "変更": "changed", "開始": "start",
    "終了": "end", "状態": "status", "区分": "kind", "種別": "kind", "種類": "kind", "備考": "note",
    "内容": "content", "説明": "description", "件数": "count", "回数": "count", "順": "order", "者": "person",
    "年": "year", "月": "month", "日": "day", "名": "name", "額": "amount", "数": "count", "率": "rate",
    "先": "destination",
}  # fmt: skip
"""What the words of Japanese column names mean; longer ones come first when a name is read."""
_JAPANESE: Final = re.compile("|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True)))
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]")
_LONGEST: Final = 128


def published_name(name: str) -> str:
    """Returns the name under which a source column or table may be published: its own where that does.

    `orderId` becomes `order_id`, `1stAmount` becomes `_1st_amount`, `Order Date` becomes `order_date`, and `会員番号`
    becomes `member_number`; empty where nothing can be made of a name in another script.
    """
    if NAME.match(name) and not reserved_prefix(name):
        return name
    folded = unicodedata.normalize("NFKC", name)
    read = _JAPANESE.sub(lambda found: f" {_WORDS[found[0]]} ", folded)
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", read) if not unicodedata.combining(sign))
    plain = plain.replace("ß", "ss").replace("ø", "o").replace("æ", "ae")
    if _FOREIGN.search(re.sub(r"[\u3000-\u303f\uff00-\uff0f・ー々]", " ", plain)):
        return ""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    words = [word.lower() for word in re.findall(r"[A-Za-z0-9]+", parted)]
    found = "_".join(words)[: _LONGEST - 1]
    return f"_{found}" if found[:1].isdigit() else found


def free_name(name: str, position: int, taken: Collection[str]) -> str:
    """Returns a published name that no other column has; the column's position stands in where no word is known.

    Args:
        name: of the column at the source.
        position: of the column in its table, from 1.
        taken: names that others have.
    """
    stem = published_name(name) or f"column_{position}"
    names = (stem, *(f"{stem}_{number}" for number in range(2, len(taken) + 3)))
    return next(one for one in names if one not in taken)
