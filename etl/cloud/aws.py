"""Calls to AWS whose failures name the service and its error code, and nothing that a response could quote."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from etl.cloud.failures import must_change
from etl.errors import TRANSIENT
from masking.errors import KagemushaError, KeyUnusable

_making_clients = threading.Lock()  # the session that makes them is not safe for threads; clients are

Response = dict[str, Any]  # botocore builds its answers at run time and describes them nowhere

_BUSY = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException"})
"""What AWS says with status 400 of what passes by itself."""


class KeyServiceUnavailable(KagemushaError):
    """AWS did not answer, or asked to come back later."""

    advice = "Run again; nothing has to be cleaned up."
    exit_code: ClassVar[int] = TRANSIENT


def call(service: str, operation: str, *, region: str | None = None, **arguments: object) -> Response:
    """Calls one operation with the credentials of the environment (the job's role, in Glue).

    Args:
        service: of AWS.
        operation: of its client.
        region: where; the environment's if not named.
        arguments: of the operation.

    Raises:
        KeyServiceUnavailable: when another try may succeed.
        KeyUnusable: when it will not: no permission, no such key or secret, no credentials.
    """
    # A worker that reads a key file need not wait for these to load.
    import boto3  # noqa: PLC0415  the same
    from botocore import exceptions  # noqa: PLC0415  the same

    failure = ""
    busy = False
    try:
        with _making_clients:
            client = boto3.client(service, region_name=region)
        operate: Callable[..., Response] = getattr(client, operation)
        return operate(**arguments)
    except exceptions.ClientError as error:
        failure = str(error.response.get("Error", {}).get("Code", "an unnamed error"))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        busy = failure in _BUSY or not must_change(status)
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        failure, busy = type(error).__name__, True
    except (exceptions.BotoCoreError, ValueError) as error:
        failure = type(error).__name__
    kind = KeyServiceUnavailable if busy else KeyUnusable
    raise kind(
        f"{service} {operation} answered {failure}.",
        not_done="No key was loaded or stored.",
        advice="" if busy else "Check the job's role, its region, and the name of the key or secret.",
    )
