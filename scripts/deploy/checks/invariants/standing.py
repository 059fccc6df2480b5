"""What stands after a mocked apply: every managed resource of both clouds, and the settings that were rendered."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

Values = dict[str, Any]  # attributes of a resource, as Terraform writes them into JSON


class Standing:
    """The resources that stand after a mocked apply."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self._resources = list(_resources(state["root_module"]))
        self.settings = tomllib.loads(state["outputs"]["settings"]["value"])

    @property
    def account(self) -> str:
        """The account of AWS, as the name of the bucket of code has it."""
        return str(self.one("aws_s3_bucket", '["code"]')["bucket"].rpartition("-")[2])

    def of(self, kind: str) -> dict[str, Values]:
        """Returns address → values of the managed resources of a type."""
        return {
            found["address"]: found["values"]
            for found in self._resources
            if found["type"] == kind and found["mode"] == "managed"
        }

    def everything(self) -> dict[str, Values]:
        """Returns address → values of every managed resource."""
        return {found["address"]: found["values"] for found in self._resources if found["mode"] == "managed"}

    def data(self, kind: str) -> Values:
        """Returns the only data source of a type."""
        (found,) = (one["values"] for one in self._resources if (one["type"], one["mode"]) == (kind, "data"))
        return dict(found)

    def early(self, provider: str, first: str) -> set[str]:
        """Returns the addresses of a provider's resources that do not wait for another one."""
        return {
            found["address"]
            for found in self._resources
            if found["mode"] == "managed" and found["type"].startswith(provider) and found["type"] not in first
            if first not in found.get("depends_on", [])
        }

    def one(self, kind: str, name: str = "") -> Values:
        """Returns the only resource of a type whose address ends with a name."""
        (found,) = (values for address, values in self.of(kind).items() if address.endswith(name))
        return found


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", [])
    for inner in module.get("child_modules", []):
        yield from _resources(inner)


def statements(policy: str) -> list[Values]:
    """Returns the statements of an IAM policy in JSON."""
    return list(json.loads(policy)["Statement"])


def words(value: str | list[str]) -> list[str]:
    """Returns what may be one word or several as several."""
    return [value] if isinstance(value, str) else value
