#!/usr/bin/env python3
"""Takes the schemas of the resources that the Terraform root uses out of the providers' generated bindings.

The wheels `cdktn-provider-aws` and `cdktn-provider-google` (70 MB each) hold a description of every type of the
provider that they were generated from. What the root uses is kept in `schemas/*.json`, so that checking needs neither
them nor a provider:

    pip download --no-deps cdktn-provider-aws==25.8.1 cdktn-provider-google==21.1.0
    scripts/deploy/checks/extract_schemas.py cdktn_provider_*.whl

The bindings do not say whether a collection is a list or a set, which optional attributes the provider fills in (here:
none, so that what is not set stays null), nor what the provider checks while it runs.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
SCHEMAS: Final = Path(__file__).with_name("schemas")
_SCALARS: Final = {"string": "string", "number": "number", "boolean": "bool"}
_USED: Final = re.compile(r'^(?P<kind>resource|data) "(?P<type>(?P<provider>aws|google)_\w+)"', re.MULTILINE)
_DOCUMENTED: Final = re.compile(r"/docs/(resources|data-sources)/\S+ ((?:aws|google)_\w+)\}")
_PROVIDER: Final = re.compile(r"providers/(hashicorp/\w+)/(\d+\.\d+\.\d+)/docs")

Json = dict[str, Any]  # a jsii assembly and a schema are trees of JSON


class Assembly:
    """The types of one provider's bindings, as jsii describes them."""

    def __init__(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as packed:
            inner = next(name for name in packed.namelist() if name.endswith(".jsii.tgz"))
            bindings = packed.read(inner)
        with tarfile.open(fileobj=io.BytesIO(bindings)) as packed_bindings:
            described = packed_bindings.extractfile("package/.jsii")
            whole: Json = json.load(described) if described else {}
        self.name, self.version, self.types = str(whole["name"]), str(whole["version"]), whole["types"]
        source = _PROVIDER.search(json.dumps(whole["types"]))
        self.provider, self.provider_version = source.groups() if source else ("", "")
        self._documented = dict(self._documents())

    def schema(self, kind: str, type_name: str) -> Json:
        """Returns the schema of a resource or data source."""
        fqn = self._documented[kind, type_name]
        block = self._block(f"{fqn}Config")
        for attribute in self.types[fqn].get("properties", []):
            name = _snake(attribute["name"])
            if attribute.get("static") or attribute["name"].endswith("Input") or name in block["blocks"]:
                continue
            if name == "id" or name not in block["attributes"]:
                block["attributes"][name] = {
                    "type": self._answer(attribute["type"]),
                    "required": False,
                    "computed": True,
                    "read_only": name not in ("id", "timeouts"),
                }
        return block

    def _documents(self) -> Iterator[tuple[tuple[str, str], str]]:
        for fqn, described in self.types.items():
            found = _DOCUMENTED.search(described.get("docs", {}).get("summary") or "")
            if described["kind"] == "class" and found and f"{fqn}Config" in self.types:
                yield ("resource" if found[1] == "resources" else "data", found[2]), fqn

    def _block(self, fqn: str) -> Json:
        attributes, blocks = {}, {}
        for member in self.types[fqn].get("properties", []):
            name, required = _snake(member["name"]), not member.get("optional")
            shape, inner, many = self._shape(member["type"])
            if shape == "attribute":
                attributes[name] = {"type": inner, "required": required}
            else:
                blocks[name] = {"many": many, "required": required, "block": self._block(inner)}
        return {"attributes": attributes, "blocks": blocks}

    def _shape(self, described: Json) -> tuple[str, Any, bool]:
        """Returns whether a type is an attribute or a block, Terraform's type or the block's name, if it repeats."""
        for one in described["union"]["types"] if "union" in described else [described]:
            if one.get("primitive") in _SCALARS:
                return "attribute", _SCALARS[one["primitive"]], False
            if "collection" in one:
                shape, inner, _ = self._shape(one["collection"]["elementtype"])
                if one["collection"]["kind"] == "map":
                    return "attribute", ["map", inner if shape == "attribute" else "string"], False
                return ("block", inner, True) if shape == "block" else ("attribute", ["list", inner], False)
            if "fqn" in one and not one["fqn"].startswith("cdktn."):
                return "block", one["fqn"], False
        return "attribute", "dynamic", False

    @staticmethod
    def _answer(described: Json) -> Any:  # noqa: ANN401  Terraform's type: a word, or a list of words
        if described.get("primitive") in _SCALARS:
            return _SCALARS[described["primitive"]]
        if "collection" in described:
            return ["list", "string"]
        return ["map", "string"] if described.get("fqn") == "cdktn.StringMap" else "dynamic"


def used_types() -> Iterator[tuple[str, str, str]]:
    """Yields provider, kind and type of every resource and data source of the root and its modules."""
    for file in sorted(ROOT.glob("terraform/**/*.tf")):
        for found in _USED.finditer(file.read_text(encoding="utf-8")):
            yield found["provider"], found["kind"], found["type"]


def extracted(assembly: Assembly, wanted: Mapping[str, set[str]]) -> Json:
    """Returns what is kept of a provider: where it came from, and the schemas of the wanted types."""
    return {
        "provider": assembly.provider,
        "version": assembly.provider_version,
        "source": f"{assembly.name} {assembly.version}, generated from the provider's own schema",
        **{kind: {name: assembly.schema(kind, name) for name in sorted(names)} for kind, names in wanted.items()},
    }


def written(schema: Json) -> str:
    """Returns a schema as JSON with one line for each type, so that a change shows which type it is of."""
    lines = []
    for name, value in schema.items():
        if name in ("resource", "data"):
            types = ",\n".join(
                f"  {json.dumps(kind)}: {json.dumps(block, sort_keys=True)}" for kind, block in value.items()
            )
            lines.append(f" {json.dumps(name)}: {{\n{types}\n }}")
        else:
            lines.append(f" {json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _snake(name: str) -> str:
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def main(wheels: list[str]) -> int:
    """Writes one file a wheel."""
    SCHEMAS.mkdir(exist_ok=True)
    for wheel in wheels:
        assembly = Assembly(Path(wheel))
        provider = assembly.provider.rpartition("/")[2]
        used = {
            kind: {name for of, kinds, name in used_types() if (of, kinds) == (provider, kind)}
            for kind in ("resource", "data")
        }
        path = SCHEMAS / f"{provider}.json"
        path.write_text(written(extracted(assembly, used)), encoding="utf-8")
        print(f"{path.name}: {sum(map(len, used.values()))} types of {assembly.provider} {assembly.provider_version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
