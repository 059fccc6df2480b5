"""Contracts as dbt's `sources.yml`: each dataset a source, each table with its columns and their tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from etl.settings import BigQuerySettings
from schemas.contract import Contract


def dbt_sources(contracts: Iterable[Contract], settings: BigQuerySettings) -> dict[str, Any]:
    """Returns the document, for dbt 1.10.5 and later (tests name their arguments under `arguments`)."""
    known = sorted(contracts, key=lambda contract: contract.publish)
    published = {contract.table: contract for contract in known}
    return {
        "version": 2,
        "sources": [
            {
                "name": dataset,
                "database": settings.project,
                "schema": dataset,
                "tables": [_table(contract, published) for contract in group],
            }
            for dataset, group in groupby(known, key=lambda contract: contract.dataset)
        ],
    }


def _table(contract: Contract, published: Mapping[str, Contract]) -> dict[str, Any]:
    return {
        "name": contract.publish.split(".")[1],
        "description": str(contract.about),
        "config": {"meta": {"load_mode": contract.load.mode, "contract": contract.digest}},
        "columns": [_column(contract, name, published) for name in contract.published],
    }


def _column(contract: Contract, name: str, published: Mapping[str, Contract]) -> dict[str, Any]:
    column = contract.selected.get(name)
    found: dict[str, Any] = {"name": name, "description": str(contract.about_column(name))}
    if column is not None:
        found["config"] = {"meta": {"class": str(column.column_class), "mask": column.mask.strategy}}
    tests: list[Any] = ["unique"] if contract.key == (name,) and contract.load.mode != "snapshot" else []
    if column is not None and not column.nullable:
        tests.append("not_null")
    if column is not None and column.values:
        tests.append({"accepted_values": {"arguments": {"values": list(column.values)}}})
    other, _, key = contract.joins.get(name, "").partition(".")
    if other in published:
        target = published[other]
        source = f"source('{target.dataset}', '{target.publish.split('.')[1]}')"
        tests.append({"relationships": {"arguments": {"to": source, "field": key}}})
    return {**found, "data_tests": tests} if tests else found
