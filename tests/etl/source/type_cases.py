"""Extreme values of every supported type, and what no type of ours holds: source literals and what they become."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from etl.errors import ValuesUnfit


@dataclass(frozen=True)
class Case:
    """A source type, its contract type, and literals of the source, each with what must be published."""

    source: str
    contract: str
    values: tuple[tuple[str, Any], ...]


_UTC: Final = dt.UTC
_FIRST: Final = dt.datetime(1, 1, 1)  # noqa: DTZ001  civil
_LAST: Final = dt.datetime(9999, 12, 31, 23, 59, 59, 999999)  # noqa: DTZ001  the same
_DAYS: Final = ("0001-01-01", "9999-12-31", "1582-10-10", "2024-02-29")
_DATES: Final = tuple((f"'{day}'", dt.date.fromisoformat(day)) for day in _DAYS)
_UUID: Final = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
_NINES: Final = Decimal(f"{'9' * 20}.{'9' * 18}")
_WIDEST: Final = ((str(_NINES), _NINES), (f"-{_NINES}", _NINES.copy_negate()))
_TEXTS: Final = (
    ("''", ""), ("' a\t\n'", " a\t\n"), ("'𠮷野家🍣e\u0301'", "𠮷野家🍣e\u0301"),
    ("'\x01\x1f\x7f\u0080\ufeff'", "\x01\x1f\x7f\u0080\ufeff"),
    ("'''\"`'", "'\"`"), ("'NULL'", "NULL"), (f"'{'あ' * 30000}'", "あ" * 30000),
)  # fmt: skip
_JSONS: Final = (
    ('\'{"b": 1, "aa": 2, "a": 1.10}\'', '{"a": 1.10, "b": 1, "aa": 2}'), ("'[1e2, -0.0, 0.1]'", "[100, 0.0, 0.1]"),
    ("'\"🍣 \\u00e9\"'", '"🍣 é"'), ("' {\"a\": [ ], \"b\" : null} '", '{"a": [], "b": null}'),
)  # fmt: skip
POSTGRES: Final = {
    "a_text": Case("text", "string", (*_TEXTS, ("E'back\\\\slash'", "back\\slash"))),
    "a_varchar": Case("varchar(40)", "string", (("'x  '", "x  "),)),
    "a_char": Case("char(5)", "string", (("'ab   '", "ab"), ("' ab'", " ab"))),  # the padding is the type's, no value
    "a_uuid": Case(
        "uuid", "string", (("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),)
    ),
    "an_inet": Case("inet", "string", (("'10.0.0.1'", "10.0.0.1/32"), ("'2001:db8::1/48'", "2001:db8::1/48"))),
    "a_cidr": Case("cidr", "string", (("'10.0.0.0/8'", "10.0.0.0/8"),)),
    "a_macaddr": Case("macaddr", "string", (("'08002b:010203'", "08:00:2b:01:02:03"),)),
    "an_enum": Case("types.mood", "string", (("'静か'", "静か"), ("'it''s'", "it's"))),
    "a_domain": Case("types.code", "string", (("'C-1'", "C-1"),)),
    "a_money_domain": Case("types.yen", "numeric(14,2)", (("-0.01", Decimal("-0.01")),)),
    "a_time": Case("time", "string", (("'24:00:00'", "24:00:00"), ("'23:59:59.999999'", "23:59:59.999999"))),
    "a_timetz": Case("timetz", "string", (("'04:05:06.7+09'", "04:05:06.7+09"),)),
    "an_interval": Case(
        "interval",
        "string",
        (("'1 year -2 mons 3 days -04:05:06.000007'", "P10M3DT-4H-5M-6.000007S"), ("'0'", "PT0S")),
    ),
    "some_bits": Case("varbit", "string", (("B'0101'", "0101"), ("B''", ""))),
    "an_int2": Case("int2", "int64", (("-32768", -(2**15)), ("32767", 2**15 - 1))),
    "an_int4": Case("int4", "int64", (("-2147483648", -(2**31)),)),
    "an_int8": Case("int8", "int64", (("-9223372036854775808", -(2**63)), ("9223372036854775807", 2**63 - 1))),
    "a_float8": Case(
        "float8",
        "float64",
        (("0.1", 0.1), ("'-0'", -0.0), ("5e-324", 5e-324), ("1.7976931348623157e308", 1.7976931348623157e308)),
    ),
    "an_infinity": Case("float8", "float64", (("'NaN'", float("nan")), ("'-Infinity'", float("-inf")))),
    "a_float4": Case("float4", "float64", (("0.1", 0.10000000149011612), ("16777216", 16777216.0))),  # the same number
    "a_bool": Case("bool", "bool", (("true", True), ("false", False))),
    "a_numeric": Case(
        "numeric(38,9)",
        "numeric(38,9)",
        (
            ("99999999999999999999999999999.999999999", Decimal("99999999999999999999999999999.999999999")),
            ("-0.000000001", Decimal("-0.000000001")),
        ),
    ),
    "an_open_numeric": Case("numeric", "numeric(38,9)", (("1.50", Decimal("1.5")), ("1e20", Decimal(10**20)))),
    "a_wide_numeric": Case("numeric(38,18)", "numeric(38,18)", _WIDEST),
    "a_small_numeric": Case("numeric(5,-2)", "numeric(7,0)", (("12345.6", Decimal(12300)),)),
    "a_date": Case(
        "date",
        "date",
        _DATES,
    ),
    "an_instant": Case(
        "timestamptz",
        "timestamp",
        (
            ("'0001-01-01 00:00:00+00'", _FIRST.replace(tzinfo=_UTC)),
            ("'9999-12-31 23:59:59.999999+00'", _LAST.replace(tzinfo=_UTC)),
            ("'2021-03-28 02:30:00 Europe/Berlin'", dt.datetime(2021, 3, 28, 1, 30, tzinfo=_UTC)),
            ("'1948-05-02 00:30:00 Asia/Tokyo'", dt.datetime(1948, 5, 1, 15, 30, tzinfo=_UTC)),
            ("'1969-12-31 23:59:59.999999+00'", dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=_UTC)),
        ),
    ),
    "a_civil_time": Case("timestamp", "datetime", (("'0001-01-01'", _FIRST), ("'9999-12-31 23:59:59.999999'", _LAST))),
    "some_bytes": Case("bytea", "bytes", ((r"'\x'", b""), (r"'\x00ff0a5c'", b"\x00\xff\n\\"))),
    "a_jsonb": Case("jsonb", "json", _JSONS),
    "a_json": Case("json", "json", (*_JSONS, ('\'{"a": 1, "a": 2}\'', '{"a": 2}'))),
}
MYSQL: Final = {
    "a_text": Case("LONGTEXT", "string", (*_TEXTS, (r"'back\\slash'", "back\\slash"))),
    "a_varchar": Case("VARCHAR(40)", "string", (("'x  '", "x  "),)),
    "a_latin_text": Case("VARCHAR(10) CHARACTER SET latin1", "string", (("'é'", "é"),)),
    "a_char": Case("CHAR(5)", "string", (("'ab   '", "ab"), ("' ab'", " ab"))),
    "an_enum": Case("ENUM('静か', 'it''s')", "string", (("'静か'", "静か"), ("'it''s'", "it's"))),
    "a_set": Case("SET('a', 'b', 'c')", "string", (("'c,a'", "a,c"), ("''", ""))),
    "a_uuid": Case(
        "UUID", "string", (("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),)
    ),
    "an_inet6": Case("INET6", "string", (("'2001:DB8::1'", "2001:db8::1"),)),
    "a_tinyint": Case("TINYINT", "int64", (("-128", -128),)),
    "an_unsigned_int": Case("INT UNSIGNED", "int64", (("4294967295", 2**32 - 1),)),
    "a_bigint": Case("BIGINT", "int64", (("-9223372036854775808", -(2**63)), ("9223372036854775807", 2**63 - 1))),
    "an_unsigned_bigint": Case(
        "BIGINT UNSIGNED", "numeric(20,0)", (("18446744073709551615", Decimal(2**64 - 1)), ("0", Decimal(0)))
    ),
    "a_year": Case("YEAR", "int64", (("1901", 1901), ("2155", 2155))),
    "a_bool": Case("TINYINT(1)", "bool", (("1", True), ("0", False))),
    "a_bit": Case("BIT(1)", "bool", (("b'1'", True), ("b'0'", False))),
    "a_small_number": Case("TINYINT(1)", "int64", (("-7", -7),)),
    "a_double": Case(
        "DOUBLE",
        "float64",
        (
            ("0.1", 0.1),
            ("2.2250738585072014e-308", 2.2250738585072014e-308),
            ("1.7976931348623157e308", 1.7976931348623157e308),
        ),
    ),
    "a_float": Case("FLOAT", "float64", (("0.1", 0.10000000149011612), ("16777216", 16777216.0))),
    "a_decimal": Case(
        "DECIMAL(38,9)",
        "numeric(38,9)",
        (
            ("99999999999999999999999999999.999999999", Decimal("99999999999999999999999999999.999999999")),
            ("-0.000000001", Decimal("-0.000000001")),
        ),
    ),
    "a_wide_decimal": Case("DECIMAL(38,18)", "numeric(38,18)", _WIDEST),
    "a_date": Case(
        "DATE",
        "date",
        _DATES,
    ),
    "an_instant": Case(
        "TIMESTAMP(6) NULL",
        "timestamp",
        (
            ("'1970-01-01 00:00:01'", dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=_UTC)),
            ("'2038-01-19 03:14:07.999999'", dt.datetime(2038, 1, 19, 3, 14, 7, 999999, tzinfo=_UTC)),
            ("'2021-03-28 01:30:00'", dt.datetime(2021, 3, 28, 1, 30, tzinfo=_UTC)),
        ),
    ),
    "a_whole_second": Case(
        "TIMESTAMP NULL", "timestamp", (("'2023-08-30 15:00:00'", dt.datetime(2023, 8, 30, 15, tzinfo=_UTC)),)
    ),
    "a_civil_time": Case(
        "DATETIME(6)", "datetime", (("'0001-01-01'", _FIRST), ("'9999-12-31 23:59:59.999999'", _LAST))
    ),
    "some_bytes": Case("VARBINARY(20)", "bytes", (("''", b""), ("X'00ff0a5c'", b"\x00\xff\n\\"))),
    "fixed_bytes": Case("BINARY(4)", "bytes", (("'ab'", b"ab\0\0"),)),
    "a_blob": Case("LONGBLOB", "bytes", (("X'00'", b"\0"),)),
    "a_json": Case("JSON", "json", (*((source.replace("\\", "\\\\"), wanted) for source, wanted in _JSONS),)),
}
UNFIT_POSTGRES: Final = {
    "not_a_number": ("numeric", "'NaN'", "numeric(38,9)", ValuesUnfit),
    "an_infinite_numeric": ("numeric", "'-Infinity'", "numeric(38,9)", ValuesUnfit),
    "too_many_digits": ("numeric", "1e38", "numeric(38,0)", ValuesUnfit),
    "too_fine": ("numeric", "0.0000000001", "numeric(38,9)", ValuesUnfit),
    "an_infinite_date": ("date", "'infinity'", "date", ValuesUnfit),
    "before_christ": ("date", "'0044-03-15 BC'", "date", ValuesUnfit),
    "after_bigquery": ("date", "'10000-01-01'", "date", ValuesUnfit),
    "an_infinite_instant": ("timestamptz", "'-infinity'", "timestamp", ValuesUnfit),
    "an_instant_before_christ": ("timestamptz", "'0001-12-31 BC'", "timestamp", ValuesUnfit),
    "a_late_civil_time": ("timestamp", "'10000-01-01'", "datetime", ValuesUnfit),
    "a_nul_in_json": ("json", '\'{"a": "\\u0000"}\'', "json", ValuesUnfit),
}
UNFIT_MYSQL: Final = {
    "a_zero_date": ("DATE", "'0000-00-00'", "date", "2 values of a_zero_date are zero dates"),
    "a_month_without_days": ("DATE", "'2023-08-00'", "date", "2 values of a_month_without_days are zero dates"),
    "a_zero_time": ("DATETIME", "'0000-00-00 00:00:00'", "datetime", "2 values of a_zero_time are zero dates"),
    "a_zero_instant": (
        "TIMESTAMP NULL",
        "'0000-00-00 00:00:00'",
        "timestamp",
        "2 values of a_zero_instant are zero dates",
    ),
    "no_bool": ("TINYINT(1)", "2", "bool", "2 values of no_bool are neither 0 nor 1"),
    "too_fine": ("DECIMAL(38,10)", "0.0000000001", "numeric(38,9)", "2 values of too_fine do not fit"),
    "an_endless_number": (
        "JSON",
        "'1e99999'",
        "json",
        "2 values of an_endless_number are JSON without a canonical text",
    ),
}
UNHELD_POSTGRES: Final = {
    "a_list": ("int4[]", "a column holds one value"),
    "some_money": ("money", "depends on the server's locale"),
    "a_place": ("point", "no type of ours holds it exactly"),
    "a_record": ("types.pair", "no type of ours holds it exactly"),
}
UNHELD_MYSQL: Final = {
    "a_wide_decimal": ("DECIMAL(65,30)", "more than 38 digits"),
    "a_span": ("TIME", "not a time of day"),
    "some_bits": ("BIT(8)", "a string of bits"),
    "a_shape": ("POINT", "a shape has no column type"),
}
