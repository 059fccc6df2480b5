"""How the job logs in to Google: what travels is a setting, and each process gets tokens of its own by it.

In AWS the way is Workload Identity Federation: the job's role signs a GetCallerIdentity request, Google's token service
has AWS check it and answers a short-lived access token. No key file exists, and the one secret stays in AWS's hands.
"""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Final, NoReturn

import google.auth
from google.api_core.exceptions import RetryError
from google.auth import aws, exceptions
from google.auth.credentials import AnonymousCredentials, Credentials
from google.oauth2 import service_account

from etl.errors import TRANSIENT
from etl.retries import pauses
from etl.settings import GOOGLE_TOKEN_URL, GoogleSettings
from masking.errors import KagemushaError

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_SUBJECT: Final = "urn:ietf:params:aws:token-type:aws4_request"
_BUSY: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)})
_TRIES: Final = 4
_FIRST_PAUSE_SECONDS: Final = 0.5
_NOT_DONE: Final = "Nothing was read or written at Google."
_renewing: Final = threading.RLock()  # a service account's token needs the role's first
_making: Final = threading.Lock()

Transport = Callable[..., Any]  # google-auth's requests and answers carry no types


class GoogleLoginRefused(KagemushaError):
    """Google, or AWS before it, does not let this job in."""

    advice = "Check [google] in the settings, the job's role, and the pool's provider and grants."


class GoogleLoginUnavailable(KagemushaError):
    """Google's token service, or AWS before it, did not answer."""

    advice = "Run again; nothing has to be cleaned up."
    exit_code: ClassVar[int] = TRANSIENT


def google_credentials(login: GoogleSettings, endpoint: str | None = None) -> Credentials:
    """Returns the credentials of a login; clients of one process share them, and with them their tokens.

    Args:
        login: the `[google]` settings.
        endpoint: of a local server, which asks for no login unless the settings say how.

    Raises:
        GoogleLoginRefused: there are none, or their file is malformed or open to others.
    """
    if endpoint and login.login == "default":
        return AnonymousCredentials()
    with _making:  # two threads that find none would make two, each with a token of its own
        return _shared(login)


def login_failure(error: BaseException) -> KagemushaError | None:
    """Returns our error for a failed login, without its message, which could quote a token; None for other failures."""
    cause = error.cause if isinstance(error, RetryError) else error
    if not isinstance(cause, exceptions.GoogleAuthError):
        return None
    where = {"error": type(cause).__name__}
    if cause.retryable or isinstance(cause, exceptions.TransportError):
        return GoogleLoginUnavailable("Google's login did not answer.", not_done=_NOT_DONE, where=where)
    return GoogleLoginRefused("Google refused the login.", not_done=_NOT_DONE, where=where)


@lru_cache(maxsize=4)
def _shared(login: GoogleSettings) -> Credentials:
    if login.login == "workload_identity":
        federated: Credentials = FederatedCredentials(**federation(login))  # type: ignore[no-untyped-call]  # google's
        return federated
    if login.login == "service_account_file":
        return _from_file(login.service_account_file or Path())
    failure = None
    try:
        found, _ = google.auth.default(scopes=SCOPES)
    except exceptions.GoogleAuthError as error:
        failure = login_failure(error)
    if failure is not None:
        raise failure
    return found


def _from_file(path: Path) -> Credentials:
    """Reads a service account's key file, which nobody but its owner may read."""
    problem = ""
    found: Credentials | None = None
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            problem = f"The service account's file is open to others (mode {mode:04o})."
        else:
            found = service_account.Credentials.from_service_account_file(str(path), scopes=SCOPES)
    except OSError as error:
        problem = f"The service account's file cannot be read ({type(error).__name__})."
    except (ValueError, exceptions.GoogleAuthError):
        problem = "The service account's file is malformed."
    if found is None:
        raise GoogleLoginRefused(
            problem,
            not_done=_NOT_DONE,
            advice='Make it anew with mode 0600; in AWS use `login = "workload_identity"`, which needs no file.',
            where={"file": path},
        )
    return found


