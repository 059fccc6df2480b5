"""Which stages the ledger knows: what runs staged themselves, written down before it was audited."""

from __future__ import annotations

from datetime import datetime

from etl.ledger.ledger import Ledger


def known_stages(ledger: Ledger, run_id: str, since: datetime) -> frozenset[tuple[str, str, str]]:
    """Returns table, manifest digest and signature of every stage that a run has written down since an instant."""
    sql = (
        f"SELECT table_name, manifest_digest, signature FROM `{ledger.table_id('stages')}` "
        "WHERE run_id = @run AND `at` >= @since AND signature IS NOT NULL"
    )
    rows = ledger.read(sql, run=run_id, since=since)
    return frozenset((row["table_name"], row["manifest_digest"], row["signature"]) for row in rows)
