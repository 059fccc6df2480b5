"""Dates, numbers, places and documents are generalized exactly as written, at the edges too."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from masking.errors import StrategyMisused
from masking.examples import EXAMPLE_DAY, example_keyring
from masking.strategies import (
    Bucket,
    EmailDomain,
    GeneralizeDate,
    IpPrefix,
    JsonFields,
    MaskContext,
    Partial,
    Prefecture,
    Round,
    ShiftDate,
    Strategy,
    TruncatePan,
)

GIVEN = MaskContext(example_keyring(), EXAMPLE_DAY)


def masked(strategy: Strategy, *values: object, source: pa.DataType | None = None) -> list[object]:
    """The masked values; "invalid" where a row was flagged."""
    result = strategy.mask(pa.array(values, source), GIVEN)
    shown = result.values.to_pylist()
    return ["invalid" if result.invalid is not None and result.invalid[row] else each for row, each in enumerate(shown)]


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (date(2003, 8, 31), "20-29"),  # twentieth birthday on the business day
        (date(2003, 9, 1), "10-19"),  # a day before it
        (date(2023, 8, 31), "0-9"),
        (date(2023, 9, 1), "invalid"),  # not born yet
        (date(1933, 8, 31), "90+"),
        (date(1, 1, 1), "90+"),
    ],
)
def test_age_bands_turn_on_the_birthday(born: date, band: str) -> None:
    """The age is counted in completed years on the business day of the run."""
    assert masked(GeneralizeDate(to="age_band"), born) == [band]


def test_instants_count_by_the_japanese_calendar() -> None:
    """15:00 UTC on New Year's Eve is New Year in Japan."""
    eve = [datetime(2022, 12, 31, 14, 59, 59, tzinfo=UTC), datetime(2022, 12, 31, 15, tzinfo=UTC)]
    for unit in ("s", "ms", "us"):
        assert masked(GeneralizeDate(to="year"), *eve, source=pa.timestamp(unit, "UTC")) == ["2022", "2023"]
    assert masked(GeneralizeDate(to="quarter"), *eve, source=pa.timestamp("us", "UTC")) == ["2022-Q4", "2023-Q1"]


def test_only_real_dates_are_read_from_text() -> None:
    """Text that is no date is counted, February 30 too."""
    texts = ("1990-02-28", "1990-02-30", "1990-13-01", "90-01-01", "19900401", "1990-04-01 ", "soon")
    expected = ["1990-02", "invalid", "invalid", "invalid", "1990-04", "invalid", "invalid"]
    assert masked(GeneralizeDate(to="month"), *texts) == expected


@for_all(st.lists(st.dates(date(1900, 1, 1), date(2100, 1, 1)), min_size=2, max_size=20), st.integers(1, 90))
def test_shifted_dates_keep_intervals_within_an_entity(days: list[date], most: int) -> None:
    """All dates of one member move alike, at least one day and at most `max_days`, as dates and as instants."""
    strategy = ShiftDate(domain="member", entity="who", max_days=most)
    given = MaskContext(GIVEN.keys, GIVEN.day, {"who": pa.array(["m1"] * len(days))})
    shifted = strategy.mask(pa.array(days), given).values.to_pylist()
    moves = {after - before for before, after in zip(days, shifted, strict=True)}
    assert len(moves) == 1
    assert timedelta(days=1) <= abs(moves.pop()) <= timedelta(days=most)
    instants = pa.array(days).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    moved = strategy.mask(instants, given).values.cast(pa.timestamp("us")).cast(pa.date32()).to_pylist()
    assert moved == shifted


def test_entities_move_apart_and_evenly() -> None:
    """Over many members every number of days but zero occurs, about equally often."""
    rows = 6000
    given = MaskContext(GIVEN.keys, GIVEN.day, {"who": pa.array(range(rows))})
    column = pa.array([date(2023, 1, 1)] * rows)
    moves = pa.compute.subtract(
        ShiftDate(domain="member", entity="who", max_days=3).mask(column, given).values.view(pa.int32()),
        column.view(pa.int32()),
    )
    counts = {each["values"]: each["counts"] for each in pa.compute.value_counts(moves).to_pylist()}
    assert set(counts) == {-3, -2, -1, 1, 2, 3}
    assert all(800 < count < 1200 for count in counts.values())


def test_a_date_without_an_entity_is_counted() -> None:
    """No entity, no shift: the date is not published; nor is one that would leave the calendar."""
    given = MaskContext(GIVEN.keys, GIVEN.day, {"who": pa.array(["a", None, "a", "b"])})
    dates = pa.array([date(2023, 1, 1), date(2023, 1, 1), None, date(9999, 12, 31)])
    result = ShiftDate(domain="member", entity="who", max_days=3650).mask(dates, given)
    assert result.invalid is not None
    assert result.invalid.tolist()[:3] == [False, True, False]
    with pytest.raises(StrategyMisused, match="needs column card"):
        ShiftDate(domain="member", entity="card").mask(dates, given)


