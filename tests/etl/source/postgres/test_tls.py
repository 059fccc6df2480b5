"""Outside the local stack a session is encrypted, and with the very server that the settings name."""

from __future__ import annotations

import ipaddress
import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from etl.errors import SettingsInvalid
from etl.source.endpoint import Endpoint
from etl.source.postgres.connect import arrow_connection, control_connection
from etl.source.postgres.read import _only_row
from scripts.local_stack.postgres_files import account
from tests.etl.source.cluster import Cluster

pytestmark = pytest.mark.stack
ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@dataclass(frozen=True)
class Authority:
    """Who signs certificates; its own is what clients trust."""

    key: ec.EllipticCurvePrivateKey
    name: x509.Name
    bundle: Path

    @classmethod
    def in_folder(cls, folder: Path, name: str) -> Authority:
        """Makes one and writes its certificate into a folder."""
        made = cls(ec.generate_private_key(ec.SECP256R1()), _named(name), folder / f"{name}.pem")
        certificate = made.signs(made.key.public_key(), made.name, x509.BasicConstraints(ca=True, path_length=None))
        made.bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return made

    def signs(self, key: ec.EllipticCurvePublicKey, subject: x509.Name, says: x509.ExtensionType) -> x509.Certificate:
        """Returns a certificate of a day that says one thing."""
        now = datetime.now(UTC)
        draft = x509.CertificateBuilder(self.name, subject, key, x509.random_serial_number())
        draft = draft.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        draft = draft.add_extension(says, critical=False)
        return draft.sign(self.key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Returns the authority that signed the reader's certificate."""
    return Authority.in_folder(tmp_path_factory.mktemp("trusted"), "trusted")


@pytest.fixture
def encrypting(servers: Cluster, authority: Authority) -> Iterator[Cluster]:
    """Yields the cluster whose standby speaks TLS as 127.0.0.1, and as nobody else."""
    servers.mend()
    key = ec.generate_private_key(ec.SECP256R1())
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = authority.signs(key.public_key(), _named("standby"), address)
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files = {"tls.crt": certificate.public_bytes(pem), "tls.key": key.private_bytes(pem, *plain)}
    for name, content in files.items():
        path = servers.data / name
        path.write_bytes(content)
        path.chmod(0o600)
        if user := account():
            os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    with servers.configured(ssl="on", ssl_cert_file="tls.crt", ssl_key_file="tls.key"):
        servers.await_standby("current_setting('ssl')::bool")
        yield servers


def _endpoint(cluster: Cluster, bundle: Path, host: str = "127.0.0.1") -> Endpoint:
    local = cluster.source()
    url = local.url.replace("@127.0.0.1", f"@{host}") + f"&sslrootcert={bundle}"
    return Endpoint.of(cluster.source(url=url, local=False, connect_seconds=5))


def test_control_and_rows_are_encrypted(encrypting: Cluster, authority: Authority) -> None:
    """Both kinds of session verify the server and are encrypted, as the server itself says."""
    endpoint = _endpoint(encrypting, authority.bundle)
    with control_connection(endpoint) as connection:
        assert connection.execute(ENCRYPTED.encode()).fetchone() == (True,)
    with arrow_connection(endpoint) as rows:
        assert _only_row(rows, ENCRYPTED) == (True,)


def test_a_server_of_another_authority_is_refused(encrypting: Cluster, tmp_path: Path) -> None:
    """A certificate that the bundle does not vouch for ends the session before a password is sent."""
    _refused(_endpoint(encrypting, Authority.in_folder(tmp_path, "other").bundle))


def test_a_server_of_another_name_is_refused(encrypting: Cluster, authority: Authority) -> None:
    """A certificate of another host does not do, whoever signed it."""
    _refused(_endpoint(encrypting, authority.bundle, host="localhost"))


def test_a_server_without_tls_is_refused(cluster: Cluster, authority: Authority) -> None:
    """A session is never opened in clear outside the local stack."""
    _refused(_endpoint(cluster, authority.bundle))


def _refused(endpoint: Endpoint) -> None:
    for opened in (control_connection, arrow_connection):
        with pytest.raises(SettingsInvalid, match="TLS certificate could not be verified"), opened(endpoint):
            pass
