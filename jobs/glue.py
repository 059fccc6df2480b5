"""AWS Glue's part of a job: its arguments, and its `Job` around the work where the Glue runtime is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from awsglue.utils import GlueArgumentError, getResolvedOptions

from etl.errors import NO_ROW_READ, SettingsInvalid
from etl.spark import spark_session

_JOB_NAME = "JOB_NAME"


def resolved(argv: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> dict[str, str]:
    """Gives a job's arguments as Glue resolves them; an optional one that was not passed is absent.

    Raises:
        SettingsInvalid: a required argument is missing, or an argument is unknown.
    """
    present = [name for name in optional if any(word == f"--{name}" or word.startswith(f"--{name}=") for word in argv)]
    wanted = [*required, *present]
    found = None
    with suppress(GlueArgumentError):
        found = getResolvedOptions(list(argv), wanted)
    if found is None:
        raise SettingsInvalid(
            "A job argument is missing or malformed.",
            not_done=NO_ROW_READ,
            advice=f"Pass {', '.join(f'--{name}' for name in required) or 'none'}; optional: "
            f"{', '.join(f'--{name}' for name in optional)}.",
        )
    return {name: str(found[name]) for name in wanted}


@contextmanager
def glue_job(argv: Sequence[str]) -> Iterator[None]:
    """Initializes and commits Glue's `Job` around the work; without the Glue runtime it does nothing.

    The Java classes tell whether the runtime is there: the Python package alone does not bring it.
    """
    if f"--{_JOB_NAME}" not in argv:
        yield
        return
    context = spark_session().sparkContext
    if not _has_glue_runtime(context):
        yield
        return
    from awsglue.context import GlueContext  # noqa: PLC0415  needs the runtime's Java classes
    from awsglue.job import Job  # noqa: PLC0415

    arguments = getResolvedOptions(list(argv), [_JOB_NAME])
    job = Job(GlueContext(context))
    job.init(arguments[_JOB_NAME], arguments)
    yield
    job.commit()


def _has_glue_runtime(context: object) -> bool:
    from py4j.java_gateway import JavaClass  # noqa: PLC0415  comes with pyspark

    return isinstance(context._jvm.com.amazonaws.services.glue.GlueContext, JavaClass)  # type: ignore[attr-defined]  # noqa: SLF001
