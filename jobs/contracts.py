"""The folder of contracts that a job is given: on this machine, in S3, or in Cloud Storage."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from etl.errors import NO_ROW_READ, SettingsInvalid, SourceUnavailable
from masking.errors import KagemushaError

_S3, _GS = "s3://", "gs://"
_BUNDLED: Final = "bundled"
_KINDS: Final = frozenset({".yaml", ".sql"})
Files = Iterator[tuple[PurePosixPath, bytes]]


def contracts_folder(arguments: Mapping[str, str], settings: Path | None) -> Path | None:
    """Returns the folder that `--contracts` names, fetched where it is a bucket's; None for the bundled ones.

    The word `bundled` means the same as no argument: an installation can fix it, so that whoever may start a job cannot
    bring masking rules along.

    Args:
        arguments: the job's.
        settings: the settings file, which says how to log in to Google.

    Raises:
        SettingsInvalid: the folder does not exist, holds no contract, or this role may not read it.
        SourceUnavailable: S3 did not answer.
        StorageUnavailable: Cloud Storage did not answer.
    """
    named = arguments.get("contracts")
    if named is None or named == _BUNDLED:
        return None
    if not named.startswith((_S3, _GS)):
        return _present(Path(named))
    bucket, _, prefix = named.removeprefix(_S3).removeprefix(_GS).strip("/").partition("/")
    prefix = f"{prefix}/" if prefix else ""
    found = _of_s3(bucket, prefix) if named.startswith(_S3) else _of_google(bucket, prefix, settings)
    folder = Path(tempfile.mkdtemp(prefix="kagemusha-contracts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # the run reads it to its end
    for name, content in found:
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
    return _present(folder)


def _present(folder: Path) -> Path:
    if any(folder.glob("*.yaml")):
        return folder
    raise SettingsInvalid(
        "The folder of --contracts holds no contract.",
        not_done=NO_ROW_READ,
        advice="Name the folder that holds the <table>.yaml files themselves.",
    )


def _wanted(name: str) -> bool:
    """Tells whether a name below the folder is a contract, or a view in `views/`: nothing else can leave the folder."""
    parts = PurePosixPath(name)
    return parts.suffix in _KINDS and parts.parent.as_posix() in {".", "views"}


def _of_s3(bucket: str, prefix: str) -> Files:
    from etl.cloud.aws import KeyServiceUnavailable, call  # noqa: PLC0415  an arguments' refusal need not wait for it
    from masking.errors import KeyUnusable  # noqa: PLC0415  the same

    failure: KagemushaError | None = None
    try:
        names, token = [], ""
        while True:
            more = {"ContinuationToken": token} if token else {}
            page = call("s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
            names += [one["Key"] for one in page.get("Contents", []) if _wanted(one["Key"].removeprefix(prefix))]
            token = page.get("NextContinuationToken", "")
            if not token:
                break
        for name in names:
            yield (
                PurePosixPath(name.removeprefix(prefix)),
                call("s3", "get_object", Bucket=bucket, Key=name)["Body"].read(),
            )
    except KeyServiceUnavailable as error:
        failure = SourceUnavailable(error.what, not_done=NO_ROW_READ)
    except KeyUnusable as error:
        advice = "Check --contracts, and s3:ListBucket and s3:GetObject of the job's role."
        failure = SettingsInvalid(error.what, not_done=NO_ROW_READ, advice=advice)
    if failure is not None:
        raise failure


def _of_google(bucket: str, prefix: str, settings: Path | None) -> Files:
    from etl.cloud.storage import StagingBucket, StagingLocation  # noqa: PLC0415  Google's client takes time to import
    from etl.settings import load_settings  # noqa: PLC0415  the same

    chosen = load_settings(settings)
    staging = StagingLocation.of(chosen)
    storage = StagingBucket(StagingLocation(bucket, prefix, staging.endpoint, staging.project, staging.google))
    for stored in storage.stored(prefix):
        name = stored.name.removeprefix(prefix)
        if _wanted(name):
            yield PurePosixPath(name), storage.read(stored.name)
