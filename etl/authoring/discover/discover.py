"""Proposes contracts for tables of the source: each valid, clean for the linter, and beside the known ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml
from pydantic import ValidationError

from etl.authoring.discover.facts import ContractNotProposed, found_table
from etl.authoring.discover.sample import looks_of
from etl.errors import NO_ROW_READ, SourceTableMissing
from etl.settings import SourceSettings
from etl.source import Session, hold_snapshot, join_snapshot
from masking.errors import KagemushaError
from masking.policy import Severity
from schemas.contract import Contract
from schemas.found import FoundTable
from schemas.policy import policy_findings
from schemas.propose import propose
from schemas.reviewed import NAME


@dataclass(frozen=True)
class Proposal:
    """One table's proposed contract, or why there is none.

    Attributes:
        table: the contract's table; empty where it has no name yet.
        source: `schema.table`.
        text: the YAML; empty where there is none.
        failure: what kept it from being proposed.
    """

    table: str
    source: str
    text: str = ""
    failure: KagemushaError | None = None


def discover(
    source: SourceSettings,
    known: Mapping[str, Contract],
    tables: Sequence[str] = (),
    schema: str = "",
    named: str = "",
    key: Sequence[str] = (),
    sample: int = 0,
) -> tuple[Proposal, ...]:
    """Returns a proposed contract for each table.

    Args:
        source: settings of the endpoint, which must be a reader as for a run.
        known: contracts beside which the proposed ones will stand.
        tables: `schema.table` of each; empty: every table of the schema that no known contract reads.
        schema: whose tables; only without `tables`.
        named: the contract's table, where the source's name does not do; for one table.
        key: the columns that identify a row, where the catalogue does not say; for one table.
        sample: about how many rows are looked at in memory; 0: none, and no row is read.

    Raises:
        EndpointRefused, CredentialsRefused, SourceUnavailable: the source cannot be asked.
    """
    proposals: list[Proposal] = []
    facts: dict[str, FoundTable] = {}
    read = {contract.source for contract in known.values()}
    with hold_snapshot(source) as held, join_snapshot(held.snapshot) as session:
        wanted = list(tables) or [one for one in session.relations() if one.split(".")[0] == schema and one not in read]
        for one in wanted:
            try:
                facts[one] = _facts(session, one, key, sample)
            except KagemushaError as failure:
                proposals.append(Proposal("", one, failure=failure))
    others = [contract for contract in known.values() if contract.source not in facts]
    names = {one: named or _name(one, {contract.table for contract in others}) for one in facts}
    first = [_valid(facts[one], names[one], others) for one in facts if names[one]]
    beside = [*others, *(found for found in first if isinstance(found, Contract))]
    for one, found in facts.items():
        proposals.append(_proposal(found, names[one], [contract for contract in beside if contract.source != one]))
    return tuple(sorted(proposals, key=lambda one: wanted.index(one.source)))


def _facts(session: Session, table: str, key: Sequence[str], sample: int) -> FoundTable:
    with session.isolated():
        found = session.describe(table)
        if found is None:
            raise SourceTableMissing(
                f"The source has no table {table}, or the ETL user may not see it.",
                not_done=NO_ROW_READ,
                advice="Write it as schema.table, spelled as in the database.",
            )
        return found_table(found, session.dialect.name, key, looks_of(session, found, sample) if sample else None)


def _name(source: str, taken: set[str]) -> str:
    """Returns the contract's table: the source's own name in lower case, with its schema where that is taken."""
    schema, table = source.split(".", 1)
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", table).lower()
    found = f"{schema}_{plain}" if plain in taken else plain
    return found if NAME.match(found) else ""


def _proposal(found: FoundTable, name: str, beside: Sequence[Contract]) -> Proposal:
    if not name:
        return Proposal("", found.source, failure=_refused(found, "a name for BigQuery", "Name it with --as."))
    checked = _valid(found, name, beside)
    if isinstance(checked, KagemushaError):
        return Proposal(name, found.source, failure=checked)
    return Proposal(name, found.source, propose(found, name, beside))


def _valid(found: FoundTable, name: str, beside: Sequence[Contract]) -> Contract | ContractNotProposed:
    """Returns the proposed contract where it fits the model and the policy beside the others."""
    try:
        contract = Contract.model_validate(yaml.safe_load(propose(found, name, beside)))
    except ValidationError as error:
        contract = None
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    if contract is None:
        about_key = any("key" in one["loc"] or "key names" in one["msg"] for one in problems)
        if about_key:
            advice = "Name another key with --key, or give it one by a view at the source."
            return _refused(found, "a key that may be published", advice)
        told = "; ".join(one["msg"].removeprefix("Value error, ") for one in problems)
        return _refused(found, f"what a contract needs ({told})", "Write its contract by hand; lint tells why.")
    if any(one.rule.severity is Severity.ERROR and one.table == name for one in policy_findings([*beside, contract])):
        return _refused(found, "masks that go with the known contracts", "Write its contract by hand; lint tells why.")
    return contract


def _refused(found: FoundTable, what: str, advice: str) -> ContractNotProposed:
    return ContractNotProposed(f"{found.source} lacks {what}.", not_done="No contract was proposed.", advice=advice)
