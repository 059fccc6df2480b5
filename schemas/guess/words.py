"""The words of column names as one literal table: English and romaji, Japanese, and the types that can hold the thing.

A word of five letters or more counts wherever it stands in a name (`customerphone`), a shorter one only as words of its
own (`tel`, `card_no`). Where several classes match, the longest word decides: `email_address` is an e-mail address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from masking.policy import ColumnClass

_TEXT: Final = frozenset({"string", "json", "bytes"})
_TEXT_OR_NUMBER: Final = _TEXT | {"int64", "numeric"}
_TEXT_OR_DAY: Final = _TEXT_OR_NUMBER | {"date", "datetime", "timestamp"}


@dataclass(frozen=True)
class Words:
    """The words that promise one class.

    Attributes:
        latin: English and romaji (Hepburn, long vowels short: `bango`, `yubin`), without separators.
        japanese: kanji and katakana, found anywhere in a name.
        types: names of the contract types that can hold such a value; a flag `email_verified` holds no address.
    """

    column_class: ColumnClass
    latin: str
    japanese: str
    types: frozenset[str] = _TEXT


SENSITIVE: Final = (
    Words(
        ColumnClass.SENSITIVE_AUTHENTICATION,
        "cvv cvv2 cvc cvc2 cav2 csc pin pinblock pinoffset pvv track1 track2 trackdata magstripe magneticstripe "
        "securitycode cryptogram password passwd pwd passcode passphrase secret totp otp onetimecode privatekey apikey "
        "accesstoken refreshtoken secretanswer ansho anshobango sekyuriti pasuwado aikotoba",
        "暗証 アンショウ パスワード セキュリティコード ワンタイム 秘密 磁気 合言葉 認証コード",
        _TEXT_OR_NUMBER,
    ),
    Words(
        ColumnClass.PAN,
        "pan dpan fpan cardpan cardnumber cardno cardnum creditcard ccnumber ccnum ccno primaryaccountnumber "
        "kadobango kadono kurejittokado",
        "カード番号 カードNO クレジットカード クレジット番号",
        _TEXT_OR_NUMBER,
    ),
    Words(
        ColumnClass.NATIONAL_ID,
        "mynumber myno individualnumber nationalid ssn socialsecurity kojinbango kojinno mainanba",
        "個人番号 マイナンバー 個人NO",
        _TEXT_OR_NUMBER,
    ),
    Words(
        ColumnClass.EMAIL,
        "email mail mailaddress mailaddr mailadd emailaddress meado meruadoresu merado",
        "メール メアド アドレス",
    ),
    Words(
        ColumnClass.IP_ADDRESS,
        "ip ipaddr ipaddress ipv4 ipv6 remoteaddr clientip loginip xforwardedfor",
        "IPアドレス",
    ),
    Words(
        ColumnClass.BIRTH_DATE,
        "birth birthdate birthday dateofbirth dob bday born seinengappi seinen tanjobi tanjo umare",
        "生年 生年月日 セイネンガッピ 誕生 出生",
        _TEXT_OR_DAY,
    ),
    Words(
        ColumnClass.POSTAL_CODE,
        "postal postalcode postcode postno zip zipcode zipcd yubin yubinbango",
        "郵便 ユウビン 〒",
        _TEXT_OR_NUMBER,
    ),
    Words(
        ColumnClass.ADDRESS,
        "address addr postaladdress mailingaddress street city town building apartment residence domicile latitude "
        "longitude lat lng lon geolocation jusho shozaichi banchi shikuchoson tatemono kyojuchi honseki",
        "住所 ジュウショ 所在地 番地 市区町村 町名 建物 居住地 本籍 丁目 住居 勤務地 緯度 経度",
        _TEXT | {"float64", "numeric"},
    ),
    Words(
        ColumnClass.PERSON_NAME,
        "name fullname firstname lastname familyname givenname middlename maidenname surname holdername cardholder "
        "holder nickname kana kanji romaji furigana yomigana signature embossed embossing shimei namae seimei myoji "
        "sei mei meigi meiginin keiyakusha",
        "氏名 名前 姓 名 苗字 氏 シメイ ナマエ フリガナ ヨミガナ カナ 名義 漢字 契約者 代表者 担当者",
    ),
    Words(
        ColumnClass.PHONE,
        "phone telephone tel telno mobile mobileno cell cellphone fax faxno msisdn denwa denwabango keitai renrakusaki",
        "電話 デンワ 携帯 ケイタイ 連絡先 ファックス ファクス",
        _TEXT_OR_NUMBER,
    ),
    Words(
        ColumnClass.ACCOUNT_NUMBER,
        "accountnumber accountno accountnum bankaccount payoutaccount payeraccount iban bban routingnumber branchcode "
        "koza kozabango furikomisaki tenban shiten yucho",
        "口座 コウザ 振込先 支店 店番 引落",
        _TEXT_OR_NUMBER,
    ),
    Words(
        ColumnClass.CARD_EXPIRY,
        "expiry expirydate expirationdate cardexpiry expdate expmonth expyear goodthru validthru yukokigen",
        "有効期限",
        _TEXT_OR_NUMBER | {"date"},
    ),
    Words(ColumnClass.SERVICE_CODE, "servicecode sabisukodo", "サービスコード", _TEXT_OR_NUMBER),
    Words(
        ColumnClass.FREE_TEXT,
        "memo note notes comment comments remark remarks message body text freetext description transcript content "
        "feedback subject biko tokkijiko naiyo komento tekiyo",
        "備考 メモ 摘要 コメント 内容 自由記述 本文 問合 問い合わせ 特記",
        frozenset({"string", "json"}),
    ),
    Words(
        ColumnClass.IDENTIFIER,
        "id ids uuid guid no num number ref reference key login loginid username userid accountid deviceid macaddress "
        "device imei idfa cookie session fingerprint hash sha256 md5 token license licence passport documentnumber "
        "referralcode destination bango kaiin kaiinid kaiinbango kokyakuid menkyo ryoken zairyu shikibetsu",
        "番号 会員ID 顧客ID 識別 免許 旅券 在留 指紋",
        _TEXT_OR_NUMBER - {"json"},
    ),
)
"""What must not be published as it is, by the words that promise it."""

SPECIAL_CARE: Final = Words(
    ColumnClass.NONE,
    "blood disease illness diagnosis medical health disability religion belief political race ethnic criminal arrest "
    "genetic union income salary wage debt asset death died marriage married divorce byoreki shukyo jinshu hanzai "
    "shogai ketsueki kenko kinen shibo kekkon rikon nenshu shotoku kyuyo shisan",
    "病 宗教 人種 犯罪 障害 血液 健康 信条 記念 死亡 結婚 離婚 年収 所得 給与 資産 国籍",
)
"""Special care-required information (要配慮個人情報, APPI art. 2 (3)) and what tells a person's life or means."""

CODES: Final = Words(
    ColumnClass.NONE,
    "status kind type category currency channel method mode outcome decision band bureau role locale language country "
    "template rank tier grade jotai shubetsu kubun tsuka keiro kekka shurui",
    "状態 種別 区分 ステータス 通貨 種類 結果",
)
"""Last words of names of short texts that are fixed codes."""

MEASURES: Final = Words(
    ColumnClass.NONE,
    "amount price fee rate count total sum balance billed paid points quantity qty limit interchange surcharge "
    "principal interest days score due value jpy kingaku ryokin tesuryo kensu ritsu zandaka gokei suryo gendogaku "
    "kaisu",
    "金額 料金 手数料 件数 率 残高 合計 数量 限度額 回数 日数",
)
"""Words of numbers that measure something."""

TIMES: Final = Words(
    ColumnClass.NONE,
    "at on date time day month since until nichiji hizuke nengappi",
    "日時 日付 日 年月 時刻",
)
"""Last words of names of times at which something happened."""