@for_all(st.lists(st.none() | st.decimals(-(10**10), 10**10, places=2), max_size=30))
def test_buckets_are_exact(amounts: list[Decimal | None]) -> None:
    """A decimal lies in the range whose lower edge it reaches, however close to it."""
    edges = (Decimal("-0.005"), Decimal("99.99"), Decimal(100))
    names = ["under -0.005", "-0.005 to under 99.99", "99.99 to under 100", "100 and over"]
    expected = [None if each is None else names[sum(each >= edge for edge in edges)] for each in amounts]
    assert masked(Bucket(edges=edges), *amounts, source=pa.decimal128(20, 2)) == expected


@pytest.mark.parametrize(
    "source", [pa.int8(), pa.int64(), pa.uint64(), pa.decimal128(4, 1), pa.float32(), pa.float64()]
)
def test_buckets_take_every_kind_of_number(source: pa.DataType) -> None:
    """An edge that the type cannot hold is no obstacle."""
    column = (
        pa.array([0, 5, 100], pa.int64()).cast(pa.float64()).cast(source) if source != pa.decimal128(4, 1) else None
    )
    column = pa.array([Decimal(0), Decimal(5), Decimal(100)], source) if column is None else column
    values = Bucket(edges=("0.5", 5, 10**15)).mask(column, GIVEN).values.to_pylist()
    assert values == ["under 0.5", "5 to under 1000000000000000", "5 to under 1000000000000000"]


@for_all(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20), st.integers(1, 10**17))
def test_integers_round_half_away_from_zero_or_are_counted(numbers: list[int], unit: int) -> None:
    """The nearest multiple, exactly; a multiple that the type cannot hold is invalid."""

    def nearest(number: int) -> int | str:
        size = (abs(number) + unit // 2) // unit * unit
        return "invalid" if size > 2**63 - 1 else size if number >= 0 else -size

    assert masked(Round(to=unit), *numbers, source=pa.int64()) == [nearest(number) for number in numbers]


@for_all(
    st.lists(st.decimals(-Decimal("99999.999"), Decimal("99999.999"), places=3), min_size=1, max_size=20),
    st.sampled_from([Decimal("0.001"), Decimal("0.25"), Decimal(7), Decimal(100000)]),
)
def test_decimals_round_half_away_from_zero_or_are_counted(numbers: list[Decimal], unit: Decimal) -> None:
    """As for integers; the type stays."""

    def nearest(number: Decimal) -> Decimal | str:
        size = (abs(number) / unit + Decimal("0.5")) // 1 * unit
        return "invalid" if size >= 10**5 else size.copy_sign(number) if size else Decimal(0)

    assert masked(Round(to=unit), *numbers, source=pa.decimal128(8, 3)) == [nearest(number) for number in numbers]


def test_widest_decimals_round() -> None:
    """38 digits leave no room to compute in, and still round or are counted."""
    most = "9" * 37
    numbers = [Decimal(f"{sign}{most}{last}") for sign in ("", "-") for last in (9, 5, 4)]
    kept = Decimal(f"{most}0")
    expected = ["invalid", "invalid", kept, "invalid", "invalid", kept.copy_negate()]
    assert masked(Round(to=10), *numbers, source=pa.decimal128(38, 0)) == expected
    with pytest.raises(StrategyMisused, match="enough fraction digits"):
        Round(to=Decimal("0.5")).output_type(pa.int64())


def test_truncated_cards_have_the_allowed_formats() -> None:
    """Eight leading digits from 16 digits on, six below; the count of hidden digits never shows."""
    cards = ("4111111111111111", "378282246310005", "30569309025904", "6200000000000000003")
    expected = ["41111111xxxxxx1111", "378282xxxxxx0005", "305693xxxxxx5904", "62000000xxxxxx0003"]
    assert masked(TruncatePan(keep_first=8), *cards) == expected
    assert masked(TruncatePan(keep_first=0), *cards)[:2] == ["xxxxxx1111", "xxxxxx0005"]
    assert masked(TruncatePan(), "411111111111", "4111 1111 1111 111x", "") == ["invalid"] * 3


def test_partial_hides_short_values_whole() -> None:
    """A value with nothing between its kept ends shows nothing at all; characters count, not bytes."""
    strategy = Partial(keep_first=1, keep_last=2)
    assert masked(strategy, "山田太郎", "abc", "", "😀😀😀😀😀") == ["山*太郎", "***", "", "😀**😀😀"]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77/32", "203.0.113.0/24"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("203.0.113", "invalid"),
        ("203.0.113.999", "invalid"),
        ("", "invalid"),
    ],
)
def test_networks(address: str, network: str) -> None:
    """An address in any spelling of PostgreSQL's inet becomes its network; a wider network stays as wide."""
    assert masked(IpPrefix(), address) == [network]


