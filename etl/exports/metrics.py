"""How a run went, in numbers, for CloudWatch and Prometheus: one line for each table, or a file of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from etl.ledger import TableResult

_UNITS: Final = {"rows": "Count", "bytes": "Bytes", "seconds": "Seconds", "failed": "Count"}
_NAMESPACE: Final = "Kagemusha"


def emf_lines(tables: Sequence[TableResult], ended: datetime) -> Iterator[str]:
    """Yields a line for each table in CloudWatch's embedded metric format, which counts once it is printed."""
    described = [{"Name": name, "Unit": unit} for name, unit in _UNITS.items()]
    for result in tables:
        line: dict[str, Any] = {
            "_aws": {
                "Timestamp": int(ended.timestamp() * 1000),
                "CloudWatchMetrics": [{"Namespace": _NAMESPACE, "Dimensions": [["table"]], "Metrics": described}],
            },
            "table": result.table,
            **_numbers(result),
        }
        yield json.dumps(line)


def prometheus_text(tables: Sequence[TableResult], ended: datetime) -> str:
    """Returns the last run as Prometheus' text format, version 0.0.4, for a collector of text files."""
    lines = []
    for name in _UNITS:
        lines.append(f"# TYPE kagemusha_last_run_{name} gauge")
        lines += [f'kagemusha_last_run_{name}{{table="{one.table}"}} {_numbers(one)[name]}' for one in tables]
    lines += ["# TYPE kagemusha_last_run_timestamp_seconds gauge"]
    lines += [f"kagemusha_last_run_timestamp_seconds {ended.timestamp():.3f}"]
    return "\n".join(lines) + "\n"


def _numbers(result: TableResult) -> dict[str, float]:
    return {
        "rows": result.rows,
        "bytes": result.bytes,
        "seconds": round(result.seconds, 3),
        "failed": int(bool(result.exit_code)),
    }
