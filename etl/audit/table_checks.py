"""A table's checks: those that follow from its contract, and those of its own suite."""

from __future__ import annotations

from pathlib import Path

from etl.errors import NOT_PUBLISHED
from expectations.checks import Check, SuiteInvalid
from expectations.derived import TableFacts, derived_checks
from expectations.suite import BUNDLED, Suite, load_suite
from schemas.contract import Contract
from schemas.errors import ContractInvalid


def table_suite(contract: Contract, suites: Path = BUNDLED) -> Suite:
    """Returns a table's own suite.

    Raises:
        ContractInvalid: it cannot be read, or names a column that is not published.
    """
    problem = ""
    try:
        suite = load_suite(suites / f"{contract.table}.yaml", contract.table)
    except SuiteInvalid as error:
        problem = str(error)
    if not problem:
        unknown = sorted(suite.named - set(contract.published))
        if not unknown:
            return suite
        problem = f"The suite names columns that are not published: {', '.join(unknown)}."
    raise ContractInvalid(problem, not_done=NOT_PUBLISHED, where={"file": f"expectations/{contract.table}.yaml"})


def checks_of(contract: Contract, rows: int, suites: Path = BUNDLED) -> tuple[Check, ...]:
    """Returns every expectation of a table: those that follow from the contract, then its own suite's.

    Raises:
        ContractInvalid: the suite names an expectation, an argument or a column that does not exist.
    """
    patterns = {name: column.mask.token_pattern() for name, column in contract.selected.items()}
    facts = TableFacts(
        key=contract.key,
        not_null=tuple(name for name, column in contract.selected.items() if not column.nullable),
        patterns={name: pattern for name, pattern in patterns.items() if pattern},
        rows=rows,
        values={name: column.values for name, column in contract.selected.items() if column.values},
    )
    checks = (*derived_checks(facts), *table_suite(contract, suites).checks)
    from expectations.build import built  # noqa: PLC0415  Great Expectations takes seconds to import

    problem = ""
    try:
        for check in checks:
            built(check)
    except SuiteInvalid as error:
        problem = str(error)
    if problem:
        raise ContractInvalid(problem, not_done=NOT_PUBLISHED, where={"file": f"expectations/{contract.table}.yaml"})
    return checks