def test_places_and_providers() -> None:
    """Only what stands on a list shows."""
    assert masked(Prefecture(), "渋谷区神宮前", "〒150-0001 東京都渋谷区", "１５０－０００１　東京都") == [
        "invalid",
        "東京都",
        "東京都",
    ]
    strategy = EmailDomain(known=("gmail.com",), other="rest")
    assert masked(strategy, "a@gmail.com", "a@sub.gmail.com", "a@gmail.com.evil.jp", "gmail.com") == [
        "gmail.com",
        "rest",
        "rest",
        "invalid",
    ]


FIELDS = JsonFields.model_validate(
    {
        "fields": {
            "id": {"strategy": "tokenize", "domain": "member"},
            "amount": {"strategy": "round", "to": 100},
            "lines[].sku": {"strategy": "keep", "why": "product codes"},
            "tags[]": {"strategy": "redact"},
        }
    }
)


def test_documents_keep_named_fields_only() -> None:
    """What no path names is removed, at every depth; numbers stay exact; lists keep their order and length."""
    document = {
        "secret": "x",
        "id": 42,
        "amount": 1250,
        "lines": [{"sku": "b", "name": "taro"}, {"name": "jiro"}, "odd", {"sku": 12345678901234567890}],
        "tags": ["p", None],
    }
    (text,) = masked(FIELDS, json.dumps(document))
    assert isinstance(text, str)
    result = json.loads(text)
    assert result == {
        "id": "k1_0d63cdb023b90975c8edbc08ff056d024bf2",
        "amount": 1300,
        "lines": [{"sku": "b"}, {}, None, {"sku": 12345678901234567890}],
        "tags": ["REDACTED", None],
    }
    assert list(result) == sorted(result)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"id": {"deep": 1}}',
        '{"id": [1]}',
        '{"amount": "12x"}',
        '{"amount": true}',
        '{"amount": 1e99}',
        '{"amount": NaN}',
        '{"id": "\\ud800"}',
        '{"id": 1',
        "[" * 100_000,
        '{"id": ' + "9" * 5000 + "}",
    ],
    ids=range(13),
)
def test_documents_that_do_not_fit_are_counted(text: str) -> None:
    """No JSON object, a field of another shape, or a field that cannot be masked: the whole document is invalid."""
    assert masked(FIELDS, text, '{"id": null}') == ["invalid", '{"id":null}']


def test_ranges_are_told_in_order() -> None:
    """The shape given to the audit names every range once."""
    edges = tuple(Decimal(edge) for edge in (1, 10, 100))
    pattern = Bucket(edges=edges).token_pattern()
    assert pattern is not None
    assert all(pattern.index(str(low)) < pattern.rindex(str(high)) for low, high in pairwise(edges))


@pytest.mark.parametrize(
    ("v4", "v6", "text", "network"),
    [
        (24, 48, "203.0.113.77/32", "203.0.113.0/24"),
        (20, 48, "203.0.113.77", "203.0.112.0/20"),
        (24, 48, "10.1.2.3/16", "10.1.0.0/16"),
        (24, 48, "2001:db8:12:34::1/128", "2001:db8:12::/48"),
        (24, 32, "2001:db8:12::/48", "2001:db8::/32"),
        (24, 44, "2001:db8:ab:cd::1", "2001:db8:a0::/44"),
        (24, 17, "2001:ffff::", "2001:8000::/17"),
        (24, 48, "::1", "::/48"),
        (24, 48, "::1/64", "::/48"),
        (24, 48, "::ffff:203.0.113.7", "203.0.113.0/24"),
        (24, 48, "256.1.1.1", None),
        (24, 48, "01.2.3.4", None),
        (24, 48, "1:2:3:4:5:6:7:8/128/128", None),
    ],
)
def test_every_spelling_of_an_address_gives_its_network(v4: int, v6: int, text: str, network: str | None) -> None:
    """Fast and careful paths agree: whole octets, odd lengths, interfaces, mapped addresses, and what is none."""
    assert masked(IpPrefix(v4=v4, v6=v6), text) == [network or "invalid"]


@for_all(st.lists(st.ip_addresses().map(str), max_size=20), st.integers(8, 24), st.integers(16, 48))
def test_networks_are_those_of_the_library(texts: list[str], v4: int, v6: int) -> None:
    """Any address gives the network that `ipaddress` gives, whichever way it was read and whatever stands beside it."""

    def network(text: str) -> str:
        address = ip_address(text)
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else address
        return str(ip_network(f"{mapped or address}/{v4 if mapped else v6}", strict=False))

    assert masked(IpPrefix(v4=v4, v6=v6), *texts, source=pa.string()) == [network(text) for text in texts]
