"""Whether a staged table may still be published: not once its own run, or a newer one over its days, has done so."""

from __future__ import annotations

from google.cloud import bigquery

from etl.cloud.storage.bucket import StagingBucket
from etl.errors import NOT_PUBLISHED, PublishRefused
from etl.ledger.ledger import Ledger
from etl.stage.manifest import manifest_name
from etl.stage.staged import Staged


def refuse_superseded(staged: Staged, stage: StagingBucket, ledger: Ledger) -> None:
    """Refuses a staged table that this run, or a newer run over the same days, has already published.

    Raises:
        PublishRefused: it has; the error names the run.
    """
    table, window = staged.plan.table, staged.plan.window
    overlap = "AND (window_last IS NULL OR (window_last >= @first AND window_first <= @last))" if window else ""
    sql = (
        f"SELECT run_id FROM `{ledger.table_id('table_loads')}` "
        f"WHERE table_name = @table AND outcome IN ('published', 'retokenized') {overlap} "
        "AND (run_id = @run OR `at` > @staged) ORDER BY `at` DESC LIMIT 1"
    )
    at = stage.created(manifest_name(stage, staged.run_id, table))
    parameters = [
        bigquery.ScalarQueryParameter("table", "STRING", table),
        bigquery.ScalarQueryParameter("run", "STRING", staged.run_id),
        bigquery.ScalarQueryParameter("staged", "TIMESTAMP", at),
    ]
    if window:
        parameters += [
            bigquery.ScalarQueryParameter("first", "DATE", window.first),
            bigquery.ScalarQueryParameter("last", "DATE", window.last),
        ]
    rows = ledger.read(sql, parameters)
    if not rows:
        return
    newer = str(rows[0]["run_id"])
    what = "This run has published the table." if newer == staged.run_id else f"Run {newer} published it since."
    raise PublishRefused(
        what, not_done=NOT_PUBLISHED, advice="Nothing has to be done.", where={"table": table, "run": staged.run_id}
    )
