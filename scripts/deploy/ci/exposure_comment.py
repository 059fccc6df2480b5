#!/usr/bin/env python3
"""Turns `kagemusha diff --format json` into the comment that a reviewer reads: what is newly exposed comes first."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

Change = Mapping[str, object]


def comment(changes: Sequence[Change]) -> str:
    """Returns Markdown: columns that show more than before, then the other changes; names and strategies only."""
    exposed = [one for one in changes if one["exposes"]]
    others = [one for one in changes if not one["exposes"]]
    if not changes:
        return "### Contracts\n\nNothing that can be seen changes.\n"
    parts = ["### Contracts", ""]
    if exposed:
        parts += [
            f"**{len(exposed)} newly exposed. The environment `exposure` has to approve.**",
            "",
            *_table(exposed),
            "",
        ]
    if others:
        parts += [f"{len(others)} other changes:", "", *_table(others), ""]
    return "\n".join(parts)


def _table(changes: Sequence[Change]) -> list[str]:
    rows = [
        f"| {one['table']} | {one['column'] or '(table)'} | {one['verdict']} | `{one['before']}` | `{one['after']}` |"
        for one in changes
    ]
    return ["| table | column | verdict | before | after |", "|---|---|---|---|---|", *rows]


if __name__ == "__main__":
    sys.stdout.write(comment(json.load(sys.stdin)))
