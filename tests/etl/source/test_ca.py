"""Certificates that ship with the package: found in every process, and missed by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.errors import SettingsInvalid
from etl.settings import SourceSettings
from etl.source import ca
from etl.source.ca import certificate_file
from etl.source.endpoint import Endpoint


def endpoint(bundle: str) -> Endpoint:
    """Returns an endpoint whose URL names certificates."""
    return Endpoint.of(SourceSettings(url=f"postgresql://etl_reader@etl.example/issuer?sslrootcert={bundle}"))


def test_a_bundle_of_the_package_is_a_file_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`bundled:rds` leads to the package's file where this process has it; what travels to workers holds no path."""
    (tmp_path / "rds.pem").write_text("certificates", encoding="utf-8")
    monkeypatch.setattr(ca, "files", lambda _: tmp_path)
    travelling = endpoint("bundled:rds")
    assert travelling.options == (("sslrootcert", "bundled:rds"),)
    assert travelling.url_options == {"sslrootcert": str(tmp_path / "rds.pem")}
    assert f"sslrootcert={str(tmp_path / 'rds.pem').replace('/', '%2F')}" in travelling.conninfo()


def test_a_file_stays_as_it_is_named() -> None:
    """A path is handed on."""
    assert endpoint("/opt/rds.pem").url_options == {"sslrootcert": "/opt/rds.pem"}


@pytest.mark.parametrize("name", ["rds", "../../secret", ""])
def test_a_bundle_that_is_not_there_is_named(name: str) -> None:
    """The checkout holds no certificates: the error says how a package gets them; no path leads out of the folder."""
    with pytest.raises(SettingsInvalid, match="The package holds no certificates") as caught:
        certificate_file(f"bundled:{name}")
    assert "make package RDS_BUNDLE=global-bundle.pem" in str(caught.value)
