"""How pages spell figures."""

from __future__ import annotations

import pytest

from etl.site.render import usd


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "–"), (0.0, "0.00"), (0.0000045, "< 0.01"), (0.01, "0.01"), (0.256, "0.26"), (1234.5, "1,234.50")],
)
def test_dollars_are_told_to_the_cent(value: float | None, told: str) -> None:
    """No exponent, and nothing that costs something is said to cost nothing."""
    assert usd(value) == told
