"""`kagemusha access` tells rights as they are, and names each that the settings do not say."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.cloud import bigquery
from typer.testing import CliRunner

from etl.cli import app
from etl.cloud.bigquery import Warehouse
from etl.publish.tables import ensure_table
from etl.reports.access import MISSING, UNSAID, Right, access
from etl.settings import load_settings
from schemas.contract_file import load_contracts
from scripts.local_stack.local_stack import Endpoints
from tests.etl.changed_settings import settings_file
from tests.etl.conftest import Republish

pytestmark = pytest.mark.stack
TAG = "projects/p/locations/asia-northeast1/taxonomies/1/policyTags/2"


def test_rights_and_differences_are_told(stack: Endpoints, republished: Republish, tmp_path: Path) -> None:
    """Readers of the settings are no difference; a stranger, a grant on a table, a missing or a foreign tag are."""
    folder = republished("ac", "members")
    file = settings_file(
        stack,
        tmp_path,
        bigquery__access='{ac_issuing = {readers = ["group:analysts@issuer.example"]}}',
        bigquery__ops_dataset='"ac_ops"',
        bigquery__rights=f'{{policy_tags = {{email = "{TAG}"}}}}',
    )
    settings, contracts = load_settings(file), load_contracts(folder)
    warehouse = Warehouse(settings.bigquery)
    table = ensure_table(warehouse, contracts["members"])
    assert not [one for one in access(settings, contracts) if one.differs and one.place.startswith("ac_")]
    assert Right("ac_issuing", "READER groupByEmail analysts@issuer.example") in access(settings, contracts)

    dataset = warehouse.client.get_dataset("ac_issuing")
    dataset.access_entries = [
        *(entry for entry in dataset.access_entries if entry.entity_type != "groupByEmail"),
        bigquery.AccessEntry("READER", "userByEmail", "stranger@issuer.example"),
    ]
    warehouse.client.update_dataset(dataset, ["access_entries"])
    policy = warehouse.client.get_iam_policy(table)
    policy.bindings.append({"role": "roles/bigquery.dataViewer", "members": {"user:kana@issuer.example"}})
    warehouse.client.set_iam_policy(table, policy)
    other = bigquery.PolicyTagList(names=[f"{TAG}9"])
    table.schema = [
        bigquery.SchemaField(field.name, field.field_type, policy_tags=other if field.name == "phone" else None)
        for field in table.schema
    ]
    warehouse.client.update_table(table, ["schema"])
    sql = "CREATE ROW ACCESS POLICY job ON ac_issuing.members GRANT TO ('allUsers') FILTER USING (TRUE)"
    warehouse.client.query_and_wait(sql)

    members = "ac_issuing.members"
    told = [one for one in access(settings, contracts) if one.place.startswith("ac_issuing")]
    assert {one for one in told if one.differs} == {
        Right("ac_issuing", "READER groupByEmail analysts@issuer.example", MISSING),
        Right("ac_issuing", "READER userByEmail stranger@issuer.example", UNSAID),
        Right(members, "roles/bigquery.dataViewer user:kana@issuer.example", UNSAID),
        Right(f"{members}.email", f"policy tag {TAG}", MISSING),
        Right(f"{members}.phone", f"policy tag {TAG}9", UNSAID),
    }
    assert Right(members, "row access policy job") in told
    done = CliRunner().invoke(app, ["access", "--settings", str(file), "--contracts", str(folder), "--differing"])
    assert done.exit_code == 1
    assert "stranger@issuer.example" in done.stdout
    assert "row access policy job" not in done.stdout
