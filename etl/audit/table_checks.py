"""A table's checks: those that follow from its contract, and those of its own suite."""

from __future__ import annotations

from pathlib import Path

from etl.errors import NOT_PUBLISHED
from expectations.checks import Check, SuiteInvalid
from expectations.derived import TableFacts, derived_checks
from expectations.suite import BUNDLED, Suite
from expectations.suite_lint import suite_problems
from schemas.contract import Contract
from schemas.errors import ContractInvalid
from schemas.yaml_file import line_of, read_nodes


def table_suite(contract: Contract, suites: Path = BUNDLED) -> Suite:
    """Returns a table's own suite; one without expectations of its own where it has no file.

    Raises:
        ContractInvalid: the linter would refuse the suite; with the line of the first problem.
    """
    path = suites / f"{contract.table}.yaml"
    if not path.exists():
        return Suite(table=contract.table)
    file = read_nodes(path)
    problems = suite_problems(file.value, contract.table, contract.published, contract.output_types)
    if not problems:
        return Suite.model_validate(file.value)
    line, _ = line_of(file.root, problems[0].keys)
    raise ContractInvalid(
        f"The suite is wrong: {'; '.join(one.message for one in problems)}.",
        not_done=NOT_PUBLISHED,
        where={"file": f"expectations/{path.name}:{line}"},
    )


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
