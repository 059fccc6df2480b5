"""Keyrings wrapped by AWS KMS: the text is sealed under a data key, and only the customer master key opens that."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from etl.cloud.aws import call
from masking.errors import KeyUnusable

FORMAT = "kagemusha-envelope-1"
CONTEXT = {"application": "kagemusha", "purpose": "keyring"}
"""The encryption context: KMS opens the data key only under it, and CloudTrail shows it for every use."""

_NONCE_BYTES = 12


@dataclass(frozen=True)
class Envelope:
    """A sealed text and what is needed to open it with KMS's help; holds no readable key.

    Attributes:
        cmk: the ARN of the customer master key.
        data_key: the data key, encrypted by the CMK; base64.
        nonce: of AES-256-GCM; base64.
        sealed: the text under the data key; base64.
        format: the kind and version of this record, which the seal also covers.
    """

    cmk: str
    data_key: str
    nonce: str
    sealed: str
    format: str = FORMAT


def seal(text: str, cmk: str) -> str:
    """Returns the text wrapped under a fresh data key of the CMK, as JSON.

    Args:
        text: what to seal.
        cmk: a CMK's id, ARN or alias.
    """
    made = call("kms", "generate_data_key", KeyId=cmk, KeySpec="AES_256", EncryptionContext=CONTEXT)
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(made["Plaintext"]).encrypt(nonce, text.encode(), FORMAT.encode())
    encoded = (base64.b64encode(part).decode() for part in (made["CiphertextBlob"], nonce, sealed))
    return json.dumps(asdict(Envelope(str(made["KeyId"]), *encoded)), indent=2) + "\n"


def unseal(text: str) -> str:
    """Returns the text that `seal` wrapped.

    Raises:
        KeyUnusable: when it is no envelope, KMS refuses, or the seal is broken.
    """
    envelope = read_envelope(text)
    data_key, nonce, sealed = (base64.b64decode(part) for part in (envelope.data_key, envelope.nonce, envelope.sealed))
    opened = call("kms", "decrypt", KeyId=envelope.cmk, CiphertextBlob=data_key, EncryptionContext=CONTEXT)
    plain = None
    try:
        plain = AESGCM(opened["Plaintext"]).decrypt(nonce, sealed, FORMAT.encode()).decode()
    except (InvalidTag, ValueError):
        plain = None
    if plain is None:
        raise KeyUnusable(
            "The seal of the keyring's envelope is broken.",
            not_done="No key was loaded.",
            advice="Restore the envelope from its backup.",
        )
    return plain


def read_envelope(text: str) -> Envelope:
    """Reads an envelope without opening it.

    Raises:
        KeyUnusable: when the text is no envelope.
    """
    found = _parse(text)
    if found is None:
        raise KeyUnusable(
            "The text is not a keyring's envelope.",
            not_done="No key was loaded.",
            advice="Only `file:` may hold a bare keyring; make an envelope with `kagemusha keys init --cmk`.",
        )
    return found


def _parse(text: str) -> Envelope | None:
    try:
        envelope = Envelope(**json.loads(text))
        for part in (envelope.data_key, envelope.nonce, envelope.sealed):
            base64.b64decode(part, validate=True)
    except (ValueError, TypeError):
        return None
    return envelope if envelope.format == FORMAT and isinstance(envelope.cmk, str) else None