def federation(login: GoogleSettings) -> dict[str, Any]:  # Any: google-auth's own keyword types
    """Returns the arguments of federated credentials."""
    return {
        "audience": login.audience,
        "subject_token_type": _SUBJECT,
        "token_url": login.token_url,
        "aws_security_credentials_supplier": RoleOfTheJob(login.aws_region),
        "service_account_impersonation_url": login.impersonation_url,
        "scopes": list(SCOPES),
    }


class FederatedCredentials(aws.Credentials):
    """AWS federation for clients side by side: one of them asks for a new token, the others wait for it."""

    def _blocking_refresh(self, request: Transport) -> None:
        """Gets a token before a request, if the last one expired; who found that looks again when it is its turn."""
        if not self.valid:
            with _renewing:
                if not self.valid:
                    self.refresh(request)

    def refresh(self, request: Transport) -> None:
        """Gets a new access token; a busy token service is asked again."""
        known = self.token
        with _renewing:
            if self.token == known or not self.valid:
                super().refresh(_patient(request))  # type: ignore[no-untyped-call]  # google's

    def __copy__(self) -> FederatedCredentials:
        """Returns a copy for this process: google-auth makes one to act as a service account."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __getstate__(self) -> NoReturn:
        """Tokens do not travel; the setting does."""
        raise TypeError("Credentials cannot be pickled.")

    def _is_regional_access_boundary_lookup_required(self) -> bool:
        """Asks Google where a token may be used, unless the token is from another service."""
        if self._token_url != GOOGLE_TOKEN_URL:
            return False
        required: bool = super()._is_regional_access_boundary_lookup_required()  # type: ignore[no-untyped-call]  # the same
        return required


class RoleOfTheJob(aws.AwsSecurityCredentialsSupplier):
    """Supplies the AWS credentials that boto3 finds and renews: in Glue, those of the job's role.

    google-auth's own supplier asks the instance's metadata server, and Glue has none. It holds no credentials: boto3's
    session is opened by the first use in each process.
    """

    def __init__(self, region: str | None) -> None:
        self._region = region

    def get_aws_region(self, _context: object, _request: object) -> str:
        """Returns the region whose STS is named in the signed request."""
        region = self._region or _session().region_name
        if not region:
            raise exceptions.RefreshError("no AWS region is set")
        return str(region)

    def get_aws_security_credentials(self, _context: object, _request: object) -> aws.AwsSecurityCredentials:
        """Returns credentials that are valid now; boto3 renews them when they are about to expire."""
        from botocore import exceptions as aws_errors  # noqa: PLC0415  only logins by AWS need it

        found, passing = None, False
        try:
            keys = _session().get_credentials()
            found = keys.get_frozen_credentials() if keys else None
        except (aws_errors.ConnectionError, aws_errors.HTTPClientError, aws_errors.ClientError):
            passing = True
        except (aws_errors.BotoCoreError, ValueError):
            pass
        if found is None:
            raise exceptions.RefreshError("AWS gave no credentials", retryable=passing)
        return aws.AwsSecurityCredentials(found.access_key, found.secret_key, found.token)


@lru_cache(maxsize=1)
def _session() -> Any:  # noqa: ANN401  boto3 carries no types
    import boto3  # noqa: PLC0415  only logins by AWS need it

    return boto3.Session()


def _patient(request: Transport) -> Transport:
    """Returns a transport that asks a busy service again, and never hands its answer on when it stays busy."""

    def send(
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **options: object,
    ) -> object:
        for attempt, pause in enumerate(islice(pauses(_FIRST_PAUSE_SECONDS), _TRIES)):
            last = attempt == _TRIES - 1
            try:
                answer = request(url=url, method=method, body=body, headers=headers, **options)
            except exceptions.TransportError:
                if last:
                    raise
            else:
                if answer.status not in _BUSY:
                    return answer
            if not last:
                time.sleep(pause)
        raise exceptions.TransportError("the token service is busy", retryable=True)

    return send
