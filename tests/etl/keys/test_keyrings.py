"""Opening, making and changing keyrings where they are kept."""

from __future__ import annotations

import base64
import json
import pickle
import stat
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from etl.cli.keys import keys
from etl.cloud.aws import KeyServiceUnavailable, call
from etl.errors import SettingsInvalid
from etl.keys import (
    activate_keyring,
    change_keyring,
    create_keyring,
    create_keyring_file,
    open_keyring,
    rotate_keyring,
    stored_keyring,
)
from etl.keys.envelope import CONTEXT, seal, unseal
from etl.keys.files import KeyringBusy
from masking.errors import KeyUnusable
from masking.keyring import KeyRef, Keyring
from tests.etl.rotating import rotate_and_use


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    """Lets each test open keyrings as a new process does."""
    open_keyring.cache_clear()


@pytest.fixture(scope="module")
def cmk(aws: None) -> Iterator[str]:
    """Yields the ARN of a KMS key, in the region that is then boto3's own."""
    del aws  # it is made there
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
        yield boto3.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Returns the place of a key file in a folder that is not there yet."""
    return tmp_path / "keys" / "keyring.json"


def test_a_key_file_is_private_and_opens(path: Path) -> None:
    """A new key file has mode 0600 in a folder of mode 0700, and opens to the keyring that was made."""
    made = create_keyring_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["keyring.json"]
    assert open_keyring(KeyRef(f"file:{path}")).subkey("card", "siv", 64) == made.subkey("card", "siv", 64)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622, 0o601, 0o777])
def test_a_key_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    """Any right of group or world makes the file unusable, and the error says how to mend it."""
    create_keyring_file(path)
    path.chmod(mode)
    with pytest.raises(KeyUnusable, match=rf"(?s)open to others \(mode 0{mode:o}\).*chmod 600"):
        open_keyring(KeyRef(f"file:{path}"))


def test_a_key_file_is_never_replaced_by_a_new_one(path: Path) -> None:
    """Making a keyring where one is keeps the old one: its loss would orphan every token."""
    create_keyring_file(path)
    before = path.read_text()
    with pytest.raises(KeyUnusable, match="already there"):
        create_keyring_file(path)
    assert path.read_text() == before
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("file:", "none that is known"),
        ("", "none that is known"),
        ("kms:x", "none that is known"),
        ("/keys/keyring.json", "none that is known"),
        ("file:/nowhere/keyring.json", "No such file"),
        ("awskms+file:/nowhere/keyring.json", "No such file"),
    ],
)
def test_places_without_a_keyring_are_refused(where: str, problem: str) -> None:
    """An unknown place or a missing file is named as such, without a foreign error behind it."""
    with pytest.raises(KeyUnusable, match=problem) as refused:
        open_keyring(KeyRef(where))
    assert refused.value.__context__ is None


@pytest.mark.parametrize("content", [b"4111111111111111", b"\xff\xfe4111", b'{"format": "4111"}'])
def test_files_without_a_keyring_are_refused_unquoted(path: Path, content: bytes) -> None:
    """A file of something else is refused; nothing of it is quoted."""
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)
    for where in (f"file:{path}", f"awskms+file:{path}"):
        with pytest.raises(KeyUnusable, match="is not") as refused:
            open_keyring(KeyRef(where))
        assert "4111" not in str(refused.value)
        assert refused.value.__context__ is None


def test_a_process_reads_the_keyring_once(path: Path) -> None:
    """The second opening gives the same keyring without the file; another reference reads again."""
    create_keyring_file(path)
    first = open_keyring(KeyRef(f"file:{path}"))
    path.unlink()
    assert open_keyring(KeyRef(f"file:{path}")) is first
    with pytest.raises(KeyUnusable):
        open_keyring(KeyRef(f"file:{path}", 1))


def test_the_expected_key_must_be_there(path: Path) -> None:
    """A reference to another check value or an unknown version stops before anything is masked."""
    made = create_keyring_file(path)
    kcv = made.versions[0].kcv
    assert open_keyring(KeyRef(f"file:{path}", 1, kcv)).primary == 1
    with pytest.raises(KeyUnusable, match=f"version 1 has check value {kcv}, not 00000000: it is another key"):
        open_keyring(KeyRef(f"file:{path}", 1, "00000000"))
    with pytest.raises(KeyUnusable, match="version 2 is not in the keyring"):
        open_keyring(KeyRef(f"file:{path}", 2))


def test_a_run_ends_under_the_key_it_began_with(path: Path) -> None:
    """A worker that starts after a rotation still writes under the version its run names."""
    made = create_keyring_file(path)
    rotate_and_use(f"file:{path}")
    worker = open_keyring(KeyRef(f"file:{path}", 1, made.versions[0].kcv))
    assert worker.subkey("card", "siv", 64) == made.subkey("card", "siv", 64)
    assert open_keyring(KeyRef(f"file:{path}")).primary == 2


def test_rotation_and_retirement_are_stored(path: Path) -> None:
    """A changed keyring replaces the old one whole and stays private; this process sees it at once."""
    create_keyring_file(path)
    where = f"file:{path}"
    old = open_keyring(KeyRef(where)).subkey("card", "siv", 64)
    rotate_and_use(where)
    change_keyring(where, lambda keyring: keyring.retired(1))
    found = open_keyring(KeyRef(where))
    assert [each.state for each in found.versions] == ["retired", "primary"]
    assert found.subkey_for_reading("card", "siv", 64, version=1) == old
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("kind", ["file", "awskms+file", "secretsmanager"])
def test_of_two_changes_at_once_no_key_is_lost(kind: str, cmk: str, path: Path) -> None:
    """Who rotates while somebody else does is told to run again (exit 3): the other's version stays, and works."""
    where = "secretsmanager:raced" if kind == "secretsmanager" else f"{kind}:{path}"
    create_keyring(where, None if kind == "file" else cmk)
    others: list[Keyring | KeyUnusable] = []

    def overtaken(keyring: Keyring) -> Keyring:
        try:
            others.append(rotate_keyring(where))
        except KeyringBusy as error:
            others.append(error)
        return keyring.rotated("2023-08-30T00:00:00+00:00")

    try:
        mine: Keyring | KeyUnusable = change_keyring(where, overtaken)
    except KeyringBusy as error:
        mine = error
    (other,) = others
    refused, made = (mine, other) if isinstance(mine, KeyUnusable) else (other, mine)
    assert isinstance(refused, KeyringBusy)
    assert refused.exit_code == 3
    assert isinstance(made, Keyring)
    assert stored_keyring(where).version(2).kcv == made.version(2).kcv


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """A path through a file is refused as what it is."""
    (tmp_path / "keys").write_text("")
    with pytest.raises(KeyUnusable, match="cannot be written"):
        create_keyring_file(tmp_path / "keys" / "keyring.json")


