"""A job's arguments: both spellings of Glue, a name that is unknown refused, and settings from S3 too."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from etl.cloud.aws import KeyServiceUnavailable, call
from etl.errors import NO_ROW_READ, SettingsInvalid, SourceUnavailable
from masking.errors import KagemushaError, KeyUnusable

JOB_NAME: Final = "JOB_NAME"
_S3: Final = "s3://"
_ALIKE: Final = 0.6


def resolved(argv: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> dict[str, str]:
    """Returns a job's arguments as Glue resolves them; an optional one that was not passed is absent.

    Glue drops what it does not know, so that `--dya 2023-08-30` would load another day: here it is refused. Under Glue,
    which passes arguments of its own, only those are refused that look like one of the job's.

    Raises:
        SettingsInvalid: a required argument is missing, or one is unknown outside Glue, which adds its own.
    """
    _refuse_strangers(argv, required, optional)
    known = (*required, *optional)
    found: dict[str, str] = {}
    malformed = False
    words = list(argv[1:])
    for word, after in zip(words, [*words[1:], "--"], strict=False):
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in known:
            continue
        malformed |= not equals and after.startswith("--")
        found[name] = value if equals else after
    if malformed or not set(required) <= set(found):
        raise SettingsInvalid(
            "A job argument is missing or malformed.", not_done=NO_ROW_READ, advice=_known(required, optional)
        )
    return found


def _refuse_strangers(argv: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    words, known = list(argv[1:]), (*required, *optional)
    named = [word.removeprefix("--").split("=", 1)[0] for word in words if word.startswith("--")]
    strange = [name for name in named if name not in (*known, JOB_NAME)]
    if JOB_NAME in named:
        strange = [name for name in strange if get_close_matches(name, known, 1, _ALIKE)]
    stray = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("--") and (not before.startswith("--") or "=" in before)
    ]
    if not strange and (not stray or JOB_NAME in named):
        return
    near = get_close_matches(strange[0], known, 1, _ALIKE) if strange else []
    raise SettingsInvalid(
        f"The job has no argument --{strange[0]}." if strange else "A word stands where an argument should.",
        not_done=NO_ROW_READ,
        advice=f"Did you mean --{near[0]}?" if near else _known(required, optional),
    )


def _known(required: Sequence[str], optional: Sequence[str]) -> str:
    demanded, others = (", ".join(f"--{name}" for name in names) or "none" for names in (required, optional))
    return f"Required: {demanded}; optional: {others}."


def flag(word: str) -> bool:
    """Reads true or false; Glue's arguments always have a value.

    Raises:
        SettingsInvalid: it is another word.
    """
    if word.casefold() not in {"true", "false"}:
        raise SettingsInvalid(
            "--resume is neither true nor false.", not_done=NO_ROW_READ, advice="Write --resume true."
        )
    return word.casefold() == "true"


def settings_file(arguments: dict[str, str]) -> Path | None:
    """Returns the settings file that the arguments name; one in S3 is fetched, by the job's role, for this process.

    Raises:
        SettingsInvalid: S3 has no such object for this role.
        SourceUnavailable: S3 did not answer.
    """
    named = arguments.get("settings")
    if named is None or not named.startswith(_S3):
        return Path(named) if named else None
    bucket, _, key = named.removeprefix(_S3).partition("/")
    failure: KagemushaError | None = None
    try:
        text = call("s3", "get_object", Bucket=bucket, Key=key)["Body"].read()
    except KeyServiceUnavailable as error:
        failure = SourceUnavailable(error.what, not_done=NO_ROW_READ)
    except KeyUnusable as error:
        failure = SettingsInvalid(
            error.what, not_done=NO_ROW_READ, advice="Check --settings and s3:GetObject of the job's role."
        )
    if failure is not None:
        raise failure
    path = Path(tempfile.mkdtemp(prefix="kagemusha-")) / "settings.toml"
    path.write_bytes(text)
    return path
