"""AWS Glue's part of a job: its arguments, and its `Job` around the work where the Glue runtime is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches

from etl.errors import NO_ROW_READ, SettingsInvalid

_JOB_NAME = "JOB_NAME"
_ALIKE = 0.6


def resolved(argv: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> dict[str, str]:
    """Returns a job's arguments as Glue resolves them; an optional one that was not passed is absent.

    Glue drops what it does not know, so that `--dya 2023-08-30` would load another day: here it is refused. Under Glue,
    which passes arguments of its own, only those are refused that look like one of the job's.

    Raises:
        SettingsInvalid: a required argument is missing, or one is unknown outside Glue, which adds its own.
    """
    _refuse_strangers(argv, required, optional)
    from awsglue.utils import GlueArgumentError, getResolvedOptions  # noqa: PLC0415  imports Spark, which takes time

    present = [name for name in optional if any(word == f"--{name}" or word.startswith(f"--{name}=") for word in argv)]
    wanted = [*required, *present]
    found = None
    with suppress(GlueArgumentError):
        found = getResolvedOptions(list(argv), wanted)
    if found is None:
        raise SettingsInvalid(
            "A job argument is missing or malformed.",
            not_done=NO_ROW_READ,
            advice=_known(required, optional),
        )
    return {name: str(found[name]) for name in wanted}


def _refuse_strangers(argv: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    words, known = list(argv[1:]), (*required, *optional)
    named = [word.removeprefix("--").split("=", 1)[0] for word in words if word.startswith("--")]
    strange = [name for name in named if name not in (*known, _JOB_NAME)]
    if _JOB_NAME in named:
        strange = [name for name in strange if get_close_matches(name, known, 1, _ALIKE)]
    stray = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("--") and (not before.startswith("--") or "=" in before)
    ]
    if not strange and (not stray or _JOB_NAME in named):
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


@contextmanager
def glue_job(argv: Sequence[str]) -> Iterator[None]:
    """Initializes and commits Glue's `Job` around the work; without the Glue runtime it does nothing.

    The Java classes tell whether the runtime is there: the Python package alone does not bring it.
    """
    if not any(word == f"--{_JOB_NAME}" or word.startswith(f"--{_JOB_NAME}=") for word in argv):
        yield
        return
    from etl.spark import spark_session  # noqa: PLC0415  Spark takes time to import

    context = spark_session().sparkContext
    if not _has_glue_runtime(context):
        yield
        return
    from awsglue.context import GlueContext  # noqa: PLC0415  needs the runtime's Java classes
    from awsglue.job import Job  # noqa: PLC0415
    from awsglue.utils import getResolvedOptions  # noqa: PLC0415

    arguments = getResolvedOptions(list(argv), [_JOB_NAME])
    job = Job(GlueContext(context))
    job.init(arguments[_JOB_NAME], arguments)
    yield
    job.commit()


def _has_glue_runtime(context: object) -> bool:
    from py4j.java_gateway import JavaClass  # noqa: PLC0415  comes with pyspark

    return isinstance(context._jvm.com.amazonaws.services.glue.GlueContext, JavaClass)  # type: ignore[attr-defined]  # noqa: SLF001