def test_a_wrapped_file_needs_the_cmk(cmk: str, path: Path) -> None:
    """A wrapped keyring opens with KMS, rotates under the same CMK, and its file shows neither root nor data key."""
    where = f"awskms+file:{path}"
    made = create_keyring(where, cmk)
    stored = path.read_text()
    assert json.loads(stored)["cmk"] == cmk
    assert not any(each["root"] in stored for each in json.loads(made.to_json())["versions"])
    assert open_keyring(KeyRef(where)).subkey("card", "siv", 64) == made.subkey("card", "siv", 64)
    rotate_and_use(where)
    assert json.loads(path.read_text())["cmk"] == cmk
    assert [each.state for each in open_keyring(KeyRef(where)).versions] == ["active", "primary"]


def test_a_secret_holds_the_envelope_only(cmk: str) -> None:
    """A keyring in Secrets Manager is wrapped too, is not replaced by a second init, and rotates in place."""
    made = create_keyring("secretsmanager:kagemusha/keyring", cmk)
    text = boto3.client("secretsmanager").get_secret_value(SecretId="kagemusha/keyring")["SecretString"]
    assert not any(each["root"] in text for each in json.loads(made.to_json())["versions"])
    with pytest.raises(KeyUnusable, match="ResourceExistsException"):
        create_keyring("secretsmanager:kagemusha/keyring", cmk)
    rotate_and_use("secretsmanager:kagemusha/keyring")
    assert open_keyring(KeyRef("secretsmanager:kagemusha/keyring")).primary == 2


def test_bare_keyrings_belong_into_files_only(cmk: str, path: Path) -> None:
    """A bare keyring in a secret is refused, and so is a CMK for a bare file or none for the other places."""
    boto3.client("secretsmanager").create_secret(Name="bare", SecretString=Keyring.create("now").to_json())
    with pytest.raises(KeyUnusable, match="is not a keyring's envelope"):
        open_keyring(KeyRef("secretsmanager:bare"))
    for where, given in ((f"file:{path}", cmk), (f"awskms+file:{path}", None), ("secretsmanager:x", None)):
        with pytest.raises(KeyUnusable, match="wrapped by a KMS key"):
            create_keyring(where, given)
    assert not path.exists()


