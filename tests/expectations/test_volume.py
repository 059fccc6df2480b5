"""Volume: a load is compared with the medians of earlier ones, and only when enough of them are known."""

from __future__ import annotations

import pytest

from expectations.suite import Volume
from expectations.volume import LoadSize, volume_results

EARLIER = [LoadSize(rows, {"memo": rows // 2, "id": 0}) for rows in (100, 104, 96, 100, 9_000)]
"""The last one is odd: a median does not mind it."""


def beyond(load: LoadSize, **bands: object) -> set[str]:
    """Returns the names of the checks that the load does not pass."""
    found = volume_results(Volume.model_validate(bands), load, EARLIER)
    return {one.check.name for one in found if not one.passed}


@pytest.mark.parametrize(
    ("rows", "failing"),
    [(50, set()), (150, set()), (49, {"load_rows_within_band"}), (151, {"load_rows_within_band"})],
)
def test_rows_stay_within_the_band(rows: int, failing: set[str]) -> None:
    """Half and one and a half of the usual rows are within the default band, one row more or less is not."""
    assert beyond(LoadSize(rows, {"memo": rows // 2, "id": 0})) == failing


def test_the_share_of_nulls_stays_within_the_band() -> None:
    """A column whose share of NULLs moves by more than ten points is named; how many rows there are does not matter."""
    assert beyond(LoadSize(100, {"memo": 60, "id": 0})) == set()
    assert beyond(LoadSize(100, {"memo": 61, "id": 11})) == {
        "load_nulls_within_band(memo)",
        "load_nulls_within_band(id)",
    }
    assert beyond(LoadSize(100, {"memo": 61, "id": 0}), nulls=0.2) == set()


def test_a_new_column_has_no_history() -> None:
    """A column that earlier loads did not have is not compared."""
    assert beyond(LoadSize(100, {"memo": 50, "id": 0, "new": 100})) == set()


def test_an_emptied_load_is_beyond() -> None:
    """No rows at all are told as such, and no share is divided by them."""
    assert beyond(LoadSize(0, {"memo": 0, "id": 0})) == {"load_rows_within_band"}


def test_few_loads_tell_nothing() -> None:
    """Until enough loads are known, and where the suite says so, nothing is compared."""
    odd = LoadSize(1, {"memo": 1})
    assert volume_results(Volume(), odd, EARLIER[:4]) == ()
    assert volume_results(Volume(check=False), odd, EARLIER) == ()
    assert not any(one.passed for one in volume_results(Volume(severity="blocking"), odd, EARLIER))
    assert all(one.blocks for one in volume_results(Volume(severity="blocking"), odd, EARLIER))


def test_a_load_of_the_same_day_is_no_earlier_one() -> None:
    """A day that is loaded again is compared with other days, not with what it was itself."""
    same = LoadSize(7, {"memo": 3, "id": 0}, again=True)
    bands, load = Volume.model_validate({}), LoadSize(50, {"memo": 25, "id": 0})
    assert volume_results(bands, load, [same, *EARLIER]) == volume_results(bands, load, EARLIER)
    assert volume_results(bands, load, [same, *EARLIER[: bands.loads - 1]]) == ()
