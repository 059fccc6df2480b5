"""What a site is made of, and its files, written into a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from etl.cloud.storage import StagingBucket, StagingLocation
from etl.ledger import Ledger
from etl.reports.facts.installation import facts_of
from etl.reports.plain import as_json
from etl.reports.proof.evidence import Evidence
from etl.settings import Settings
from etl.site.boards import boards
from etl.site.pages import Site, files
from etl.site.render import TEMPLATES
from schemas.package_data import data_folder

_ASSETS: Final = ("site.css", "site.js")


def gathered(settings: Settings, ledger: Ledger, bucket: StagingBucket, contracts: Path | None = None) -> Site:
    """Returns what the site of an installation is made of, asked from ledger, BigQuery and bucket.

    Raises:
        KagemushaError: contracts or pictures are wrong, or BigQuery or storage did not answer.
    """
    facts = facts_of(settings, ledger, bucket, contracts)
    return Site(
        facts,
        boards(ledger.warehouse, settings, facts.catalog, contracts),
        settings.site.language,
        settings.bigquery.views.smallest_group,
    )


def written(settings: Settings, folder: Path, contracts: Path | None = None) -> Path:
    """Writes the site of an installation into a folder, and returns its first page; see `gathered`."""
    bucket = StagingBucket(StagingLocation.of(settings))
    return write_folder(gathered(settings, Ledger.of(settings), bucket, contracts), folder)


def all_files(site: Site) -> Iterator[tuple[str, str]]:
    """Yields the path and text of every file of a site: pages, indexes, style sheet, script, evidence."""
    for name in _ASSETS:
        yield f"assets/{name}", (data_folder(TEMPLATES) / name).read_text(encoding="utf-8")
    yield "evidence.json", as_json({"evidence": _of_tables(site), "comparison": site.facts.comparison}, indent=None)
    yield from files(site)


def write_folder(site: Site, folder: Path) -> Path:
    """Writes a site into a folder, which need not be there, and returns its first page."""
    for name, content in all_files(site):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    return folder / "index.html"


def _of_tables(site: Site) -> Evidence | None:
    """Returns the evidence as its page says it: contracts and loads by table, checks that held as a number."""
    found = site.facts.evidence
    if found is None:
        return None
    records = found.records
    tables = tuple(replace(one, load=replace(one.load, checks=one.load.failed_checks)) for one in records.tables)
    return replace(found, records=replace(records, contracts={}, tables=tables, run=replace(records.run, loads=())))
