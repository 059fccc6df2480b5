"""The benchmark's parts measure what they say; its picture and its page hold what was measured."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from scripts.benchmarks.figures import point, ratios
from scripts.benchmarks.model import Line, Model, night
from scripts.benchmarks.peers import PEERS
from scripts.benchmarks.picture import picture, speeds
from scripts.benchmarks.processor import OURS, difference, processor_seconds
from scripts.benchmarks.whole_run import STEPS, WholeRun
from scripts.benchmarks.worker_steps import WORKER_STEPS, Clock
from scripts.generate_scale import MEASURED, ROWS, checked, memory, written

SVG = "{http://www.w3.org/2000/svg}"
EM_OF_A_SIGN = 0.56 * 13
"""About how wide a sign is, in a font of 13 pixels."""
SPIN = "import time; [None for spent in iter(time.process_time, None) if spent > 0.4 and exit()]"
FIGURES: dict[str, Any] = {
    "measured_on": "2026-11-29",
    "machine": "2 cores <of> this & that",
    "rows": 3_000,
    "runs": 3,
    "ours_rows_per_s": 200,
    "whole_run_rows_per_s": 100,
    "copy_rows_per_s": 400,
    "peers": {**{name: 50 + number for number, name in enumerate(PEERS)}, "spark_jdbc": 20},
    "shares": {"opening": 0.2, "stage": 0.5, "audit": 0.1, "publish": 0.15, "recording": 0.05},
}


def measured_point(rows: int, *, fixed: float = 5.0, a_row: float = 10e-6, read: float = 1e-6) -> dict[str, Any]:
    """Returns a point on a line."""
    spent = {"driver": 1.0, "jvm": 0.0, "workers": 2.0 + rows * a_row, "standby": rows * read}
    return {
        "rows": rows,
        "runs": 3,
        "whole_seconds": fixed + rows * a_row,
        "seconds": dict.fromkeys(STEPS, fixed / 5),
        "processor_seconds": {step: spent if step == "stage" else dict.fromkeys(spent, 0.0) for step in STEPS},
        "worker_mib": 300,
        "driver_mib": 330,
        "jvm_mib": 350,
        "heap_mib": 989,
        "machine": "made up",
        "measured_on": "2026-11-29",
    }


def test_processor_time_goes_to_the_part_that_spent_it() -> None:
    """What a server's process spends is the server's; what a child of ours spends is ours, after its end too."""
    with subprocess.Popen([sys.executable, "-c", f"{SPIN}\ninput()"], stdin=subprocess.PIPE) as server:  # noqa: S603  this Python
        before = processor_seconds({"server": server.pid})
        subprocess.run([sys.executable, "-c", SPIN], check=True)  # noqa: S603  the same
        ours = difference(before, processor_seconds({"server": server.pid}))
        server.communicate(b"\n")
    assert ours["driver"] >= 0.35
    assert ours["server"] < ours["driver"] + 0.5
    assert set(ours) == {*OURS, "server"}


def test_a_step_within_a_step_counts_once() -> None:
    """What writing pulls through masks and reads is theirs, not writing's."""
    clock = Clock()

    def spin(seconds: float) -> None:
        begun = time.process_time()
        while time.process_time() - begun < seconds:
            pass

    def batches() -> list[int]:
        spin(0.1)
        return [1, 2]

    read = clock.each("read", batches)
    clock.around("write", lambda: [spin(0.05) for _ in read()])()
    assert clock.spent["read"] == pytest.approx(0.1, abs=0.05)
    assert clock.spent["write"] == pytest.approx(0.1, abs=0.05)
    assert set(clock.spent) == set(WORKER_STEPS)
    assert clock.spent["mask"] == 0


def test_a_point_is_the_middle_of_its_runs_and_the_largest_memory() -> None:
    """One disturbed run changes no figure of time; memory is the worst that was seen."""
    runs = [
        WholeRun(
            rows=10,
            seconds=dict.fromkeys(STEPS, seconds),
            processor={step: {"workers": seconds} for step in STEPS},
            worker_mib=int(seconds),
            driver_mib=1,
            jvm_mib=2,
            heap_mib=3,
        )
        for seconds in (1.0, 90.0, 2.0)
    ]
    found = point(runs)
    assert found["whole_seconds"] == 10.0
    assert found["seconds"]["audit"] == 2.0
    assert found["processor_seconds"]["stage"] == {"workers": 2.0}
    assert found["worker_mib"] == 90


def test_ratios_are_of_ours_to_each() -> None:
    """Both staging and the whole run are told beside COPY and every peer."""
    told = ratios(FIGURES)
    assert told["staging/copy"] == 0.5
    assert told["whole run/spark_jdbc"] == 5.0
    assert {name.partition("/")[2] for name in told} == {"copy", *FIGURES["peers"]}


