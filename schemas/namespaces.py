"""Whose a dataset is: the ledger's and the views' belong to the product; contracts and views keep out of them.

The linter judges by the default names, a run by those of its settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schemas.contract import Contract
from schemas.errors import ContractInvalid
from schemas.reviewed import NAME
from schemas.view_query import query_problems

PRODUCT_DATASETS: Final = ("ops", "looker")
"""The ledger's dataset and that of the views, as they are called unless the settings say otherwise."""

GA4_EVENTS: Final = "ga4.events"
"""What a view calls the export of Google Analytics 4: no contract publishes it, and the settings say where it is."""


def contract_problems(contracts: Iterable[Contract], reserved: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yields the contract's table and what is wrong with where it publishes: the product's datasets are no place."""
    of_product = {name.casefold() for name in reserved}
    for contract in contracts:
        if contract.dataset.casefold() in of_product:
            yield contract.table, f"publishes into dataset {contract.dataset}, which belongs to the product"


def view_problems(
    queries: Mapping[str, str], contracts: Iterable[Contract], reserved: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yields the view and what is wrong with its name or its query, by name.

    Args:
        queries: view → its query.
        contracts: all of them; a view reads what they publish and the export of Google Analytics, and nothing else.
        reserved: the product's datasets.
    """
    published, of_product = [*(contract.publish for contract in contracts), GA4_EVENTS], tuple(reserved)
    for name, query in queries.items():
        if not NAME.match(name):
            yield name, "has a name that is not of lower-case letters, digits and underscores"
        yield from ((name, problem) for problem in query_problems(query, published, of_product))


def refuse_foreign_names(
    contracts: Iterable[Contract], queries: Mapping[str, str], reserved: Iterable[str], not_done: str
) -> None:
    """Lets contracts and views pass that keep out of the product's datasets; views read contracts' tables only.

    Raises:
        ContractInvalid: one does not; all problems, by table and view.
    """
    known, of_product = tuple(contracts), tuple(reserved)
    found = [f"contract {table} {problem}" for table, problem in contract_problems(known, of_product)]
    found += [f"view {name} {problem}" for name, problem in view_problems(queries, known, of_product)]
    if found:
        raise ContractInvalid(
            f"Names are not the contracts' own: {'; '.join(found)}.",
            not_done=not_done,
            advice="Publish into a dataset of your own; let a view be one SELECT over tables that contracts publish.",
        )
