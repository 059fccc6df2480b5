"""Google's token service and AWS's credential service on loopback, as far as a login needs them.

The token service does what Google has AWS do: it computes the signature of the GetCallerIdentity request again, with
botocore and the secret that belongs to the access key, and answers a token only for an equal one.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from etl.settings import GoogleSettings

AUDIENCE = "//iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/aws/providers/glue"
REGION = "ap-northeast-1"
SIGNED_REQUEST = "urn:ietf:params:aws:token-type:aws4_request"
SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/iam")
ACCOUNT = "loader@local-project.iam.gserviceaccount.com"


@dataclass
class TokenService:
    """Answers tokens, and remembers what it was asked.

    Attributes:
        busy: how many of the next exchanges are answered 503.
        lifetime: seconds for which a token is good.
        refuses: whether it refuses every login, quoting what it was sent, as a careless server may.
        keys: the secret of every access key that AWS gave out.
        exchanged: access keys by which tokens were made, in order.
        tokens: every token made.
    """

    url: str = ""
    busy: int = 0
    lifetime: int = 3600
    refuses: bool = False
    keys: dict[str, Credentials] = field(default_factory=dict)
    exchanged: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def exchange(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Answers a token exchange (RFC 8693)."""
        if self.busy:
            self.busy -= 1
            return 503, {}
        if self.refuses:
            return 401, {"error": "invalid_grant", "error_description": form["subject_token"]}
        signer = self.signer(json.loads(unquote(form["subject_token"])))
        _demand(form["audience"] == AUDIENCE, "audience")
        _demand(form["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange", "grant type")
        _demand(form["subject_token_type"] == SIGNED_REQUEST, "type of what is exchanged")
        _demand(form["scope"] in SCOPES, "scope")
        self.exchanged.append(signer)
        return 200, {"access_token": self.new_token(), "expires_in": self.lifetime, "token_type": "Bearer"}

    def impersonate(self, token: str) -> tuple[int, dict[str, object]]:
        """Answers a token of the service account for a federated one."""
        if token not in self.tokens:
            return 403, {"error": {"status": "PERMISSION_DENIED"}}
        ends = datetime.now(UTC) + timedelta(seconds=self.lifetime)
        return 200, {"accessToken": self.new_token(), "expireTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}

    def role_keys(self) -> dict[str, object]:
        """Returns new credentials of the role, which boto3 must renew before each use."""
        number = len(self.keys) + 1
        made = Credentials(f"ASIATEST{number}", f"made-up-secret-{number}", f"made-up-session-{number}")
        self.keys[made.access_key] = made
        ends = datetime.now(UTC) + timedelta(minutes=1)
        return {
            "AccessKeyId": made.access_key,
            "SecretAccessKey": made.secret_key,
            "Token": made.token,
            "Expiration": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        }

    def signer(self, signed: dict[str, Any]) -> str:  # Any: parsed JSON
        """Returns the access key of a signed GetCallerIdentity request, after proving its signature."""
        headers = {item["key"].lower(): item["value"] for item in signed["headers"]}
        _demand(signed["method"] == "POST", "method")
        url = f"https://sts.{REGION}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
        _demand(signed["url"] == url, "URL")
        _demand(headers["x-goog-cloud-target-resource"] == AUDIENCE, "target resource")
        algorithm, _, rest = headers.pop("authorization").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        access_key: str
        access_key, day, region, service, _ = parts["Credential"].split("/")
        _demand((algorithm, region, service) == ("AWS4-HMAC-SHA256", REGION, "sts"), "credential scope")
        covered = parts["SignedHeaders"].split(";")
        _demand({"host", "x-amz-date", "x-amz-security-token"} <= set(covered), "signed headers")
        asked = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        _demand(abs(datetime.now(UTC) - asked) < timedelta(minutes=5), "date")
        _demand(headers["x-amz-date"].startswith(day), "day")
        _demand(headers["x-amz-security-token"] == self.keys[access_key].token, "session token")
        again = SigV4Auth(self.keys[access_key], "sts", REGION)
        request = AWSRequest("POST", url.replace("?", "/?"), headers={name: headers[name] for name in covered})
        request.context["timestamp"] = headers["x-amz-date"]
        text = again.string_to_sign(request, again.canonical_request(request))
        _demand(parts["Signature"] == again.signature(text, request), "signature")
        return access_key

    def recover(self, lifetime: int = 3600) -> None:
        """Serves well from now on, with tokens of this lifetime."""
        self.busy, self.lifetime, self.refuses = 0, lifetime, False

    def new_token(self) -> str:
        """Makes a token."""
        self.tokens.append(f"made-up-token-{len(self.tokens) + 1}")
        return self.tokens[-1]


def _demand(holds: bool, what: str) -> None:  # noqa: FBT001  it reads as a sentence
    """Refuses a request in which something is not as it must be."""
    if not holds:
        raise ValueError(f"wrong {what}")


def job_environment(service: TokenService) -> dict[str, str]:
    """Returns the variables by which a job of AWS finds its role, with nothing of this machine's own settings."""
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{service.url}/role",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def federated(service: TokenService, service_account: str | None = None) -> GoogleSettings:
    """Returns the settings of a login by the job's role."""
    return GoogleSettings(
        login="workload_identity",
        audience=AUDIENCE,
        token_url=f"{service.url}/v1/token",
        iam_url=service.url,
        aws_region=REGION,
        service_account=service_account,
    )


@contextmanager
def token_service() -> Iterator[TokenService]:
    """Runs the services on a loopback port."""
    service = TokenService()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, service.role_keys())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status: int
            content: dict[str, object]
            try:
                if self.path.endswith(":generateAccessToken"):
                    _demand(self.path == f"/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken", "path")
                    status, content = service.impersonate(self.headers["Authorization"].removeprefix("Bearer "))
                else:
                    status, content = service.exchange({name: one for name, (one,) in parse_qs(body).items()})
            except (KeyError, ValueError) as wrong:
                status, content = 400, {"error": "invalid_request", "error_description": repr(wrong)}
            self._answer(status, content)

        def _answer(self, status: int, content: dict[str, object]) -> None:
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
