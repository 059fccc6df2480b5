"""Writes the site beside a run's staged files; the run waits so long for it and no longer, and never fails by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from etl.cloud.storage import StagingBucket, note_run
from etl.installation import Installation
from etl.reports.facts.at_once import at_once
from etl.site.pages import Site
from etl.site.writer import all_files, gathered

FOLDER: Final = "site"
"""The name of the folder within a run's."""
_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
}
_UPLOADS_AT_ONCE: Final = 16


class OutOfTime(Exception):
    """The site took longer than a run waits for it."""


@dataclass(frozen=True)
class SiteOfRun:
    """How writing ended: where the site is, or the kind of what kept it from being there."""

    uri: str = ""
    failure: str = ""

    @property
    def said(self) -> dict[str, object]:
        """What the run says of it."""
        return {"error": f"The site was not written: {self.failure}."} if self.failure else {"uri": self.uri}


def write_site_of_run(installation: Installation, run_id: str, contracts: Path) -> SiteOfRun:
    """Writes the site beside a run's staged files and returns how that ended; it raises nothing.

    The caller waits `[site].seconds` at most. What is not written by then stays away: the work ends before its next
    file, and a request that hangs ends with the process, which does not wait for it.

    Args:
        installation: opened.
        run_id: the run.
        contracts: their folder.
    """
    bucket, seconds = installation.bucket, installation.settings.site.seconds
    place = f"{bucket.target.prefix}/{run_id}/{FOLDER}"
    ends = time.monotonic() + seconds
    ended: list[SiteOfRun] = []

    def work() -> None:
        try:
            site = gathered(installation.settings, installation.ledger, bucket, contracts)
            note_run(bucket, run_id)
            _upload(site, bucket, place, lambda: time.monotonic() < ends)
        except Exception as error:  # noqa: BLE001  a picture of the run must not be able to fail it; messages may quote
            ended.append(SiteOfRun(failure=type(error).__name__))
        else:
            ended.append(SiteOfRun(bucket.target.uri(f"{place}/index.html")))

    thread = threading.Thread(target=work, name="site", daemon=True)
    thread.start()
    thread.join(seconds)
    return ended[0] if ended else SiteOfRun(failure=OutOfTime.__name__)


def _upload(site: Site, bucket: StagingBucket, place: str, in_time: Callable[[], bool]) -> None:
    def put(file: tuple[str, str]) -> None:
        if not in_time():
            raise OutOfTime
        name, content = file
        bucket.write(f"{place}/{name}", content.encode(), _TYPES[Path(name).suffix])

    at_once(put, all_files(site), _UPLOADS_AT_ONCE)
