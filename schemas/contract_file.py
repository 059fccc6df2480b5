"""Reads contracts from their YAML files; every problem is named with its place, none with a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from schemas.contract import Contract
from schemas.errors import ContractInvalid
from schemas.package_data import data_folder
from schemas.yaml_file import line_of, read_nodes

BUNDLED = data_folder("schemas")
"""The contracts that ship with the package."""


def load_contract(path: Path) -> Contract:
    """Returns the contract in one YAML file.

    Raises:
        ContractInvalid: the file breaks the model; every problem is named with its place, none with a value.
    """
    file = read_nodes(path)
    problems: list[str] = []
    line = 1
    contract = None
    try:
        contract = Contract.model_validate(file.value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [_problem(detail) for detail in details]
        line, _ = line_of(file.root, details[0]["loc"])
    if contract is None:
        raise ContractInvalid(
            f"The contract has {len(problems)} problem{'s' if len(problems) != 1 else ''}: {'; '.join(problems)}.",
            not_done="No table was read.",
            where={"file": f"{path.name}:{line}"},
        )
    if contract.table != path.stem:
        raise ContractInvalid(
            f"The contract is of table {contract.table}, but its file is named otherwise.",
            not_done="No table was read.",
            advice=f"Rename the file to {contract.table}.yaml.",
            where={"file": path.name},
        )
    return contract


def _problem(detail: object) -> str:
    assert isinstance(detail, dict)  # noqa: S101  pydantic's ErrorDetails
    place = ".".join(str(part) for part in detail["loc"])
    # Pydantic's own text for a ValueError is ours; for the rest it names types and limits, the input is hidden.
    return f"{place + ': ' if place else ''}{str(detail['msg']).removeprefix('Value error, ')}"


def load_contracts(folder: Path = BUNDLED) -> dict[str, Contract]:
    """Returns every contract of a folder by table name, in alphabetical order.

    Raises:
        ContractInvalid: a file breaks the model, the folder holds none, or two contracts publish the same table.
    """
    contracts = {path.stem: load_contract(path) for path in sorted(folder.glob("*.yaml"))}
    if not contracts:
        raise ContractInvalid(
            "The folder holds no contract.", not_done="Nothing was read.", where={"folder": folder.name}
        )
    targets: dict[str, str] = {}
    for contract in contracts.values():
        other = targets.setdefault(contract.publish.casefold(), contract.table)
        if other != contract.table:
            raise ContractInvalid(
                f"Contracts {other} and {contract.table} both publish {contract.publish}.",
                not_done="Nothing was read.",
            )
    return contracts


def select_contracts(contracts: Mapping[str, Contract], tables: Sequence[str]) -> dict[str, Contract]:
    """Returns the contracts of the named tables, or all where none is named.

    Raises:
        ContractInvalid: a name is no contract's table.
    """
    unknown = [name for name in tables if name not in contracts]
    if unknown:
        near = get_close_matches(unknown[0], contracts, n=1)
        raise ContractInvalid(
            f"There is no contract for {', '.join(repr(name) for name in unknown)}.",
            not_done="No row was read.",
            advice=f"Did you mean {near[0]}?" if near else f"Tables: {', '.join(contracts)}.",
        )
    return {name: contract for name, contract in contracts.items() if not tables or name in tables}
