"""Rights survive every way of publishing: tags on columns, policies on rows; or the load refuses by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import yaml
from google.cloud import bigquery

from etl.audit import Approved
from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingLocation
from etl.errors import PublishRefused
from etl.ledger import Ledger
from etl.publish import Publisher
from etl.publish.rights.row_policies import RowPoliciesLost, refuse_lost_policies, row_policies
from etl.publish.tables import ensure_table
from etl.settings import RightsSettings
from etl.source import Changes
from etl.upkeep.erase.persons import TokenColumn
from etl.upkeep.erase.tables import rows_found
from schemas.business_days import Window
from schemas.contract import Contract
from scripts.fault_injection.proxy import Exchange, FaultProxy, Rule
from scripts.local_stack.local_stack import Endpoints
from tests.etl.conftest import FREE
from tests.etl.staging import approved, plan_of, stage_rows

pytestmark = pytest.mark.stack
MONDAY = date(2023, 8, 28)
TAXONOMY = "projects/p/locations/asia-northeast1/taxonomies/1/policyTags"
PHONES, OTHERS = f"{TAXONOMY}/2", f"{TAXONOMY}/3"
RIGHTS = RightsSettings.model_validate({"policy_tags": {"phone": PHONES, "other": OTHERS}})
CONTRACT = """
table: calls
about: One row for each call.
source: test.calls
publish: rights.{name}
load: {{mode: full}}
key: [call]
columns:
  call: {{type: string, class: none, mask: {{strategy: keep, why: a made-up word}}, nullable: false}}
  phone: {{type: string, class: phone, mask: {{strategy: partial, keep_first: 3}}}}
  mail: {{type: string, class: email, mask: {{strategy: email_domain}}}}
  called_at: {{type: timestamp, class: none, mask: {{strategy: keep, why: a made-up time}}, nullable: false}}
derive:
  called_on: {{type: date, from: called_at, as: business_date}}
