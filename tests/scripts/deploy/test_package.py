"""What the package for Glue is made of: the lock without Spark, wheels that load there, bytes that content decides."""

from __future__ import annotations

import os
from importlib.metadata import distribution
from pathlib import Path

import pytest

from scripts.deploy.packaging import lock
from scripts.deploy.packaging.archive import digest, pack, sha256
from tests.scripts.deploy.conftest import ROOT


def test_the_lock_goes_to_glue_without_spark() -> None:
    """Spark brings pyspark and py4j; everything else of the lock is there, and Glue's Python part."""
    ours = set(lock.names((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    there = lock.names(lock.glue_lock())
    assert set(there) == ours - {"pyspark", "py4j"} | {"awsgluedataplanepython"}
    assert lock.glue_lock().count("--hash=sha256:") >= len(there)


def test_every_locked_wheel_fits_glues_glibc() -> None:
    """Of every distribution of the lock the wheel that this machine took loads on Glue too: Python 3.11, glibc 2.34."""
    strange = {name: tags for name in lock.names(lock.glue_lock()) if (tags := lock.too_new(distribution(name)))}
    assert not strange


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("py3-none-any", True),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("cp39-abi3-manylinux_2_34_x86_64", True),
        ("cp311-abi3-manylinux_2_35_x86_64", False),
        ("cp313-abi3-manylinux_2_28_x86_64", False),
        ("cp312-cp312-manylinux_2_28_x86_64", False),
        ("cp311-cp311-musllinux_1_2_x86_64", False),
        ("cp311-cp311-manylinux_2_28_aarch64", False),
    ],
)
def test_what_fits(tag: str, *, fits: bool) -> None:
    """A wheel fits by interpreter, binary interface, C library and processor."""
    assert lock._fits(tag) is fits


def test_an_archive_depends_on_content_only(tmp_path: Path) -> None:
    """Times and the order of making do not show; a byte, a right and a link's target do."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder, order in zip(folders, (("a", "b"), ("b", "a")), strict=True):
        folder.mkdir()
        for name in order:
            (folder / name).write_text(name, encoding="utf-8")
        (folder / "link").symlink_to("a")
        os.utime(folder / "a", (order[0] == "a", 0))
        pack(folder, tmp_path / f"{folder.name}.tar.gz")
    one, two = folders
    assert digest(one) == digest(two)
    assert sha256(tmp_path / "one.tar.gz") == sha256(tmp_path / "two.tar.gz")
    (two / "a").chmod(0o755)
    assert digest(one) != digest(two)
