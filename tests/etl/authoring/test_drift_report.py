"""Drift is shown as a table on a terminal, and line by line everywhere else; both say the same."""

from __future__ import annotations

import io

from etl.authoring.drift_report import Form, TableDrift, write_drift
from etl.plan import Drift
from etl.plan.drift.find import DriftKind

TABLES = (
    TableDrift("clubs", "community.clubs", (), ""),
    TableDrift(
        "cards",
        "issuing.cards",
        (
            Drift(
                DriftKind.NEW, "tags[/]", "", "_text", "tags: {type: string, class: free_text, mask: {strategy: drop}}"
            ),
            Drift(DriftKind.KEY, "card_id", "the key", "no unique index", "Add a unique index."),
        ),
        "--- a/cards.yaml\n+++ b/cards.yaml\n",
    ),
)


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_terminals_get_a_table_and_logs_get_lines() -> None:
    """The same tables, columns, kinds, advice and diff; brackets in names are no markup."""
    drawn, listed = Terminal(), io.StringIO()
    write_drift(TABLES, Form.TEXT, drawn)
    write_drift(TABLES, Form.TEXT, listed)
    assert "│" in drawn.getvalue()
    assert "│" not in listed.getvalue()
    for text in (drawn.getvalue(), listed.getvalue()):
        for word in ("cards", "tags[/]", "card_id", "+++ b/cards.yaml", "2 tables compared, 1 would be refused."):
            assert word in text
        assert "clubs" not in text
    assert "cards.tags[/]: error: new column; source: _text\n    tags: {type" in listed.getvalue()
    assert "cards.card_id: warning: key not enforced; contract: the key; source: no unique index" in listed.getvalue()
