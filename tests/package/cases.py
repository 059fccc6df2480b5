"""A driver that asks its workers under one wrong setting after another: `cases.py SETTINGS NAME=PYTHON…`.

Prints one JSON object: case → what the preflight said.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from etl.installation import Installation
from etl.settings import load_settings
from etl.spark import spark_session
from etl.workers.failures import named_failure
from etl.workers.preflight import prove_workers
from etl.workers.ways import Ways
from masking.errors import KagemushaError

WAIT_SECONDS = 60


def told(ask: Callable[[], object]) -> dict[str, Any]:
    """Returns what came of a question."""
    try:
        return {"answer": ask()}
    except KagemushaError as error:
        return {"kind": type(error).__name__, "code": error.exit_code, "text": str(error)}
    except Exception as error:  # noqa: BLE001  what Spark says of a step that fails
        named = named_failure(error)
        return {"kind": type(named).__name__, "code": named.exit_code if named else 0, "text": str(named)}


def main(settings_file: str, *pythons: str) -> None:
    """Asks."""
    settings = load_settings(Path(settings_file))
    installation, spark = Installation.open(settings), spark_session()
    ways, context = Ways(installation.key, installation.location, settings.source), spark.sparkContext
    prove: Callable[[Ways], object] = lambda ways: prove_workers(spark, ways, WAIT_SECONDS)  # noqa: E731
    keyring = Path(settings.keyring.ref.removeprefix("file:"))
    keyring.rename(keyring.with_suffix(".away"))  # first: a worker that has opened the keyring keeps it
    found = {"no key": told(lambda: prove(ways))}
    keyring.with_suffix(".away").rename(keyring)
    fit, found["fit"] = context.pythonExec, told(lambda: prove(ways))
    for name, python in (one.split("=") for one in pythons):
        context.pythonExec = python
        found[name] = told(lambda: prove(ways))
        found[f"{name}, in a step"] = told(lambda: context.parallelize([1], 1).map(str).collect())
    context.pythonExec = fit
    nowhere = settings.source.model_copy(update={"url": "postgresql://etl_reader@127.0.0.1:9/issuer"})
    found["no reader"] = told(lambda: prove(replace(ways, source=nowhere)))
    found["no bucket"] = told(lambda: prove(replace(ways, location=replace(ways.location, bucket="no-such-bucket"))))
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
