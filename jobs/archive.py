"""What a run leaves for auditors in a bucket of AWS: its report and its evidence, under its run id."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from etl.cloud.aws import KeyServiceUnavailable, call
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.errors import TRANSIENT
from etl.reports.evidence import evidence_text
from etl.reports.proof.evidence import evidence_of
from etl.reports.words.wording import wording
from etl.settings import load_settings
from masking.errors import KagemushaError, KeyUnusable

_S3: Final = "s3://"
_NOT_DONE: Final = "What was published stays; the run's report and evidence were not archived."


class ArchiveRefused(KagemushaError):
    """The archive bucket is missing, or the role may not write to it."""

    advice = "Check --archive and s3:PutObject of the job's role; `kagemusha evidence RUN` writes it by hand."


class ArchiveUnavailable(KagemushaError):
    """S3 did not answer."""

    advice = "Run again with --resume true: nothing is loaded twice."
    exit_code: ClassVar[int] = TRANSIENT


def archive(settings_file: Path | None, contracts: Path | None, run_id: str, place: str) -> None:
    """Writes `report.json` and `evidence.md` of a run below an `s3://BUCKET/PREFIX`.

    Raises:
        ArchiveRefused: the archive bucket is missing, or the role may not write to it.
        ArchiveUnavailable: S3 did not answer.
    """
    settings = load_settings(settings_file)
    report = StagingBucket(StagingLocation.of(settings)).read(f"{settings.stage.prefix}/{run_id}/report.json")
    proof = evidence_text(evidence_of(settings, run_id, contracts), wording(settings.site.language))
    _put(f"{place.rstrip('/')}/{run_id}/report.json", report, "application/json")
    _put(f"{place.rstrip('/')}/{run_id}/evidence.md", proof.encode(), "text/markdown; charset=utf-8")


def _put(place: str, content: bytes, content_type: str) -> None:
    bucket, _, key = place.removeprefix(_S3).partition("/")
    failure: KagemushaError | None = None
    try:
        call(
            "s3",
            "put_object",
            Bucket=bucket,
            Key=key,
            Body=content,
            ContentType=content_type,
            ChecksumAlgorithm="SHA256",  # a bucket with Object Lock takes nothing without a checksum
        )
    except KeyServiceUnavailable as error:
        failure = ArchiveUnavailable(error.what, not_done=_NOT_DONE)
    except KeyUnusable as error:
        failure = ArchiveRefused(error.what, not_done=_NOT_DONE, where={"bucket": bucket})
    if failure is not None:
        raise failure
