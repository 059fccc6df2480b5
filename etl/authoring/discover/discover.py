"""Proposes contracts for tables of the source: each valid, clean for the linter, and beside the known ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from etl.authoring.discover.facts import ContractNotProposed, found_table, with_spellings
from etl.authoring.discover.sample import looks_of
from etl.errors import NO_ROW_READ, SourceTableMissing
from etl.settings import SourceSettings
from etl.source import Session, hold_snapshot, join_snapshot
from masking.errors import KagemushaError
from masking.policy import Severity
from schemas.bigquery_limits import LONGEST_LABEL
from schemas.contract import Contract
from schemas.found import FoundTable
from schemas.policy import policy_findings
from schemas.propose import propose
from schemas.published_names import published_name
from schemas.yaml_file import Fault, YamlFile, parse


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
                proposals.append(Proposal("", one, failure=failure.at(source=one)))
    facts = with_spellings(facts)
    others = [contract for contract in known.values() if contract.source not in facts]
    names: dict[str, str] = {}
    for one in facts:
        names[one] = named or _name(one, {*(contract.table for contract in others), *names.values()})
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
    """Returns the contract's table: the source's own name, with its schema where that is taken; else empty."""
    schema, table = source.split(".", 1)
    plain = published_name(table)[:LONGEST_LABEL]
    names = (plain, f"{published_name(schema) or 'source'}_{plain}"[:LONGEST_LABEL])
    return next((name for name in names if name not in taken), "")


def _proposal(found: FoundTable, name: str, beside: Sequence[Contract]) -> Proposal:
    if not name:
        return Proposal("", found.source, failure=_refused(found, "a name for BigQuery", "Name it with --as."))
    checked = _valid(found, name, beside)
    if isinstance(checked, KagemushaError):
        return Proposal(name, found.source, failure=checked)
    return Proposal(name, found.source, propose(found, name, beside))


def _valid(found: FoundTable, name: str, beside: Sequence[Contract]) -> Contract | ContractNotProposed:
    """Returns the proposed contract where it fits the model and the policy beside the others."""
    contract, problems = None, []
    read: YamlFile | Fault | None = None
    try:
        read = parse(propose(found, name, beside))
        if isinstance(read, YamlFile):
            contract = Contract.model_validate(read.value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    except Exception as error:  # noqa: BLE001  a table that nobody foresaw must not keep the others from a proposal
        read = Fault(f"could not be made ({type(error).__name__})", 1)
    if isinstance(read, Fault):
        return _refused(found, f"a contract that can be read: it {read.what}", "Write its contract by hand.")
    if contract is None:
        about_key = any("key" in one["loc"] or "key names" in one["msg"] for one in problems)
        if about_key:
            advice = "Name another key with --key, or give it one by a view at the source."
            return _refused(found, "a key that may be published", advice)
        unnamed = [one for one in problems if one["type"] == "string_pattern_mismatch"]
        if unnamed:
            what = "names that a contract can spell: one of them holds a control character, or the table's a dot"
            return _refused(found, what, "Give it another name by a view at the source.")
        told = "; ".join(one["msg"].removeprefix("Value error, ") for one in problems)
        return _refused(found, f"what a contract needs ({told})", "Write its contract by hand; lint tells why.")
    if any(one.rule.severity is Severity.ERROR and one.table == name for one in policy_findings([*beside, contract])):
        return _refused(found, "masks that go with the known contracts", "Write its contract by hand; lint tells why.")
    return contract


def _refused(found: FoundTable, what: str, advice: str) -> ContractNotProposed:
    return ContractNotProposed(f"{found.source} lacks {what}.", not_done="No contract was proposed.", advice=advice)