def test_the_picture_is_valid_and_holds_every_peer() -> None:
    """It is XML, names ours, each peer with its speed, each step, machine and date; the longest bar is the fastest."""
    root = ET.fromstring(picture(FIGURES))  # noqa: S314  our own picture
    assert root.tag == f"{SVG}svg"
    texts = [one.text or "" for one in root.iter(f"{SVG}text")]
    for name, (_, speed) in speeds(FIGURES).items():
        assert name in texts
        assert f"{speed:,}" in texts
    assert all(any(peer.title in text for text in texts) for peer in PEERS.values())
    assert any(FIGURES["machine"] in text and "2026-11-29" in text for text in texts)
    assert {(one.text or "").partition(":")[0] for one in root.iter(f"{SVG}title")} >= set(STEPS)
    names = [one for one in root.iter(f"{SVG}text") if one.get("text-anchor") == "end"]
    assert all(len(one.text or "") * EM_OF_A_SIGN <= float(one.get("x", 0)) for one in names)
    bars = [one for one in root.iter(f"{SVG}rect") if one.get("class") in {"ours", "other"}]
    assert len(bars) == len(FIGURES["peers"]) + 3
    wide = float(root.get("viewBox", "").split()[2])
    assert all(float(one.get("x", 0)) + float(one.get("width", 0)) <= wide for one in bars)


def luminance(color: str) -> float:
    """Returns the relative luminance of a color (WCAG 2.2)."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
def test_the_picture_is_readable_in_light_and_dark(*, dark: bool) -> None:
    """Texts stand out from what is behind them by 4.5 to 1 (WCAG 2.2, 1.4.3), bars from the page by 2 to 1."""
    root = ET.fromstring(picture(FIGURES))  # noqa: S314  our own picture
    style = root.findtext(f"{SVG}style", "")
    light, _, night_style = style.partition("@media (prefers-color-scheme: dark)")
    fills = dict(re.findall(r"([.\w]+) \{[^}]*?fill: (#\w{6})", light))
    if dark:
        fills |= dict(re.findall(r"([.\w]+) \{ fill: (#\w{6})", night_style))

    def contrast(one: str, other: str) -> float:
        high, low = sorted((luminance(fills[one]), luminance(fills[other])), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert contrast("text", ".page") >= 4.5
    assert contrast(".small", ".page") >= 4.5
    assert all(contrast(kind, ".page") >= 2 for kind in (".ours", ".other"))
    assert all(contrast(".on", f".s{number}") >= 4.5 for number in range(len(STEPS)))


def test_a_line_goes_through_points_that_lie_on_one() -> None:
    """Fixed part and part of a row are found; neither becomes negative."""
    line = Line.through([(1_000, 3.0), (2_000, 5.0), (10_000, 21.0)])
    assert (line.fixed, line.a_row) == (pytest.approx(1.0), pytest.approx(0.002))
    assert Line.through([(1_000, 1.0), (2_000, 4.0)]).fixed == 0
    assert Line.through([(1_000, 4.0), (2_000, 1.0)]).a_row == 0


def test_more_rows_cost_more_and_the_limit_moves() -> None:
    """A small night is one load job; a larger one needs workers; where they are many, the reader holds it up."""
    model = Model.of([measured_point(rows) for rows in (300_000, 1_000_000, 3_000_000)])
    nights = [night(model, rows) for rows in ROWS]
    assert [one.dollars for one in nights] == sorted(one.dollars for one in nights)
    assert nights[0].limit == "the load job"
    assert nights[-1].limit == "workers"
    assert all(one.fits for one in nights)
    slow = Model.of([measured_point(rows, a_row=1e-9, read=40e-6) for rows in (300_000, 1_000_000, 3_000_000)])
    assert night(slow, 10**9).limit == "the reader"
    assert not night(slow, 10**11).fits


def test_the_page_tells_the_error_at_each_point() -> None:
    """Points on a line have none; one that is off the line shows it."""
    points = [measured_point(rows) for rows in (300_000, 1_000_000, 3_000_000)]
    assert sum(line.count("+0%") + line.count("-0%") for line in checked(Model.of(points), points)) == 2 * len(points)
    off = [*points[:-1], points[-1] | {"whole_seconds": 2 * points[-1]["whole_seconds"]}]
    assert sum(line.count("+0%") for line in checked(Model.of(off), off)) < 2 * len(points)
    assert sum("| 300 |" in line for line in memory(points)) == len(points)


def test_the_page_has_a_line_for_each_size_from_kept_figures() -> None:
    """What was kept of measurements has what page and picture need."""
    kept = json.loads(MEASURED.read_text(encoding="utf-8"))
    page = "\n".join(written(kept["points"]))
    assert all(f"| {rows:,} |" in page for rows in ROWS)
    assert all(f"{speed:,}" in picture(kept["end_to_end"]) for speed in kept["end_to_end"]["peers"].values())
    told = {"audit_share", "cpu_us_per_row", "whole_run_rows_per_s", "peers", "peer_versions"}
    assert told <= set(kept["end_to_end"])


def test_this_process_is_the_driver() -> None:
    """A process counts itself and nobody beside or above it: this test's, which started it, is a stranger."""
    code = (
        "import json, os, time\nfrom scripts.benchmarks.processor import processor_seconds\n"
        "while time.process_time() < 0.6: pass\n"
        "print(json.dumps([processor_seconds({}), sum(os.times()[:4])]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  our own
    spent, own = json.loads(done.stdout)
    assert spent["driver"] == pytest.approx(own, abs=0.1)
    assert spent["jvm"] == spent["workers"] == 0
