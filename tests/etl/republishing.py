"""Copies of bundled contracts that publish where no other test looks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from schemas.contract_file import BUNDLED


def republish(folder: Path, prefix: str, names: Mapping[str, str], *, joins: bool = False) -> Path:
    """Writes copies of bundled contracts that publish under a prefix, and returns their folder.

    Args:
        folder: where they come to be.
        prefix: of the datasets, before an underscore.
        names: bundled table → what the copy calls it.
        joins: whether their joins stay, which may lead to tables that are not copied.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for table, name in names.items():
        text = (BUNDLED / f"{table}.yaml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^table: .*$", f"table: {name}", text)
        text = re.sub(rf"(?m)^publish: (\w+)\.{table}$", rf"publish: {prefix}_\1.{name}", text)
        text = text if joins else re.sub(r"(?m)^joins: .*\n", "", text)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replaces the first of some words in a file, which has to have them."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
