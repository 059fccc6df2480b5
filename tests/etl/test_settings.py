"""Settings hold no secret, and a wrong one is named by its place, never by its value."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.errors import SettingsInvalid
from etl.settings import load_settings

GOOD = """
[source]
url = "postgresql://etl_reader@etl.cluster-custom-abc.ap-northeast-1.rds.amazonaws.com/issuer"
[stage]
bucket = "issuer-stage"
[bigquery]
project = "issuer-analytics"
[keyring]
ref = "file:/keys/keyring.json"
"""


def written(folder: Path, text: str) -> Path:
    """Returns the path of a settings file with this text."""
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_japanese_and_strict(tmp_path: Path) -> None:
    """The location is Tokyo, TLS is demanded, any reader may be read."""
    settings = load_settings(written(tmp_path, GOOD))
    assert settings.bigquery.location == "asia-northeast1"
    assert not settings.source.local
    assert settings.source.allowed_instances == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (GOOD.replace("etl_reader@", "etl_reader:hunter2@"), "source.url"),
        (GOOD.replace('/issuer"', '/issuer?password=hunter2"', 1), "source.url"),
        (GOOD.replace("[stage]", "tls = 'hunter2'\n[stage]"), "source.tls"),
        (GOOD.replace("issuer-stage", "hunter2 !"), "stage.bucket"),
        ("hunter2 = = 1", "TOML"),
    ],
)
def test_wrong_settings_are_named_not_quoted(tmp_path: Path, text: str, place: str) -> None:
    """The error names the setting, says what to do, exits with 2, and repeats no value."""
    with pytest.raises(SettingsInvalid) as wrong:
        load_settings(written(tmp_path, text))
    assert place in str(wrong.value)
    assert "hunter2" not in str(wrong.value)
    assert wrong.value.__context__ is None
    assert wrong.value.exit_code == 2


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    """Without a file nothing runs, and the way to the local stack is named."""
    with pytest.raises(SettingsInvalid, match="does not exist") as wrong:
        load_settings(tmp_path / "none.toml")
    assert "kagemusha local up" in str(wrong.value)
