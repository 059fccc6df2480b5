"""The benchmark of the masking kernels."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    "ff1_encrypt",
    "ff1_decrypt",
    "aes_siv_16",
    "aes_siv_mixed",
    "cmac_16",
    "truncate_pan",
    "leak_scan",
    "hmac_distinct",
}


def test_it_measures_every_kernel_and_writes_the_figures(tmp_path: Path) -> None:
    """A small run writes a figure for each kernel and for the peers that are here, and prints each of them."""
    output = tmp_path / "new" / "masking.json"
    script = [sys.executable, str(ROOT / "scripts" / "bench_masking.py")]
    run = subprocess.run(  # noqa: S603  our own script
        [*script, "--rows", "500", "--runs", "1", "--output", str(output)], capture_output=True, text=True, check=True
    )
    figures = json.loads(output.read_text())
    peers = figures.pop("peers")
    assert set(figures) == OURS
    assert {"cryptography.AESSIV", "hmac.digest"} <= set(peers)
    assert all(figure > 0 for figure in [*figures.values(), *peers.values()])
    assert all(name in run.stdout for name in [*figures, *peers])
