"""Writes lint findings for people, for programs, for code hosts: text, JSON, SARIF 2.1.0, GitHub annotations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from enum import StrEnum

from masking.policy import RULES
from schemas.lint import CONTRACT_FITS, NAMES_FIT, SUITE_FITS, VIEW_FITS, VIEW_READS, Located

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def report(findings: Sequence[Located], form: Format) -> str:
    """Returns the findings in a format, without a line break at the end."""
    return _WRITERS[form](findings)


def _text(findings: Sequence[Located]) -> str:
    lines = [
        f"{found.path}:{found.line}:{found.column}: {found.severity} {found.rule}: {found.message}\n"
        f"    {found.todo}  [{found.clause}]"
        for found in findings
    ]
    kinds = Counter(found.severity for found in findings)
    notes = kinds["note"]
    counts = f"{_count(kinds['error'], 'error')}, {_count(kinds['warning'], 'warning')}"
    return "\n".join([*lines, f"{counts}, {_count(notes, 'note')}" if notes else counts])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _json(findings: Sequence[Located]) -> str:
    return json.dumps([asdict(found) for found in findings], ensure_ascii=False, indent=2)


def _github(findings: Sequence[Located]) -> str:
    return "\n".join(
        f"::{_LEVELS.get(found.severity, found.severity)} "
        f"file={_property(found.path)},line={found.line},col={found.column},title={found.rule}::"
        + _data(f"{found.message}. {found.todo} [{found.clause}]")
        for found in findings
    )


_LEVELS = {"note": "notice"}
"""What GitHub calls a severity otherwise."""


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _sarif(findings: Sequence[Located]) -> str:
    used = {found.rule for found in findings}
    of_files = (CONTRACT_FITS, SUITE_FITS, VIEW_FITS, NAMES_FIT, VIEW_READS)
    rules = [rule for rule in (*RULES.values(), *of_files) if rule.id in used]
    driver = {
        "name": "kagemusha lint",
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.demand},
                "help": {"text": f"{rule.todo} [{rule.clause}]"},
                "defaultConfiguration": {"level": rule.severity.value},
            }
            for rule in rules
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(found) for found in findings],
    }
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _result(found: Located) -> dict[str, object]:
    region = {"startLine": found.line, "startColumn": found.column}
    place = {"artifactLocation": {"uri": found.path}, "region": region}
    return {
        "ruleId": found.rule,
        "level": found.severity,
        "message": {"text": f"{found.message}. {found.todo} [{found.clause}]"},
        "locations": [{"physicalLocation": place}],
    }


_WRITERS: dict[Format, Callable[[Sequence[Located]], str]] = {
    Format.TEXT: _text,
    Format.JSON: _json,
    Format.SARIF: _sarif,
    Format.GITHUB: _github,
}
