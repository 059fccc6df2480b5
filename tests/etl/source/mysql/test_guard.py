"""MySQL's guard lets readers through and nothing else, on Aurora and elsewhere."""

from __future__ import annotations

import pytest

from etl.settings import SourceSettings
from etl.source.endpoint import Endpoint
from etl.source.guard import EndpointRefused
from etl.source.mysql.guard import MySqlReader, prove_reader, session_sql


def proven(
    *allowed: str, host: str = "127.0.0.1", may_write: bool = False, is_writer: bool = False, **variables: str
) -> MySqlReader:
    """Returns what the guard says of a server with these variables."""
    known = {"hostname": "ip-10-0-0-1", "version": "8.0.39", "innodb_read_only": "OFF", "read_only": "OFF", **variables}
    endpoint = Endpoint.of(SourceSettings(url=f"mysql://etl@{host}/issuer"))
    return prove_reader(known, endpoint, allowed, may_write=may_write, is_writer=is_writer)


def test_auroras_reader_is_proven_by_its_engine() -> None:
    """`innodb_read_only` proves Aurora's reader, whatever the user may; the instance is Aurora's own name for it."""
    reader = proven(aurora_server_id="reader-2", innodb_read_only="ON", may_write=True)
    assert (reader.instance, reader.version, reader.is_aurora, reader.mariadb) == ("reader-2", 8_00_39, True, False)


@pytest.mark.parametrize(
    "variables",
    [{}, {"aurora_server_id": "writer-1"}, {"aurora_server_id": "writer-1", "read_only": "ON"}],
    ids=["a primary", "Aurora's writer", "Aurora's writer with read_only, which proves nothing there"],
)
def test_writers_are_refused(variables: dict[str, str]) -> None:
    """A writer is refused before a row is read."""
    with pytest.raises(EndpointRefused, match="Connected to the writer") as refused:
        proven(**variables)
    assert "No row was read." in str(refused.value)


def test_witnesses_must_agree() -> None:
    """An instance that Aurora itself calls the writer is refused, whatever its variables say."""
    with pytest.raises(EndpointRefused, match="Aurora calls it the writer"):
        proven(aurora_server_id="db-1", innodb_read_only="ON", is_writer=True)


def test_a_replica_must_be_read_only_for_this_very_user() -> None:
    """Outside Aurora `read_only` counts only for a user who cannot write in spite of it."""
    assert proven(read_only="ON", version="10.11.6-MariaDB").mariadb
    with pytest.raises(EndpointRefused, match="not for this user"):
        proven(read_only="ON", may_write=True)


def test_names_decide_where_they_are_listed() -> None:
    """The writer endpoint's name, an instance outside the list and too old a server are refused."""
    with pytest.raises(EndpointRefused, match="writer endpoint"):
        proven(host="db.cluster-abc123.ap-northeast-1.rds.amazonaws.com", read_only="ON")
    with pytest.raises(EndpointRefused, match="not among the 1 allowed"):
        proven("db-1", aurora_server_id="db-2", innodb_read_only="ON")
    with pytest.raises(EndpointRefused, match="older"):
        proven(read_only="ON", version="5.6.10")


def test_each_session_proves_it_again_by_one_statement() -> None:
    """The statement that prepares a session has no time zone to set on any other server."""
    sql = session_sql(proven("db-1", aurora_server_id="db-1", innodb_read_only="ON"), 60)
    assert "IF(@@innodb_read_only AND @@aurora_server_id IN ('db-1'), '+00:00', 'not on a reader')" in sql
    assert "max_execution_time = 60000" in sql
    assert "max_statement_time = 60" in session_sql(proven(read_only="ON", version="10.11.6-MariaDB"), 60)
