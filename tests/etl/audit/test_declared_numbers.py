"""A column that a contract declares to be harmless numbers is audited for cards, by the share that passes Luhn."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import yaml
from pyspark.sql import SparkSession

from etl.audit.orphans import TokenSources
from etl.audit.reading import declared_results, read_staged, rules_of
from etl.audit.reading.declared_numbers import declared_rates
from etl.cloud.storage import StagingLocation
from etl.stage import Staged
from expectations.checks import CheckResult
from masking.kernels.luhn import check_digit
from schemas.contract import Contract
from tests.etl.staging import plan_of, stage_rows

pytestmark = pytest.mark.stack
CONTRACT = """
table: gifts
about: One row for each gift.
source: test.gifts
publish: auditing.gifts
load: {mode: full}
key: [gift]
columns:
  gift: {type: int64, class: identifier, mask: {strategy: tokenize, domain: gift}}
  order_no: {type: string, class: none, mask: {strategy: keep, why: our number}, format: digits}
  device: {type: string, class: none, mask: {strategy: keep, why: a device}, format: imei}
"""


def staged(location: StagingLocation, numbers: list[str | None]) -> Staged:
    """Stages a row for each number, in two files."""
    contract = Contract.model_validate(yaml.safe_load(CONTRACT))
    rows = [(f"k1_{at:032x}", number, "490154203237518") for at, number in enumerate(numbers)]
    half = len(rows) // 2
    return stage_rows(
        plan_of(contract, date(2023, 8, 30)), location, {None: rows[:half], date(2023, 8, 30): rows[half:]}
    )


def random_numbers(count: int, *, valid: bool) -> list[str | None]:
    """Returns numbers of sixteen digits that no brand has, all with Luhn's check digit or with any."""
    digits = np.random.default_rng(7).integers(0, 10, (count, 16)).astype(np.uint8)
    digits[:, 0] = 7
    if valid:
        digits[:, -1] = check_digit(digits[:, :-1])
    return ["".join(map(str, row)) for row in digits.tolist()]


def judged(spark: SparkSession, stage: Staged, location: StagingLocation) -> list[CheckResult]:
    """Returns what the reading of a stage says of its declared numbers."""
    found = read_staged(spark, TokenSources(location), stage.files, rules_of(stage))
    return declared_results(stage.plan.contract, found.seen.declared)


def test_declared_cards_are_refused(spark: SparkSession, location: StagingLocation) -> None:
    """Forty numbers that all pass Luhn are a column of cards, whatever the contract calls them; the counts say so."""
    (result,) = judged(spark, staged(location, [*random_numbers(40, valid=True), None]), location)
    assert not result.passed
    assert (result.check.kwargs, result.failed, result.checked) == ({"column": "order_no"}, 40, 40)


def test_honest_numbers_pass(spark: SparkSession, location: StagingLocation) -> None:
    """A thousand numbers, of which a hundred pass Luhn, are what they are declared; so is one said often."""
    (result,) = judged(spark, staged(location, random_numbers(1_000, valid=False)), location)
    assert (result.passed, result.failed, result.checked) == (True, 0, 1_000)
    (again,) = judged(spark, staged(location, random_numbers(1, valid=True) * 100), location)
    assert (again.passed, again.checked) == (True, 1)


def test_numbers_whose_check_digit_is_luhns_are_not_judged_by_it() -> None:
    """An IMEI passes Luhn by its own right: only the other declared column is looked at."""
    assert declared_rates(Contract.model_validate(yaml.safe_load(CONTRACT))) == {"order_no": 0.1}
