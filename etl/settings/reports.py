"""Settings of what people read about an installation: prices for estimates, and the site."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from etl.settings.section import Section
from schemas.words import Language


class CostSettings(Section):
    """Prices for the estimate of `kagemusha status`; the defaults are about the list prices of asia-northeast1."""

    table_usd_gib_month: float = Field(0.023, ge=0, description="BigQuery, active logical storage.")
    stage_usd_gib_month: float = Field(0.023, ge=0, description="Cloud Storage, standard class.")
    scan_usd_tib: float = Field(7.5, ge=0, description="BigQuery, on-demand queries.")


class SiteSettings(Section):
    """The site that each run leaves beside its staged files; see `kagemusha site`."""

    write: bool = Field(default=True, description="Whether runs write it.")
    seconds: float = Field(30, gt=0, le=600, description="How long a run waits for it at most; then it goes without.")
    language: Language = Field("en", description="Of its first page; every page is there in each language.")
    runs: int = Field(20, ge=2, le=1000, description="How many of the last runs it shows.")
    chart_gib: float = Field(
        10, gt=0, description="How much one chart's query may read of BigQuery; a view that reads more has no chart."
    )


class LineageSettings(Section):
    """Where runs send what they read and wrote, as OpenLineage events."""

    to: str | None = Field(
        None,
        pattern=r"^(file:.+|https://.+|http://(127\.0\.0\.1|localhost)(:\d+)?(/.*)?)$",
        description="file:PATH, one event a line, or the https address that takes events; empty: nowhere.",
    )
    namespace: str = Field("kagemusha", min_length=1, description="Of the jobs.")


class MetricsSettings(Section):
    """How runs are counted elsewhere."""

    emf: bool = Field(default=False, description="Print a line for each table that CloudWatch Logs takes as metrics.")
    prometheus_file: Path | None = Field(None, description="A file that each run replaces, for a text file collector.")
