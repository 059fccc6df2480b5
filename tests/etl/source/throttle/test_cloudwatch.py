"""CloudWatch's figures of the reader slow a run down where settings limit them, and are not asked for elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from etl.errors import SettingsInvalid
from etl.settings import SourceSettings
from etl.source import Governor
from etl.source.guard import Reader
from etl.source.throttle.cloudwatch import load_of, watched_load
from etl.source.throttle.governor import Bounds

HOST = "etl.cluster-custom-abc123.ap-northeast-1.rds.amazonaws.com"
READER = Reader("issuer-reader-2", 150004, is_aurora=True)


@pytest.fixture(scope="module")
def figures(aws: None) -> None:
    """Tells CloudWatch the load of two instances."""
    del aws  # it is asked there
    for instance, minutes_ago, percent in (
        ("issuer-reader-2", 3, 95.0),
        ("issuer-reader-2", 1, 40.0),
        ("another", 1, 99.0),
    ):
        measured(instance, "CPUUtilization", percent, minutes_ago)
    measured("issuer-reader-2", "ACUUtilization", 85.5)


def measured(instance: str, metric: str, percent: float, minutes_ago: int = 1) -> None:
    """Tells CloudWatch a figure, as RDS does."""
    boto3.client("cloudwatch", region_name="ap-northeast-1").put_metric_data(
        Namespace="AWS/RDS",
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": instance}],
                "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes_ago),
                "Value": percent,
            }
        ],
    )


def source(**limits: float) -> SourceSettings:
    """Returns settings with limits."""
    return SourceSettings.model_validate({"url": f"postgresql://etl@{HOST}/issuer", **limits})


@pytest.mark.usefixtures("figures")
def test_the_newest_figure_of_the_instance_counts() -> None:
    """Of each metric the newest average of this very instance is taken, in the region that its host names."""
    limits = {"CPUUtilization": 50.0, "ACUUtilization": 50.0}
    assert load_of(READER.instance, limits, "ap-northeast-1") == {"CPUUtilization": 40.0, "ACUUtilization": 85.5}
    assert load_of("unknown", limits, "ap-northeast-1") == {}


@pytest.mark.usefixtures("figures")
def test_a_busy_reader_slows_the_run_down_from_its_first_moment() -> None:
    """A figure above its limit halves the turns at once and says which; one below changes nothing."""
    told: list[tuple[int, str]] = []
    governor = Governor(Bounds(9, 100, 60), lambda allowed, reason: told.append((allowed, reason)))
    with watched_load(source(max_cpu_percent=50), READER, HOST, governor.loaded):
        assert governor.allowed == 8
    with watched_load(source(max_cpu_percent=50, max_acu_percent=80), READER, HOST, governor.loaded):
        assert governor.allowed == 4
    assert told == [(4, "ACUUtilization above the limit")]


@pytest.mark.usefixtures("figures")
def test_a_limit_that_cannot_be_watched_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without permission a limit would be empty words: the run does not begin; without a limit nobody is asked."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers them
    with watched_load(source(), READER, HOST, pytest.fail):
        pass
    watching = watched_load(source(max_cpu_percent=50), READER, HOST, pytest.fail)
    with pytest.raises(SettingsInvalid, match=r"cannot be watched.*NoCredentialsError") as refused:
        watching.__enter__()
    assert refused.value.exit_code == 2
    assert refused.value.__context__ is None
