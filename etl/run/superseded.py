"""Whether a staged table may still be published: not once its own run, or a newer one over its days, has done so."""

from __future__ import annotations

from etl.cloud.storage import StagingBucket
from etl.errors import NOT_PUBLISHED, PublishRefused
from etl.ledger import REPLACED, Ledger
from etl.stage import Staged, manifest_name


def refuse_superseded(staged: Staged, stage: StagingBucket, ledger: Ledger) -> None:
    """Refuses a staged table that this run, or a newer run over the same days, has already published.

    Raises:
        PublishRefused: it has; the error names the run.
    """
    table, window = staged.plan.table, staged.plan.window
    overlap = "AND (window_last IS NULL OR (window_last >= @first AND window_first <= @last))" if window else ""
    sql = (
        f"SELECT run_id FROM `{ledger.table_id('table_loads')}` "
        f"WHERE table_name = @table AND outcome IN UNNEST(@outcomes) {overlap} "
        "AND (run_id = @run OR `at` > @staged) ORDER BY `at` DESC LIMIT 1"
    )
    at = stage.created(manifest_name(stage, staged.run_id, table))
    days = {"first": window.first, "last": window.last} if window else {}
    rows = ledger.read(sql, table=table, outcomes=tuple(REPLACED), run=staged.run_id, staged=at, **days)
    if not rows:
        return
    newer = str(rows[0]["run_id"])
    what = "This run has published the table." if newer == staged.run_id else f"Run {newer} published it since."
    raise PublishRefused(
        what, not_done=NOT_PUBLISHED, advice="Nothing has to be done.", where={"table": table, "run": staged.run_id}
    )
