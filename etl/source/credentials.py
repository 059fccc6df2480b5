"""Who logs in to the source: each process reads it where the endpoint's reference says, and shows it nowhere."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from etl.cloud.aws import KeyServiceUnavailable, call
from etl.errors import NO_ROW_READ, SourceUnavailable
from etl.source.host import host_region
from masking.errors import KagemushaError, KeyUnusable

RDS_IAM: Final = "rds-iam"
_ARN_PARTS: Final = 7


class CredentialsRefused(KagemushaError):
    """The database refused the user name or the password."""

    advice = "Check the user in [source].url and the password in its passfile, environment variable or secret."


@dataclass(frozen=True)
class Login:
    """A user and a password; without one, libpq's passfile is asked."""

    user: str
    password: str | None = field(repr=False)


def login(reference: str | None, user: str, host: str, port: int) -> Login:
    """Returns the login for one connection; do not keep it: a token of RDS is valid for 15 minutes.

    Args:
        reference: `env:NAME`, `file:PATH`, `secretsmanager:NAME-OR-ARN`, `rds-iam`, or None for libpq's passfile.
        user: from the settings; empty where the secret names it, as with rotation between two users.
        host: the host that a token is made for.
        port: its port.

    Raises:
        CredentialsRefused: there is no password at the reference.
        SourceUnavailable: AWS did not answer; a retry may succeed.
    """
    if reference is None:
        return Login(user, None)
    kind, _, name = reference.partition(":")
    if kind == "secretsmanager":
        found = _secret(name)
        user = user or found.user
    elif kind == RDS_IAM:
        found = Login(user, _token(user, host, port))
    else:
        found = Login(user, os.environ.get(name) if kind == "env" else _text(Path(name)))
    if not found.password:
        raise CredentialsRefused(f"The password's {kind} source is empty or missing.", not_done=NO_ROW_READ)
    return Login(user, found.password)


def renew(reference: str | None) -> bool:
    """Forgets a password that this process has cached, so that the next login reads it anew; returns whether it did."""
    if reference is None or not reference.startswith("secretsmanager:"):
        return False
    _secret.cache_clear()
    return True


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


@lru_cache(maxsize=4)
def _secret(name: str) -> Login:
    """Returns the login in a secret of Secrets Manager: RDS's fields, or else the whole text as the password."""
    parts = name.split(":")
    region = parts[3] if name.startswith("arn:") and len(parts) >= _ARN_PARTS else None
    answer = _asked("secretsmanager", "get_secret_value", region, SecretId=name)
    text = str(answer.get("SecretString") or "") if isinstance(answer, dict) else ""
    with suppress(ValueError):
        fields = json.loads(text)
        if isinstance(fields, dict):
            return Login(str(fields.get("username") or ""), str(fields.get("password") or ""))
    return Login("", text)


def _token(user: str, host: str, port: int) -> str:
    """Returns a fresh token of RDS's IAM authentication; it is signed here, no request is sent."""
    region = host_region(host)
    named = {"Region": region} if region else {}
    return str(_asked("rds", "generate_db_auth_token", region, DBHostname=host, Port=port, DBUsername=user, **named))


def _asked(service: str, operation: str, region: str | None, **arguments: object) -> object:
    failure: KagemushaError | None = None
    try:
        return call(service, operation, region=region, **arguments)
    except KeyServiceUnavailable as error:
        failure = SourceUnavailable(error.what, not_done=NO_ROW_READ)
    except KeyUnusable as error:
        failure = CredentialsRefused(
            error.what, not_done=NO_ROW_READ, advice="Check [source].password and what the job's role may do."
        )
    raise failure
