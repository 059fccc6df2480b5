"""The bill of materials: every distribution in the environment, its version and license (PCI DSS v4.0.1, 6.3.2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from importlib.metadata import Distribution
from typing import Any, Final

from scripts.deploy.packaging.lock import normalized

_SOURCE: Final = "https://cyclonedx.org/docs/1.6/json/"
_LONGEST_LICENSE: Final = 60

Json = dict[str, Any]  # a document of CycloneDX


def bill(found: Iterable[Distribution], digest: str, version: str) -> Json:
    """Returns the bill in CycloneDX 1.6; the same environment has the same bill, its number included."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, _SOURCE + digest)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": "kagemusha-environment",
                "version": version,
                "bom-ref": "kagemusha-environment",
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
        },
        "components": sorted((_component(one) for one in found), key=lambda component: str(component["purl"])),
    }


def _component(found: Distribution) -> Json:
    name, version = found.metadata["Name"], found.version
    purl = f"pkg:pypi/{normalized(name)}@{version.replace('+', '%2B')}"
    described: Json = {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}
    license_name = _license(found)
    if license_name:
        described["licenses"] = [{"license": {"name": license_name}}]
    return described


def _license(found: Distribution) -> str:
    """Returns the license as the distribution names it; some put its whole text there, of which no name comes."""
    known = found.metadata.json
    named = str(known.get("license_expression") or known.get("license") or "")
    if named and len(named) <= _LONGEST_LICENSE:
        return named
    classified = [one for one in found.metadata.get_all("Classifier") or [] if one.startswith("License :: ")]
    return classified[0].rpartition(" :: ")[2] if classified else ""
