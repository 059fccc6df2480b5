"""CloudWatch's view of the reader's load: processor and capacity, in percent; asked only where settings limit them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from etl.cloud.aws import KeyServiceUnavailable, call
from etl.errors import NO_ROW_READ, SettingsInvalid
from etl.settings import SourceSettings
from etl.source.guard import Reader
from etl.source.host import host_region
from masking.errors import KagemushaError, KeyUnusable

EVERY_SECONDS: Final = 60.0
_PERIOD_SECONDS: Final = 60
_LOOKED_BACK: Final = timedelta(minutes=5)
_METRICS: Final = {"CPUUtilization": "max_cpu_percent", "ACUUtilization": "max_acu_percent"}

AskLoad = Callable[[], dict[str, float]]
"""Asks CloudWatch for the load of one instance; see `load_of`."""


def load_of(instance: str, metrics: Mapping[str, float], region: str | None) -> dict[str, float]:
    """Returns the newest average of each metric of an instance, in percent; a metric without data is absent.

    Source: Amazon Aurora User Guide, "Amazon CloudWatch metrics for Amazon Aurora", dimension DBInstanceIdentifier.

    Raises:
        KagemushaError: CloudWatch did not answer, or may not be asked.
    """
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/RDS",
                    "MetricName": metric,
                    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": instance}],
                },
                "Period": _PERIOD_SECONDS,
                "Stat": "Average",
            },
        }
        for number, metric in enumerate(metrics)
    ]
    until = datetime.now(UTC)
    answer = call(
        "cloudwatch",
        "get_metric_data",
        region=region,
        MetricDataQueries=queries,
        StartTime=until - _LOOKED_BACK,
        EndTime=until,
        ScanBy="TimestampDescending",
    )
    named = dict(zip((query["Id"] for query in queries), metrics, strict=True))
    return {named[one["Id"]]: float(one["Values"][0]) for one in answer["MetricDataResults"] if one["Values"]}


@contextmanager
def watched_load(
    source: SourceSettings, reader: Reader, host: str, loaded: Callable[[str], None], every: float = EVERY_SECONDS
) -> Iterator[None]:
    """Reports to the governor, while the block runs, which limits of the settings the instance's load exceeds.

    Without a limit nothing is asked. If CloudWatch may not be asked at the start, the run is refused: a limit that
    nobody watches is no limit. An answer that is missing later changes nothing.

    Args:
        source: the settings.
        reader: whose load is watched.
        host: names the region.
        loaded: is called with what is above a limit; with an empty text when nothing is.
        every: seconds between looks.

    Raises:
        SettingsInvalid: a limit is set, and CloudWatch may not be asked. No row was read.
    """
    set_limits = {metric: getattr(source, setting) for metric, setting in _METRICS.items()}
    limits: dict[str, float] = {metric: float(most) for metric, most in set_limits.items() if most is not None}
    if not limits:
        yield
        return
    ask = partial(load_of, reader.instance, limits, host_region(host))
    _judge(_first_look(ask, reader), limits, loaded)
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(ask, limits, loaded, ended, every), name="load", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()  # a call that has begun may take its time: nobody waits for it


def _first_look(ask: AskLoad, reader: Reader) -> dict[str, float]:
    problem = ""
    try:
        return ask()
    except KeyServiceUnavailable:
        return {}
    except KeyUnusable as error:
        problem = error.what
    raise SettingsInvalid(
        f"The reader's load cannot be watched: {problem}",
        not_done=NO_ROW_READ,
        advice="Allow the job's role cloudwatch:GetMetricData, or take the limits out of [source].",
        where={"instance": reader.instance},
    )


def _watch(
    ask: AskLoad, limits: Mapping[str, float], loaded: Callable[[str], None], ended: threading.Event, every: float
) -> None:
    while not ended.wait(every):
        with suppress(KagemushaError):
            _judge(ask(), limits, loaded)


def _judge(load: Mapping[str, float], limits: Mapping[str, float], loaded: Callable[[str], None]) -> None:
    over = [metric for metric, percent in load.items() if percent > limits[metric]]
    loaded(f"{' and '.join(over)} above the limit" if over else "")
