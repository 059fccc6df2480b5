"""Contracts against the masking policy: what the linter shows is also what a run refuses."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from masking.policy import Finding, PolicyColumn, PolicyJoin, Profile, Severity, check_policy
from schemas.contract import Contract
from schemas.errors import ContractInvalid


def policy_findings(
    contracts: Sequence[Contract], profile: Profile = Profile.PCI, unread: Collection[str] = ()
) -> tuple[Finding, ...]:
    """Returns every finding about contracts, which are judged together because joins and domains cross tables.

    Args:
        contracts: those of one folder.
        profile: which rules apply.
        unread: tables whose contracts cannot be read; nothing is said about joins with them.
    """
    columns = [
        PolicyColumn(
            contract.table,
            contract.dataset,
            column.publish_as or name,
            column.column_class,
            column.mask,
            column.control,
            in_every_row=(column.publish_as or name) in contract.key or not column.nullable,
            at_source=name,
            kind=column.type.name,
            number=column.number,
            own_iins=contract.own_iins,
        )
        for contract in contracts
        for name, column in contract.columns.items()
    ]
    joins = [
        PolicyJoin(contract.table, name, *target.split("."))
        for contract in contracts
        for name, target in contract.joins.items()
        if target.split(".")[0] not in unread
    ]
    return check_policy(columns, joins, profile)


def refuse_breaches(contracts: Sequence[Contract]) -> None:
    """Lets contracts pass that break no rule of severity error.

    Raises:
        ContractInvalid: they do; rule, table and column of each breach.
    """
    breaches = [finding for finding in policy_findings(contracts) if finding.rule.severity is Severity.ERROR]
    if breaches:
        shown = "; ".join(f"{one.rule.id} {one.table}.{one.column}: {one.message}" for one in breaches)
        raise ContractInvalid(f"The contracts break the masking policy: {shown}.", not_done="No row was read.")
