"""An installation is prepared once and again: datasets, access, and the bucket's rule are what the settings say."""

from __future__ import annotations

import pytest
from google.cloud import bigquery

from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.cloud.storage.bucket import expiry_rules
from etl.publish.tables import encryption, load_config
from etl.settings import BigQuerySettings, DatasetAccess, load_settings
from etl.upkeep.prepare import prepare
from schemas.contract_file import load_contracts
from scripts.local_stack.local_stack import Endpoints

KEY = "projects/p/locations/asia-northeast1/keyRings/r/cryptoKeys/k"


@pytest.mark.stack
def test_datasets_have_the_access_of_the_settings(stack: Endpoints) -> None:
    """Members are added beside those that are there, views may read tables, and a second time changes nothing."""
    settings = load_settings(stack.settings)
    access = {
        "prepared": DatasetAccess(readers=("group:risk@issuer.example",), writers=("user:kana@issuer.example",)),
        "prepared_views": DatasetAccess(readers=("domain:issuer.example",)),
    }
    changes = {"access": access, "authorize_views": True, "views_dataset": "prepared_views", "kms_key": KEY}
    settings = settings.model_copy(update={"bigquery": settings.bigquery.model_copy(update=changes)})
    contracts = {name: one.model_copy(update={"publish": f"prepared.{name}"}) for name, one in load_contracts().items()}
    stage = StagingBucket(StagingLocation.of(settings))
    stage.write(f"{settings.stage.prefix}/from-before/cards/manifest.json", b"{}", "application/json")
    first, second = prepare(settings, contracts), prepare(settings, contracts)
    assert f"{settings.stage.prefix}/unexpired/from-before" in {one.name for one in stage.stored("")}
    assert first == second
    assert first.datasets == ("ops", "prepared", "prepared_views")
    client = Warehouse(settings.bigquery).client
    dataset = client.get_dataset("prepared")
    assert dataset.default_encryption_configuration.kms_key_name == KEY
    entries = [entry.to_api_repr() for entry in dataset.access_entries]
    assert {"role": "OWNER", "specialGroup": "projectOwners"} in entries
    assert entries.count({"role": "READER", "groupByEmail": "risk@issuer.example"}) == 1
    assert entries.count({"role": "WRITER", "userByEmail": "kana@issuer.example"}) == 1
    views = {"projectId": settings.bigquery.project, "datasetId": "prepared_views"}
    assert entries.count({"dataset": {"dataset": views, "targetTypes": ["VIEWS"]}}) == 1
    looker = [entry.to_api_repr() for entry in client.get_dataset("prepared_views").access_entries]
    assert {"role": "READER", "domain": "issuer.example"} in looker
    bucket = stage._bucket
    bucket.reload()
    assert list(bucket.lifecycle_rules) == expiry_rules([], "kagemusha/", settings.stage.keep_days + 1)


def test_a_buckets_other_rules_stay() -> None:
    """Our rule names our prefix and Parquet files only, replaces its own predecessor, and leaves the rest alone."""
    theirs = {"action": {"type": "Delete"}, "condition": {"age": 30, "matchesPrefix": ["logs/"]}}
    once = expiry_rules([theirs], "kagemusha/", 4)
    condition = {"age": 4, "matchesPrefix": ["kagemusha/"], "matchesSuffix": [".parquet"]}
    assert once == [theirs, {"action": {"type": "Delete"}, "condition": condition}]
    assert expiry_rules(once, "kagemusha/", 9)[1]["condition"]["age"] == 9
    assert len(expiry_rules(once, "kagemusha/", 9)) == 2


def test_a_customers_key_encrypts_all_that_is_written() -> None:
    """Tables and load jobs name the key of the settings; without one they name none."""
    warehouse = Warehouse(BigQuerySettings(project="p", endpoint="http://127.0.0.1:9", kms_key=KEY))
    found = encryption(warehouse)
    assert found is not None
    assert found.kms_key_name == KEY
    contract, table = load_contracts()["clubs"], bigquery.Table("p.d.t")
    table.encryption_configuration = found
    assert load_config(contract, table).destination_encryption_configuration == found
    assert encryption(Warehouse(BigQuerySettings(project="p", endpoint="http://127.0.0.1:9"))) is None
