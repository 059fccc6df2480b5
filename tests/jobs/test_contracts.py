"""A job's contracts come from where its argument says, and nothing but contracts and views is taken from there."""

from __future__ import annotations

import os
import subprocess
import sys
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


def test_a_folder_of_many_pages_is_fetched_whole(s3: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 lists so many names at a time, here three; what stands on a later page comes too."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    for number in range(10):
        s3.put_object(Bucket="reviewed", Key=f"v2/{number:04}.txt", Body=b"")  # type: ignore[attr-defined]
    assert s3.list_objects_v2(Bucket="reviewed", Prefix="v2/")["IsTruncated"]  # type: ignore[attr-defined]
    s3.put_object(Bucket="reviewed", Key="v2/clubs.yaml", Body=b"clubs")  # type: ignore[attr-defined]
    folder = contracts_folder({"contracts": "s3://reviewed/v2"}, None)
    assert folder is not None
    assert [path.name for path in folder.iterdir()] == ["clubs.yaml"]


def test_what_was_fetched_goes_with_the_process(aws_server: str) -> None:
    """A process leaves no copy of contracts behind when it ends, and has them until then."""
    code = (
        "import boto3, sys\nfrom jobs.contracts import contracts_folder\n"
        "client = boto3.client('s3')\nclient.create_bucket(Bucket='left')\n"
        "client.put_object(Bucket='left', Key='v1/clubs.yaml', Body=b'clubs')\n"
        "print(contracts_folder({'contracts': 's3://left/v1'}, None).joinpath('clubs.yaml').resolve(strict=True))"
    )
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", code],
        env={**os.environ, **keys, "AWS_ENDPOINT_URL": aws_server},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not Path(done.stdout.strip()).parent.exists()


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
