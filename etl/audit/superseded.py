"""Whether a staged table may still be published: the ledger knows it, and nobody has published over it since.

A signed manifest of which no run has told is not published; nor is one once its own run, or a newer one over its days,
has published the table.
"""

from __future__ import annotations

from collections.abc import Iterable

from etl.errors import NOT_PUBLISHED, PublishRefused
from etl.ledger import REPLACED, Ledger, known_stages
from etl.stage import Manifest, StageForged


def refuse_unknown(manifests: Iterable[Manifest], run_id: str, ledger: Ledger) -> None:
    """Lets manifests pass that the run wrote down when it staged them: by table, digest and signature.

    Raises:
        StageForged: the ledger knows none, or another one.
    """
    signed = list(manifests)
    since = min((one.staged_at for one in signed), default=None)
    known = known_stages(ledger, run_id, since) if since else frozenset()
    for manifest in signed:
        staged = manifest.staged
        if (staged.plan.table, staged.digest, manifest.signature) not in known:
            raise StageForged(
                "The ledger does not know this stage of the run.",
                not_done=NOT_PUBLISHED,
                where={"table": staged.plan.table, "run": run_id},
            )


def refuse_superseded(manifest: Manifest, ledger: Ledger) -> None:
    """Refuses a staged table that this run, or a newer run over the same days, has already published.

    Raises:
        PublishRefused: it has; the error names the run.
    """
    staged = manifest.staged
    table, window = staged.plan.table, staged.plan.window
    overlap = "AND (window_last IS NULL OR (window_last >= @first AND window_first <= @last))" if window else ""
    sql = (
        f"SELECT run_id FROM `{ledger.table_id('table_loads')}` "
        f"WHERE table_name = @table AND outcome IN UNNEST(@outcomes) {overlap} "
        "AND `at` >= @staged AND (run_id = @run OR `at` > @staged) ORDER BY `at` DESC LIMIT 1"
    )
    days = {"first": window.first, "last": window.last} if window else {}
    rows = ledger.read(sql, table=table, outcomes=tuple(REPLACED), run=staged.run_id, staged=manifest.staged_at, **days)
    if not rows:
        return
    newer = str(rows[0]["run_id"])
    what = "This run has published the table." if newer == staged.run_id else f"Run {newer} published it since."
    raise PublishRefused(
        what, not_done=NOT_PUBLISHED, advice="Nothing has to be done.", where={"table": table, "run": staged.run_id}
    )
