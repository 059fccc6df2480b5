"""A job's arguments: both spellings of Glue, a name that is unknown refused, and settings from S3 too."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from etl.cloud.aws import KeyServiceUnavailable, call
from etl.errors import NO_ROW_READ, SettingsInvalid, SourceUnavailable
from masking.errors import KagemushaError, KeyUnusable

JOB_NAME: Final = "JOB_NAME"
_S3: Final = "s3://"
_ALIKE: Final = 0.6
_GLUES_OWN: Final = re.compile(
    r"enable-.*|job-(bookmark-(option|from|to)|language|mode)|spark-event-logs-path|datalake-formats|TempDir|"
    r"additional-python-modules|extra-(py-files|jars|files)|scriptLocation|class|conf|security-configuration|"
    r"encryption-type|user-jars-first|use-postgres-driver|python-modules-installer-option|"
    r"write-shuffle-(files|spills)-to-s3"
)
"""Names of Glue's own arguments (AWS Glue Developer Guide, "Job parameters"); JOB_NAME and its like are in capitals."""
_INSIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("day", "date", "yyyy", "日"), "tables": ("table", "テーブル", "表"), "settings": ("setting", "設定"),
    "resume": ("resume",), "contracts": ("contract",), "archive": ("archive",),
}  # fmt: skip
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("dt", "ymd", "ds", "from", "since", "asof", "hizuke", "nengappi", "eigyobi", "taishobi", "kijunbi"),
    "tables": ("tb", "tbl", "tbls"), "settings": ("config", "cfg", "toml"), "resume": ("restart",),
    "from": ("from", "start", "since", "begin", "first", "day", "date"), "to": ("to", "end", "until", "last"),
}  # fmt: skip
"""What people call an argument of ours: anywhere in a name, and as a word of it or all of it."""
_NAMED: Final = re.compile(r"[-\u2010-\u2015\u2212\uff0d]*[^\W\d]\w*(?:-\w+)*\Z")
"""A word that could be meant for an argument's name: `day`, `-day`, and `–day` as word processors write it."""


def resolved(argv: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> dict[str, str]:
    """Returns a job's arguments as Glue resolves them; an optional one that was not passed is absent.

    Glue drops what it does not know, so that `--dya 2023-08-30` would load another day: here it is refused. Under Glue,
    which passes arguments of its own, only those are refused that look like one of the job's, as `--business-date`.

    Raises:
        SettingsInvalid: a required argument is missing, one comes twice, or one is unknown outside Glue, which adds its
            own.
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
        strange = [name for name in strange if not _GLUES_OWN.fullmatch(name) and _meant(name, known)]
    twice = [name for name in known if named.count(name) > 1]
    if twice:
        raise SettingsInvalid(
            f"The job has --{twice[0]} more than once.", not_done=NO_ROW_READ, advice="Pass it once, or not at all."
        )
    stray = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("--") and (not before.startswith("--") or "=" in before)
    ]
    if JOB_NAME in named:
        stray = [
            word for word in stray if _NAMED.match(word.partition("=")[0]) and _meant(word.partition("=")[0], known)
        ]
    if not strange and not stray:
        return
    near = _meant((*strange, *stray)[0].partition("=")[0], known)
    raise SettingsInvalid(
        f"The job has no argument --{strange[0]}." if strange else "A word stands where an argument should.",
        not_done=NO_ROW_READ,
        advice=f"Did you mean --{near}?" if near else _known(required, optional),
    )


def _meant(name: str, known: Sequence[str]) -> str:
    """Returns the argument of ours that a name is likely to be meant for; empty where there is none."""
    found = re.findall(r"[A-Z]*[a-z0-9]+|[A-Z]+|[^\W_a-zA-Z0-9]+", unicodedata.normalize("NFKC", name))
    words = [word.casefold() for word in found]
    folded = "".join(words)
    for one in known:
        if folded and one.startswith(folded):
            return one
        if any(part in folded for part in _INSIDE.get(one, ())) or set(_WORDS.get(one, ())) & {*words, folded}:
            return one
    return next(iter(get_close_matches(folded, known, 1, _ALIKE)), "")


def _known(required: Sequence[str], optional: Sequence[str]) -> str:
    demanded, others = (", ".join(f"--{name}" for name in names) or "none" for names in (required, optional))
    return f"Required: {demanded}; optional: {others}."


def table_names(arguments: Mapping[str, str]) -> list[str]:
    """Returns the tables that `--tables a, b` names; none, which means all, only where the argument was not passed.

    Raises:
        SettingsInvalid: the argument was passed and names no table.
    """
    names = [name.strip() for name in arguments.get("tables", "").split(",")]
    found = [name for name in names if name]
    if "tables" in arguments and not found:
        raise SettingsInvalid(
            "--tables names no table.",
            not_done=NO_ROW_READ,
            advice="Leave the argument out to load all tables, or write --tables payments,cards.",
        )
    return found


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
