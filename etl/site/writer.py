"""Writes a site into a folder, or beside a run's staged files; a run waits for it so long and no longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from etl.cloud.storage import StagingBucket
from etl.ledger import Ledger
from etl.reports.facts.installation import facts_of
from etl.reports.plain import as_json
from etl.settings import Settings
from etl.site.boards import boards
from etl.site.pages import Site, files
from etl.site.render import TEMPLATES
from masking.errors import KagemushaError
from schemas.package_data import data_folder

FOLDER: Final = "site"
"""The name of the folder within a run's."""
_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
}
_ASSETS: Final = ("site.css", "site.js")
_UPLOADS_AT_ONCE: Final = 16


def gathered(settings: Settings, ledger: Ledger, bucket: StagingBucket, contracts: Path | None = None) -> Site:
    """Returns what the site of an installation is made of, asked from ledger, BigQuery and bucket.

    Raises:
        KagemushaError: contracts or pictures are wrong, or BigQuery or storage did not answer.
    """
    facts = facts_of(settings, ledger, bucket, contracts)
    return Site(facts, boards(ledger.warehouse, settings, facts.catalog, contracts), settings.site.language)


def all_files(site: Site) -> Iterator[tuple[str, str]]:
    """Yields the path and text of every file of a site: pages, indexes, style sheet, script, evidence."""
    for name in _ASSETS:
        yield f"assets/{name}", (data_folder(TEMPLATES) / name).read_text(encoding="utf-8")
    yield "evidence.json", as_json({"evidence": site.facts.evidence, "comparison": site.facts.comparison})
    yield from files(site)


def write_folder(site: Site, folder: Path) -> Path:
    """Writes a site into a folder, which need not be there, and returns its first page."""
    for name, content in all_files(site):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    return folder / "index.html"


def write_of_run(
    settings: Settings,
    ledger: Ledger,
    bucket: StagingBucket,
    run_id: str,
    contracts: Path | None,
) -> str:
    """Writes the site beside a run's staged files; returns its URI, or a word for why it is not there, and never fails.

    The run waits `[site].seconds` at most. What is not written by then is left out: the work stops before its next
    file, and no request of it waits longer than every other request to storage.
    """
    told: list[str] = []
    ends = time.monotonic() + settings.site.seconds
    place = f"{bucket.target.prefix}/{run_id}/{FOLDER}"

    def work() -> None:
        try:
            _upload(gathered(settings, ledger, bucket, contracts), bucket, place, lambda: time.monotonic() < ends)
            told.append(bucket.target.uri(f"{place}/index.html"))
        except KagemushaError as error:
            told.append(type(error).__name__)
        except Exception as error:  # noqa: BLE001  a picture of the run must not be able to fail it
            told.append(type(error).__name__)

    thread = threading.Thread(target=work, name="site", daemon=True)
    thread.start()
    thread.join(settings.site.seconds)
    return told[0] if told else OutOfTime.__name__


class OutOfTime(Exception):
    """The site took longer than a run waits for it."""


def _upload(site: Site, bucket: StagingBucket, place: str, in_time: Callable[[], bool]) -> None:
    def put(file: tuple[str, str]) -> None:
        if not in_time():
            raise OutOfTime
        name, content = file
        bucket.write(f"{place}/{name}", content.encode(), _TYPES[Path(name).suffix])

    with ThreadPoolExecutor(_UPLOADS_AT_ONCE, thread_name_prefix="site") as pool:
        for _ in pool.map(put, all_files(site)):
            if not in_time():
                pool.shutdown(wait=False, cancel_futures=True)
                raise OutOfTime
