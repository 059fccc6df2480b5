"""Column names are read by one table of words, whatever language, abbreviation, spelling or joint they have."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from masking.policy import ColumnClass
from masking.policy.names import meaning
from masking.policy.names.reading import read
from masking.policy.names.table import _TABLE, HARMLESS, words

NAMES = {
    "sensitive_authentication": """
        icv3ds card_icv_3ds icvv cvc3 ucaf_data tavv pvki pvki_cd
        cvv_number pin_number cvvnumber cvv_code cvc_cd card_cvv2 cvvcd card_cvv_cd CardCVV securitycode
        sec_code card_verification_number atm_pin pin_hash pinblk pinno track2 track_2 track1data mag_stripe
        user_pwd passwd_hash passcode PasswordHash passwordsalt user_passwd oldpasswd pswd passwrd pasword
        pssword login_pw user_pass mem_pass reminder_answer secretAnswer secret_key api_secret client_secret
        accessToken reset_token remember_token otp_secret totp 暗証番号 ansyo_no anshobango セキュリティコード
        パスワード himitsu_kotae セキュリティーコード 暗唱番号 ccv ccv2 ccv_code card_verif_cd card_security_no TRACK_II
        2fa_code 2fa_secret TwoFactorCode user2fa
    """,
    "national_id": """
        my_number mynumber my_no kojin_bango kojinbangou 個人番号 マイナンバー ssn cust_ssn social_security_no
        govt_issued_id nationalidnumber mai_nanba natl_id
    """,
    "pan": """
        pan card_num CARD-NUM cardNumber cardno card_nbr crd_num card_numbr card_nmber tran_card_num
        creditcardnumber cc_number ccnum debitcardno pan_hash pan_country カード番号 クレジットカード番号
        kado_no kaado_bangou kureka_no crad_number
    """,
    "card_expiry": """
        card_expiraion_date expire_date expires_on expires_at valid_until expmonth expyear exp_dt expdt exp_yymm
        expiration_yr expirtion_date good_thru cc_expires 有効期限 yuko_kigen
        有効年月 exipry_date vaild_thru expiring_on valid_till validity_end ccexp
    """,
    "service_code": """
        service_code cardServiceCode サービスコード
    """,
    "birth_date": """
        birth dob_yyyy_mm_dd cust_dob birth_dt bday dateofbirth birthymd birtday brithday seinen_gappi 生年月日
        customers_dob date_of_brith bdate
    """,
    "personal": """
        salary nenshu 給与 credit_score fico_credit_score hourly_rate gross_pay blood_type 病歴 marital_status
        religion
    """,
    "person_name": """
        kaiin_mei kana02 order_name01 card_embossed_name cardholder card_holder holder_nm fname au_lname
        cust_name firstnm kokyaku_mei shimei_kana store_manager_name store_janitor_name 会社代表者名 氏名 フリガナ
        名義人 bank_account_name cardholdr_name
        cutomer_name
    """,
    "phone": """
        phone_number custPhoneNo tel03 tel_no fax mobile_no cell_no keitai_bango 電話番号 でんわ telphone
        teleohone_no
    """,
    "email": """
        email mail_addr e_mail_address emailadress メールアドレス email_to kaiin_mail emial
    """,
    "address": """
        addr01 ship_address shipaddress address_unit AddressLine1 adress home_adrs jusho_1 zyuusyo 住所 city_nm
        市区町村名
        street
    """,
    "postal_code": """
        zip01 postal_cd zip_cd zipcod postcode yubin_no 郵便番号 〒 addr_zip
    """,
    "account_number": """
        accountnumber account_no acct_no bank_acct koza_bango 口座番号 iban acount_number
    """,
    "ip_address": """
        ip ip_address last_login_ip ipaddr remote_addr comment_author_IP
    """,
    "identifier": """
        kaiin_no customer_id CustomerID user_name login_id order_number 会員番号 更新者コード member_cd
        passport_no
    """,
}
PLAIN = """
    status rank pref sex del_flg sts_flg kbn shubetsu_cd order_kbn rank_cd country_code order_status_id
    category_id upd_dt reg_ymd auth_ts created_ts modifieddate rateChangedate order_cnt ttl_amt curr_bal
    unit_prc tax_rt orderqty pinned_at is_pinned spinner compass bypass_flag passenger_count telemetry expansion
    shipping company span trackable cardinality discard export_flg exposure_cnt opinion japan namespace
    email_status address_type card_type phone_country club_name product_nm 商品名 category_major_name 都道府県名
    作成日 削除フラグ 数量 金額 有効フラグ valid_flg trial_days paymnet_method diary_page
"""


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NAMES.items() for name in names.split()])
def test_a_name_says_what_its_values_are(kind: str, name: str) -> None:
    """Abbreviated, joined, misspelled, in any case or script: each name says its kind."""
    assert meaning(name).kind == kind, (read(name), meaning(name))


@pytest.mark.parametrize("name", PLAIN.split())
def test_words_match_at_word_borders_only(name: str) -> None:
    """Codes, times, measures and things say nothing sensitive, whatever letters stand inside their words."""
    assert not meaning(name).sensitive, (read(name), meaning(name))


@pytest.mark.parametrize("word", ["cvv", "pin", "password", "track2", "secret_answer", "暗証番号"])
@pytest.mark.parametrize("other", ["number", "name", "email", "phone_type", "card_number", "birth_date", "id", "code"])
def test_words_of_authentication_data_beat_every_other(word: str, other: str) -> None:
    """Before or after any other word, on its own or joined, they decide."""
    for name in (f"{word}_{other}", f"{other}_{word}"):
        assert meaning(name).column_class == ColumnClass.SENSITIVE_AUTHENTICATION, name


@pytest.mark.parametrize(
    ("name", "table", "kind"),
    [
        ("number", "credit_cards", "pan"), ("number", "orders", "identifier"),
        ("month", "spree_credit_cards", "card_expiry"),
        ("name", "customers", "person_name"), ("name", "m_products", "thing"), ("name", "カテゴリマスタ", "thing"),
        ("rate", "employeepayhistory", "personal"), ("rate", "currencies", "measure"),
        ("token", "password_resets", "sensitive_authentication"),
        ("id", "password_history", "identifier"), ("code", "customers", "identifier"), ("code", "products", "code"),
    ],
)  # fmt: skip
def test_a_word_that_says_nothing_alone_is_read_with_its_table(name: str, table: str, kind: str) -> None:
    """`number` of cards is a card's; an id is an id in every table."""
    assert meaning(name, table).kind == kind


@given(st.text(max_size=40))
def test_any_name_is_read(name: str) -> None:
    """No name of any script fails, and a name means the same in upper and lower case."""
    meaning(name)
    if name.isascii() and name.isalpha():
        assert meaning(name.upper()) == meaning(name.lower())


def test_a_long_comment_is_read_in_no_time() -> None:
    """Comments have no limit: neither a long run of letters nor a page of Japanese takes long."""
    started = time.perf_counter()
    assert meaning("x" * 20_000).kind == ""
    assert meaning("備忘のための長い説明文" * 500 + "電話番号").kind == "phone"
    assert time.perf_counter() - started < 5


def test_the_table_names_each_phrase_once_and_only_known_kinds() -> None:
    """A kind is a class of contracts, `personal`, or harmless; no spelling stands for two words."""
    assert set(words().gravity) <= {one.value for one in ColumnClass} | {"personal", *HARMLESS}
    raw = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    spelled = [one for others in raw["spellings"].values() for one in others.split()]
    assert sorted(spelled) == sorted(set(spelled))
