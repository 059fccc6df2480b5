"""A job's contracts come from where its argument says, and nothing but contracts and views is taken from there."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import boto3
import pytest

from etl.errors import SettingsInvalid
from jobs.contracts import contracts_folder


@pytest.fixture
def s3(aws_server: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """Returns a client of an S3 that the job reaches too."""
    for name, value in {
        "AWS_ENDPOINT_URL": aws_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    with suppress(client.exceptions.BucketAlreadyOwnedByYou):  # an earlier test made it
        client.create_bucket(Bucket="reviewed")
    return client


def test_a_folder_of_s3_is_fetched(s3: object) -> None:
    """Contracts and views come; other files, and names that lead elsewhere, do not."""
    named = ["clubs.yaml", "views/clubs.sql", "notes.txt", "old/clubs.yaml", "../cards.yaml"]
    for name in named:
        s3.put_object(Bucket="reviewed", Key=f"v1/{name}", Body=name.encode())  # type: ignore[attr-defined]
    folder = contracts_folder({"contracts": "s3://reviewed/v1/"}, None)
    assert folder is not None
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"clubs.yaml", "views/clubs.sql"}
    assert (folder / "clubs.yaml").read_text(encoding="utf-8") == "clubs.yaml"


@pytest.mark.parametrize("place", ["s3://reviewed/nothing", "s3://no-such-bucket/v1"])
def test_a_folder_that_holds_nothing_is_refused(s3: object, place: str) -> None:
    """A mistyped place does not load the bundled contracts instead."""
    del s3  # the server is there
    with pytest.raises(SettingsInvalid) as caught:
        contracts_folder({"contracts": place}, None)
    assert caught.value.exit_code == 2
    assert "--contracts" in str(caught.value)


def test_a_folder_here_is_taken_as_it_is(tmp_path: Path) -> None:
    """A folder of this machine is used where it is; without contracts it is refused; `bundled` is as good as none."""
    assert contracts_folder({}, None) is None
    assert contracts_folder({"contracts": "bundled"}, None) is None
    with pytest.raises(SettingsInvalid, match="holds no contract"):
        contracts_folder({"contracts": str(tmp_path)}, None)
    (tmp_path / "clubs.yaml").touch()
    assert contracts_folder({"contracts": str(tmp_path)}, None) == tmp_path