def test_the_data_key_is_bound_to_its_purpose(cmk: str) -> None:
    """KMS opens the data key under the encryption context only."""
    envelope = json.loads(seal("text", cmk))
    blob = base64.b64decode(envelope["data_key"])
    assert call("kms", "decrypt", CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"]
    with pytest.raises(KeyUnusable, match="InvalidCiphertextException"):
        call("kms", "decrypt", CiphertextBlob=blob, EncryptionContext={"application": "other"})


@pytest.mark.parametrize("part", ["sealed", "nonce"])
def test_a_changed_envelope_does_not_open(cmk: str, part: str) -> None:
    """One changed byte of the sealed text is noticed, and what lies behind it is not shown."""
    envelope = json.loads(seal("text 4111111111111111", cmk))
    first = envelope[part][0]
    envelope[part] = ("A" if first != "A" else "B") + envelope[part][1:]
    with pytest.raises(KeyUnusable, match="seal of the keyring's envelope is broken") as refused:
        unseal(json.dumps(envelope))
    assert refused.value.__context__ is None


def test_an_envelope_uses_a_fresh_data_key(cmk: str) -> None:
    """Two envelopes of one text share neither data key nor nonce nor bytes."""
    one, two = (json.loads(seal("text", cmk)) for _ in range(2))
    assert all(one[part] != two[part] for part in ("data_key", "nonce", "sealed"))
    assert unseal(json.dumps(one)) == "text"
    assert AESGCM.generate_key(256) not in json.dumps(one).encode()


def test_what_aws_refuses_is_told_apart_from_what_may_succeed_later(cmk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing secret is for a person (exit 2); a server that does not answer is for the scheduler (exit 3)."""
    assert cmk
    with pytest.raises(
        KeyUnusable, match="secretsmanager get_secret_value answered ResourceNotFoundException"
    ) as missing:
        open_keyring(KeyRef("secretsmanager:missing"))
    assert missing.value.exit_code == 2
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(KeyServiceUnavailable) as silent:
        open_keyring(KeyRef("secretsmanager:missing"))
    assert silent.value.exit_code == 3
    assert silent.value.__context__ is None


def test_key_refs_go_to_spark_workers_and_keyrings_do_not(path: Path, spark: SparkSession) -> None:
    """In a real Spark job the reference opens the keyring in the worker; a keyring in the closure stops the job."""
    kcv = create_keyring_file(path).versions[0].kcv
    ref = KeyRef(f"file:{path}", 1, kcv)
    keyring = open_keyring(ref)
    one_row = spark.sparkContext.parallelize([0], 1)
    assert one_row.map(lambda _: open_keyring(ref).versions[0].kcv).collect() == [kcv]
    with pytest.raises(pickle.PicklingError) as refused:
        one_row.map(lambda _: keyring.primary).collect()
    shown = str(refused.value).encode()
    assert not any(root in shown or base64.b64encode(root) in shown for root in keyring._roots.values())


def invoke(*arguments: str) -> str:
    """Runs `kagemusha keys …` and gives what it prints; its errors are raised."""
    result = CliRunner().invoke(keys, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_line_makes_lists_rotates_and_retires(path: Path) -> None:
    """Each command shows versions, states and check values afterwards, and never a key."""
    ref = ["--ref", f"file:{path}"]
    assert "version 1  primary" in invoke("init", *ref)
    rotated = invoke("rotate", *ref)
    assert "version 2  pending" in rotated
    assert "loads go on under version 1. Run `kagemusha retokenize`" in rotated
    activate_keyring(f"file:{path}", 2)
    assert "version 1  retired" in invoke("retire", "1", *ref)
    shown = invoke("verify", *ref)
    assert shown.count("works") == 2
    change_keyring(f"file:{path}", lambda keyring: keyring.destroyed(1))
    assert "version 1  destroyed" in invoke("list", *ref)
    shown += invoke("list", *ref) + invoke("verify", *ref)
    assert "no key" in shown
    keyring = open_keyring(KeyRef(f"file:{path}"))
    assert all(each.kcv in shown for each in keyring.versions)
    assert not any(each["root"] and each["root"] in shown for each in json.loads(keyring.to_json())["versions"])


def test_a_version_is_not_destroyed_where_nobody_knows_its_tokens(path: Path, tmp_path: Path) -> None:
    """A keyring that the settings do not name keeps its keys: no ledger tells what its tokens are in."""
    ref = ["--ref", f"file:{path}"]
    invoke("init", *ref)
    invoke("rotate", *ref)
    activate_keyring(f"file:{path}", 2)
    invoke("retire", "1", *ref)
    settings = tmp_path / "settings.toml"
    settings.write_text(
        '[source]\nurl = "postgresql://etl_reader@localhost/issuer"\n[stage]\nbucket = "stage"\n'
        f'[bigquery]\nproject = "local"\n[keyring]\nref = "file:{tmp_path}/another.json"\n'
    )
    with pytest.raises(SettingsInvalid, match="The settings name another keyring"):
        invoke("destroy", "1", "--yes", *ref, "--settings", str(settings))
    assert "version 1  retired" in invoke("list", *ref)


def test_verify_compares_with_a_noted_check_value(path: Path) -> None:
    """The check value of an evidence report can be compared with the keyring."""
    ref = ["--ref", f"file:{path}"]
    invoke("init", *ref)
    kcv = open_keyring(KeyRef(f"file:{path}")).versions[0].kcv
    assert "works" in invoke("verify", "--version", "1", "--kcv", kcv, *ref)
    with pytest.raises(KeyUnusable, match="it is another key"):
        invoke("verify", "--version", "1", "--kcv", "00000000", *ref)


def test_the_place_comes_from_the_settings(path: Path, tmp_path: Path) -> None:
    """Without --ref the settings name the keyring."""
    settings = tmp_path / "settings.toml"
    settings.write_text(
        '[source]\nurl = "postgresql://etl_reader@localhost/issuer"\n[stage]\nbucket = "stage"\n'
        f'[bigquery]\nproject = "local"\n[keyring]\nref = "file:{path}"\n'
    )
    assert f"keyring  file:{path}" in invoke("init", "--settings", str(settings))
    assert path.exists()
