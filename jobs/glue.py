"""AWS Glue's part of a job: its `Job` around the work where the Glue runtime is there, and a cluster under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from etl.errors import NO_ROW_READ, SettingsInvalid
from jobs.arguments import JOB_NAME


@contextmanager
def glue_job(argv: Sequence[str]) -> Iterator[None]:
    """Initializes and commits Glue's `Job` around the work; without the Glue runtime it does nothing.

    Raises:
        SettingsInvalid: under Glue, Spark would run on the driver alone.
    """
    if not runs_under_glue(argv):
        yield
        return
    from etl.spark import spark_session  # noqa: PLC0415  Spark takes time to import

    context = spark_session().sparkContext
    refuse_local(str(context.master))
    from awsglue.context import GlueContext  # noqa: PLC0415  only Glue's environments hold it
    from awsglue.job import Job  # noqa: PLC0415
    from awsglue.utils import getResolvedOptions  # noqa: PLC0415

    arguments = getResolvedOptions(list(argv), [JOB_NAME])
    job = Job(GlueContext(context))
    job.init(arguments[JOB_NAME], arguments)
    yield
    job.commit()


def runs_under_glue(argv: Sequence[str]) -> bool:
    """Tells whether this process is a job of Glue.

    Glue names the job, and its Java classes are there: the Python package alone does not bring them, and a name may be
    passed anywhere.
    """
    if not any(word == f"--{JOB_NAME}" or word.startswith(f"--{JOB_NAME}=") for word in argv):
        return False
    from pyspark import SparkContext  # noqa: PLC0415  the JVM starts here, not on import

    SparkContext._ensure_initialized()  # noqa: SLF001  the only way to ask without starting a context
    return has_glue_classes(SparkContext._jvm)  # noqa: SLF001  the same


def has_glue_classes(jvm: Any) -> bool:  # noqa: ANN401  py4j's view of the JVM has no types
    """Tells whether the JVM knows Glue: an unknown name is a package to py4j, whatever the name."""
    from py4j.java_gateway import JavaClass  # noqa: PLC0415  comes with pyspark

    return isinstance(jvm.com.amazonaws.services.glue.GlueContext, JavaClass)


def refuse_local(master: str) -> None:
    """Refuses a session on the driver alone, which would load everything there, slowly and without a word.

    Raises:
        SettingsInvalid: the master is local.
    """
    if master.startswith("local"):
        raise SettingsInvalid(
            "Spark runs on the driver alone, although the job has workers.",
            not_done=NO_ROW_READ,
            advice="Do not set spark.master in the job's --conf; report it if nobody did.",
            where={"master": master},
        )
