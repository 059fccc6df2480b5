"""What a run was asked for is judged before anything is opened: by the names that its settings give the product."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from etl.run.request import Selection
from etl.settings import BigQuerySettings
from expectations.suite import BUNDLED as SUITES
from schemas.errors import ContractInvalid


def test_names_of_the_settings_are_the_product_s(contracts: Path) -> None:
    """Contracts that publish into what the settings call the ledger's or the views' dataset are refused."""
    assert Selection.read(contracts, SUITES, [], BigQuerySettings(project="p")).views
    with pytest.raises(ContractInvalid, match="contract cards publishes into dataset issuing, which belongs to the"):
        Selection.read(contracts, SUITES, [], BigQuerySettings(project="p", ops_dataset="issuing"))
    with pytest.raises(ContractInvalid, match="contract clubs publishes into dataset community"):
        Selection.read(contracts, SUITES, ["cards"], BigQuerySettings(project="p", views_dataset="community"))


@pytest.mark.parametrize("publish", ["ops.leases", "ops.token_map_member", "looker.daily_gmv"])
def test_a_contract_that_takes_the_ledger_s_place_is_refused(contracts: Path, publish: str) -> None:
    """Neither leases nor token maps nor views are a contract's to replace."""
    path = contracts / "clubs.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("publish: community.clubs", f"publish: {publish}"), encoding="utf-8")
    with pytest.raises(ContractInvalid, match="which belongs to the product"):
        Selection.read(contracts, SUITES, ["cards"], BigQuerySettings(project="p"))


def test_a_view_of_the_ledger_is_refused(contracts: Path) -> None:
    """A view file reads what contracts publish, and no table of the product."""
    (contracts / "views" / "who.sql").write_text("-- about: Who loads.\nSELECT * FROM ops.leases\n", encoding="utf-8")
    with pytest.raises(ContractInvalid, match="view who names dataset ops, which belongs to the product"):
        Selection.read(contracts, SUITES, [], BigQuerySettings(project="p"))


def test_ledger_and_views_have_datasets_of_their_own() -> None:
    """Otherwise whoever may read the views could read the ledger."""
    with pytest.raises(ValidationError, match="must differ"):
        BigQuerySettings(project="p", ops_dataset="one", views_dataset="one")
