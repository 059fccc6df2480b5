"""How a refusal is proven: the run raises our error alone, the command line says it, and nothing has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.cloud.storage import StagingBucket, StagingLocation, is_record
from etl.entry import guarded, load_day
from masking.errors import KagemushaError
from schemas.contract_file import load_contracts
from tests.etl.conftest import Issuer


def refusal(
    issuer: Issuer, day: str, *tables: str, settings: Path | None = None, contracts: Path | None = None
) -> KagemushaError:
    """Returns the error of a run that must not begin.

    It carries no foreign error along, and BigQuery, the ledger in it included, and the stage are what they were; only
    the leases, which a run takes before it looks at the source and gives back, may have been touched.
    """
    before = state(issuer)
    with pytest.raises(KagemushaError) as caught:
        load_day(day, tables, settings or issuer.ends.settings, contracts)
    assert state(issuer) == before
    error: BaseException | None = caught.value
    while error is not None:
        assert isinstance(error, KagemushaError), f"a {type(error).__name__} is chained"
        error = error.__cause__ or error.__context__
    return caught.value


def exit_code(error: KagemushaError, capsys: pytest.CaptureFixture[str]) -> int:
    """Returns the exit code that the command line makes of an error, and proves that it prints it and nothing else."""
    capsys.readouterr()

    def fail() -> int:
        raise error

    code = guarded(fail)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"{type(error).__name__}: {error}\n"
    return code


def state(issuer: Issuer, *, without: tuple[str, ...] = ()) -> dict[str, object]:
    """Returns what BigQuery says about every table that a run may touch, and the staged objects, but no reports."""
    client, own = issuer.warehouse.client, issuer.settings.bigquery
    datasets = {dataset.dataset_id for dataset in client.list_datasets()}
    touched = {contract.dataset for contract in load_contracts().values()} | {own.views_dataset, own.ops_dataset}
    tables: dict[str, object] = {
        table.full_table_id: (table.num_rows, table.modified, table.schema)
        for name in sorted((touched & datasets) - set(without))
        for table in (client.get_table(listed.reference) for listed in client.list_tables(name))
        if table.table_id != "leases"
    }
    stage = StagingBucket(StagingLocation.of(issuer.settings))
    objects = {(one.name, one.generation) for one in stage.stored("") if not is_record(one.name)}
    return {**tables, "datasets": datasets, "stage": objects}
