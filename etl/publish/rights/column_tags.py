"""Policy tags: a column whose class the settings name can only be read by those who hold its tag.

Tags are set before a row is loaded, and never removed: what becomes readable, a person makes so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.cloud import bigquery

from etl.errors import NOT_PUBLISHED, PublishRefused
from etl.settings import RightsSettings
from schemas.contract import Contract


def wanted_tags(contract: Contract, rights: RightsSettings) -> dict[str, str]:
    """Returns the policy tag of each published column that has one; a derived column has its source's."""
    of_classes = {name: column.column_class for name, column in contract.selected.items()}
    of_classes |= {name: of_classes[derived.source] for name, derived in contract.derive.items()}
    tags = {name: rights.policy_tag(found) for name, found in of_classes.items()}
    return {name: tag for name, tag in tags.items() if tag}


def tagged(
    fields: Iterable[bigquery.SchemaField], contract: Contract, rights: RightsSettings
) -> list[bigquery.SchemaField]:
    """Returns the columns with their tags; one that people set stays, unless it is another of the settings' own."""
    wanted, own = wanted_tags(contract, rights), set(rights.policy_tags.values())
    return [
        _with_tag(field, wanted[field.name]) if field.name in wanted and tags_of(field) <= own else field
        for field in fields
    ]


def tags_of(field: bigquery.SchemaField) -> set[str]:
    """Returns the policy tags that a column has."""
    return set(field.policy_tags.names) if field.policy_tags else set()


def refuse_untagged(fields: Sequence[bigquery.SchemaField], contract: Contract, rights: RightsSettings) -> None:
    """Lets a table pass, as BigQuery describes it, whose columns have a tag wherever the settings want one.

    Raises:
        PublishRefused: columns have none; by name.
    """
    untagged = sorted(wanted_tags(contract, rights).keys() & {field.name for field in fields if not tags_of(field)})
    if untagged:
        raise PublishRefused(
            f"{len(untagged)} columns of {contract.publish} have no policy tag: {', '.join(untagged)}.",
            not_done=NOT_PUBLISHED,
            advice="Let the job's account set tags (bigquery.tables.setCategory), or correct "
            "[bigquery.rights.policy_tags].",
            where={"table": contract.table},
        )


def _with_tag(field: bigquery.SchemaField, tag: str) -> bigquery.SchemaField:
    return bigquery.SchemaField.from_api_repr({**field.to_api_repr(), "policyTags": {"names": [tag]}})
