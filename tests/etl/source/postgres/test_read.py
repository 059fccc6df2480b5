"""A slice of many batches is read in the memory of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pytest

from etl.source import hold_snapshot
from etl.source.postgres import read
from etl.stage.task import StagedSlice, stage_slice
from tests.etl.source.cluster import ROWS, Cluster
from tests.etl.source.conftest import Staging

pytestmark = pytest.mark.stack


class Weighed:
    """Hands batches on, and notes what Arrow holds whenever the next one is asked for; it keeps none itself."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self._batches = iter(batches)
        self.smallest = 1 << 40
        self.held: list[int] = []

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Returns itself."""
        return self

    def __next__(self) -> pa.RecordBatch:
        """Returns the next batch, in memory that Arrow knows of: the reader's own is not counted."""
        self.held.append(pa.total_allocated_bytes())
        batch = next(self._batches)
        own = batch.take(pa.array(range(batch.num_rows)))
        self.smallest = min(self.smallest, own.nbytes)
        return own


def test_no_batch_is_kept_while_the_next_is_read(
    cluster: Cluster, staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a batch is asked for, nothing of the ones before it is left, neither raw nor masked."""
    weighed: list[Weighed] = []
    batches = read._batches
    monkeypatch.setattr(read, "_batches", lambda cursor: weighed.append(Weighed(batches(cursor))) or weighed[-1])
    with hold_snapshot(cluster.source()) as held:
        task, plan = staging.task(held, "wide")
        staged = stage_slice(task, plan.slices[0])
    assert isinstance(staged, StagedSlice)
    assert staged.file.rows == ROWS
    (found,) = weighed
    assert len(found.held) >= 3
    assert max(found.held) - found.held[0] < found.smallest / 2, (found.held, found.smallest)
