"""Finds what is wrong with the suites of contracts, with file, line and column, as the linter does for contracts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from schemas.lint import SUITE_FITS, Located, contract_files, opened, read_contract


def suite_findings(paths: Iterable[Path], suites: Path) -> tuple[Located, ...]:
    """Returns every finding about the suites of the contracts at the paths, in the order of files and lines.

    Args:
        paths: contract files, or folders of them; a contract that cannot be read has findings of its own.
        suites: the folder of the suites, named like the contracts; a table may have none.

    Raises:
        ContractInvalid: a path does not exist, or a folder holds no contract.
    """
    files = {file.resolve(): file for path in paths for file in contract_files(path)}
    return tuple(sorted(found for file in files.values() for found in _of_one(file, suites / file.name)))


def _of_one(contract_path: Path, path: Path) -> Iterator[Located]:
    _, contract, _ = read_contract(contract_path)
    if contract is None or not path.is_file():
        return
    from expectations.suite_lint import suite_problems  # noqa: PLC0415  Great Expectations takes seconds to import

    raw, file, problems = opened(path, SUITE_FITS)
    yield from problems
    if raw is not None:
        for problem in suite_problems(raw, contract.table, contract.published, contract.output_types):
            yield file.locate(SUITE_FITS, problem.message, problem.keys)