"""
MODES: Mapping[str, Mapping[str, Any]] = {
    "full": {"mode": "full"},
    "partition": {"mode": "partition", "by": "called_on"},
    "snapshot": {"mode": "snapshot"},
    "merge": {"mode": "merge", "watermark": "called_at", "deletes": "ignore"},
}


def contract(name: str, load: Mapping[str, Any] = MODES["full"]) -> Contract:
    """Returns the contract of one table, loaded in a mode."""
    return Contract.model_validate({**yaml.safe_load(CONTRACT.format(name=name)), "load": load})


def calls(found: Contract, location: StagingLocation, *names: str) -> Approved:
    """Stages calls of one day and returns the proof that an audit would give."""
    noon = datetime(MONDAY.year, MONDAY.month, MONDAY.day, 3, tzinfo=UTC)
    row = ("090xxxx", "example.jp", noon, MONDAY, *([MONDAY] if found.load.mode == "snapshot" else []))
    window = Window(MONDAY, MONDAY) if found.partition_by else None
    changes = Changes("called_at", noon, timedelta(hours=1), noon, closed=False) if found.load.mode == "merge" else None
    plan = plan_of(found, MONDAY, window, changes)
    return approved(stage_rows(plan, location, {MONDAY if window else None: [(name, *row) for name in names]}))


def tags(warehouse: Warehouse, found: Contract) -> dict[str, tuple[str, ...]]:
    """Returns the policy tags of the published columns that have some."""
    table = warehouse.find_table(found.publish)
    assert table is not None
    return {field.name: field.policy_tags.names for field in table.schema if field.policy_tags}


def names(warehouse: Warehouse, found: Contract) -> list[str]:
    """Returns the calls that are published."""
    return [row["call"] for row in warehouse.rows("Not read", f"SELECT call FROM {found.publish} ORDER BY 1")]


def guard(warehouse: Warehouse, found: Contract, name: str, whom: str, rows: str = "TRUE") -> None:
    """Creates a row access policy."""
    sql = f"CREATE ROW ACCESS POLICY {name} ON {found.publish} GRANT TO ('{whom}') FILTER USING ({rows})"
    warehouse.client.query_and_wait(sql)


@pytest.fixture(scope="module")
def tagging(warehouse: Warehouse) -> Warehouse:
    """Returns the same BigQuery, with settings that name policy tags."""
    return Warehouse(warehouse.settings.model_copy(update={"rights": RIGHTS}))


@pytest.mark.parametrize("mode", MODES)
def test_tags_and_policies_are_there_after_every_load(tagging: Warehouse, location: StagingLocation, mode: str) -> None:
    """Two loads in each mode replace rows, and leave the classes' tags and people's policies as they were."""
    found, publisher = contract(f"kept_{mode}", MODES[mode]), Publisher(tagging, location)
    publisher.publish(calls(found, location, "a", "b"), FREE)
    wanted = {"phone": (PHONES,), "mail": (OTHERS,)}
    assert tags(tagging, found) == wanted
    guard(tagging, found, "nobody", "user:nobody@issuer.example", "FALSE")
    guard(tagging, found, "job", "allUsers")
    publisher.publish(calls(found, location, "b", "c"), FREE)
    assert tags(tagging, found) == wanted
    assert tagging.row_policies(found.publish) == {"nobody", "job"}
    assert names(tagging, found) == (["a", "b", "c"] if mode == "merge" else ["b", "c"])


def test_a_job_that_does_not_see_all_rows_publishes_nothing(warehouse: Warehouse, location: StagingLocation) -> None:
    """Where policies hide rows from the job, nothing is loaded: retokenized rows would lack those it did not see."""
    found, publisher = contract("hidden"), Publisher(warehouse, location)
    publisher.publish(calls(found, location, "a", "b"), FREE)
    guard(warehouse, found, "some", "allUsers", "call = 'a'")
    with pytest.raises(PublishRefused, match=r"Policies of rights\.hidden hide rows from the job's account: some\."):
        publisher.publish(calls(found, location, "c"), FREE)
    table = warehouse.find_table(found.publish)
    assert table is not None
    assert table.num_rows == 2
    assert warehouse.row_policies(found.publish) == {"some"}


def test_nobody_is_forgotten_behind_a_policy(warehouse: Warehouse, location: StagingLocation) -> None:
    """An erasure that does not see all rows does not say that a person is in none of them."""
    found = contract("forgetting")
    Publisher(warehouse, location).publish(calls(found, location, "a", "b"), FREE)
    persons = (TokenColumn("call", ("b",)),)
    assert rows_found(Ledger(warehouse), found, persons) == 1
    guard(warehouse, found, "some", "allUsers", "call = 'a'")
    with pytest.raises(PublishRefused, match="hide rows from the job's account: some"):
        rows_found(Ledger(warehouse), found, persons)


def test_a_table_beside_is_tagged_like_its_destination(
    stack: Endpoints, warehouse: Warehouse, location: StagingLocation
) -> None:
    """Rows on their way are as protected as those that arrived: the table beside is created with the same tags."""
    bodies: list[dict[str, Any]] = []

    def notes(exchange: Exchange) -> None:
        bodies.append(json.loads(exchange.body))
        exchange.relay(exchange.forward())

    with FaultProxy(stack.bigquery).running() as proxy, proxy.following(Rule("POST", "/tables", notes, times=9)):
        settings = warehouse.settings.model_copy(update={"endpoint": proxy.url, "rights": RIGHTS})
        found = contract("beside_tagged")
        Publisher(Warehouse(settings), location).publish(calls(found, location, "a"), FREE)
    made = {body["tableReference"]["tableId"][:6]: body["schema"]["fields"] for body in bodies}
    assert set(made) == {"beside", "stage_"}
    for fields in made.values():
        tagged = {field["name"]: field["policyTags"]["names"] for field in fields if "policyTags" in field}
        assert tagged == {"phone": [PHONES], "mail": [OTHERS]}


def test_lost_policies_are_said(warehouse: Warehouse, location: StagingLocation) -> None:
    """Policies that are gone after a load are named, and a person has to look."""
    found = contract("lost")
    Publisher(warehouse, location).publish(calls(found, location, "a"), FREE)
    guard(warehouse, found, "job", "allUsers")
    before = row_policies(warehouse, found)
    warehouse.client.query_and_wait(f"DROP ALL ROW ACCESS POLICIES ON {found.publish}")
    with pytest.raises(RowPoliciesLost, match=r"rights\.lost lost 1 row access policies: job\.") as lost:
        refuse_lost_policies(warehouse, found, before)
    assert lost.value.exit_code == 1


def test_policies_that_may_not_be_listed_stop_the_load(
    stack: Endpoints, warehouse: Warehouse, location: StagingLocation
) -> None:
    """Whoever cannot know whether a table has policies does not load it."""
    found = contract("unlisted")

    def forbids(exchange: Exchange) -> None:
        exchange.answer(403)

    with FaultProxy(stack.bigquery).running() as proxy, proxy.following(Rule("GET", "/rowAccessPolicies", forbids)):
        barred = Warehouse(warehouse.settings.model_copy(update={"endpoint": proxy.url}))
        with pytest.raises(PublishRefused, match=r"bigquery\.rowAccessPolicies\.list allows it"):
            Publisher(barred, location).publish(calls(found, location, "a"), FREE)
    assert names(warehouse, found) == []


def test_a_copy_would_take_the_policies(warehouse: Warehouse, location: StagingLocation) -> None:
    """The local BigQuery does as the real one documents, so that the tests above prove something."""
    found = contract("copied")
    Publisher(warehouse, location).publish(calls(found, location, "a"), FREE)
    beside = f"{warehouse.settings.project}.rights.beside"
    warehouse.client.copy_table(warehouse.table_id(found.publish), beside).result()
    guard(warehouse, found, "job", "allUsers")
    config = bigquery.CopyJobConfig(write_disposition="WRITE_TRUNCATE")
    warehouse.client.copy_table(beside, warehouse.table_id(found.publish), job_config=config).result()
    assert warehouse.row_policies(found.publish) == frozenset()


def test_tags_come_to_tables_that_have_none_and_take_none_away(warehouse: Warehouse) -> None:
    """A column that gains a class gains its tag; a person's own tag stays, one of the settings' follows the class."""
    found = contract("later")
    table = ensure_table(warehouse, found)
    own = bigquery.PolicyTagList(names=[f"{TAXONOMY}/9"])
    ours = bigquery.PolicyTagList(names=[PHONES])
    table.schema = [
        bigquery.SchemaField(
            field.name, field.field_type, policy_tags={"phone": own, "mail": ours, "call": ours}.get(field.name)
        )
        for field in table.schema
    ]
    warehouse.client.update_table(table, ["schema"])
    ensure_table(Warehouse(warehouse.settings.model_copy(update={"rights": RIGHTS})), found)
    assert tags(warehouse, found) == {"phone": (f"{TAXONOMY}/9",), "mail": (OTHERS,), "call": (PHONES,)}


def test_a_derived_column_is_as_sensitive_as_its_source(warehouse: Warehouse) -> None:
    """A date that is computed from a column of a class has the tag of that class."""
    raw = yaml.safe_load(CONTRACT.format(name="derived"))
    raw["columns"]["called_at"]["class"] = "identifier"
    found = Contract.model_validate(raw)
    ensure_table(Warehouse(warehouse.settings.model_copy(update={"rights": RIGHTS})), found)
    assert {name for name, tag in tags(warehouse, found).items() if tag == (OTHERS,)} == {
        "mail",
        "called_at",
        "called_on",
    }


def test_a_tag_that_bigquery_does_not_set_stops_the_load(
    stack: Endpoints, warehouse: Warehouse, location: StagingLocation
) -> None:
    """A column whose tag is missing in BigQuery's own answer gets no row, and is named."""
    found = contract("untagged")
    ensure_table(warehouse, found)

    def forgets(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.relay(replace(answer, body=answer.body.replace(b'"policyTags"', b'"forgotten"')))

    with FaultProxy(stack.bigquery).running() as proxy, proxy.following(Rule("PATCH", "/tables/untagged", forgets)):
        settings = warehouse.settings.model_copy(update={"endpoint": proxy.url, "rights": RIGHTS})
        with pytest.raises(PublishRefused, match=r"2 columns of rights\.untagged have no policy tag: mail, phone\."):
            Publisher(Warehouse(settings), location).publish(calls(found, location, "a"), FREE)
    assert names(warehouse, found) == []
