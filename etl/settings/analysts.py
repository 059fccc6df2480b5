"""Settings of what analysts, apps and other tools get: views, links, tokens for the app, rights on columns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from etl.settings.section import Section
from masking.policy import ColumnClass

PolicyTag = Annotated[str, Field(pattern=r"^projects/[^/]+/locations/[^/]+/taxonomies/[^/]+/policyTags/[^/]+$")]
"""How BigQuery names a policy tag, in the location of the tables."""


class RightsSettings(Section):
    """Which columns need a right of their own to be read."""

    policy_tags: dict[ColumnClass | Literal["other"], PolicyTag] = Field(
        default_factory=dict,
        description="class → the policy tag of its columns; `other` is every class but `none` that is not named.",
    )

    def policy_tag(self, column_class: str) -> str | None:
        """Returns the policy tag of a class of columns; None where whoever may read the table may read them too."""
        tags = {str(key): tag for key, tag in self.policy_tags.items()}
        return tags.get(column_class) or (tags.get("other") if column_class != ColumnClass.NONE else None)


class ViewSettings(Section):
    """What the views show, and where reports open."""

    smallest_group: int = Field(
        10, ge=1, description="Views show no group of fewer members than this: fewer could be recognized."
    )
    report_template: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]+$", description="Id of the Looker Studio report that links open as a copy."
    )
    ga4_export: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]\.analytics_[0-9]+$",
        description="project.dataset of the export of Google Analytics 4; empty: there is none, nor its views.",
    )


class TokenizeSettings(Section):
    """Whose tokens `kagemusha tokenize` may make."""

    domains: tuple[str, ...] = Field((), description="Domains, as contracts name them; empty: none.")
