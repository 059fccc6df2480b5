"""A Terraform provider that knows its schema and nothing else: configurations are checked without a network.

Terraform's core validates a configuration against the schemas of its providers, and `terraform test` with mocked
providers plans and applies with nothing but them. This one answers with a schema of `schemas/*.json`; whatever would
reach a cloud is not there. It listens in the process that Terraform's core runs in (see `terraform.py`), so that no
run of Terraform has to start it.

Source: Terraform plugin protocol 6 (tfplugin6.proto), as PyPI's `tf` carries it; go-plugin's `ReattachConfig`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import msgpack
from tf.gen import tfplugin_pb2 as wire
from tf.gen import tfplugin_pb2_grpc

Json = dict[str, Any]  # schemas and messages of generated code carry no types

_CONFIGURED: Final[dict[str, Json]] = {
    "aws": {"region": "string", "allowed_account_ids": ["list", "string"]},
    "google": {
        "project": "string",
        "region": "string",
        "billing_project": "string",
        "user_project_override": "bool",
    },
}
"""What the root sets of a provider itself."""
_NESTED_CONFIG: Final[dict[str, Json]] = {"aws": {"default_tags": {"tags": ["map", "string"]}}, "google": {}}


class Provider(tfplugin_pb2_grpc.ProviderServicer):  # type: ignore[misc]  # generated, without types
    """Answers what a validation, a mocked plan and a mocked apply ask."""

    def __init__(self, schema: Json) -> None:
        self._schema = schema
        self.source = str(schema["provider"])
        self._name = self.source.rpartition("/")[2]

    def GetProviderSchema(self, request: object, context: object) -> object:  # noqa: N802, ARG002  the protocol's names
        """Returns the schemas of the provider, its resources and its data sources."""
        return wire.GetProviderSchema.Response(
            provider=self._own_schema(),
            resource_schemas={name: _schema(found) for name, found in self._schema["resource"].items()},
            data_source_schemas={name: _schema(found) for name, found in self._schema["data"].items()},
        )

    def ValidateProviderConfig(self, request: object, context: object) -> object:  # noqa: N802, ARG002
        """Accepts what fits the schema."""
        return wire.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: object) -> object:  # noqa: ANN401, N802, ARG002
        """Refuses attributes that only the provider sets; core itself does not."""
        given = msgpack.unpackb(request.config.msgpack, ext_hook=lambda *_: "unknown", strict_map_key=False) or {}
        known = self._schema["resource"][request.type_name]["attributes"]
        return wire.ValidateResourceConfig.Response(
            diagnostics=[
                wire.Diagnostic(
                    severity=wire.Diagnostic.ERROR,
                    summary="Read-only attribute",
                    detail=f"{request.type_name}.{name} cannot be set.",
                    attribute=wire.AttributePath(steps=[wire.AttributePath.Step(attribute_name=name)]),
                )
                for name, attribute in known.items()
                if attribute.get("read_only") and given.get(name) is not None
            ]
        )

    def ValidateDataResourceConfig(self, request: object, context: object) -> object:  # noqa: N802, ARG002
        """Accepts what fits the schema."""
        return wire.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: object, context: object) -> object:  # noqa: N802, ARG002
        """Has nothing to configure."""
        return wire.ConfigureProvider.Response()

    def StopProvider(self, request: object, context: object) -> object:  # noqa: N802, ARG002
        """Has nothing to stop."""
        return wire.StopProvider.Response()

    def _own_schema(self) -> object:
        attributes = [
            wire.Schema.Attribute(name=name, type=json.dumps(kind).encode(), optional=True)
            for name, kind in _CONFIGURED[self._name].items()
        ]
        blocks = [
            wire.Schema.NestedBlock(
                type_name=name,
                nesting=wire.Schema.NestedBlock.LIST,
                max_items=1,
                block=wire.Schema.Block(
                    attributes=[
                        wire.Schema.Attribute(name=inner, type=json.dumps(kind).encode(), optional=True)
                        for inner, kind in members.items()
                    ]
                ),
            )
            for name, members in _NESTED_CONFIG[self._name].items()
        ]
        return wire.Schema(version=0, block=wire.Schema.Block(attributes=attributes, block_types=blocks))


def _schema(block: Json) -> object:
    return wire.Schema(version=0, block=_block(block))


def _block(block: Json) -> object:
    nested = wire.Schema.NestedBlock
    return wire.Schema.Block(
        attributes=[
            wire.Schema.Attribute(
                name=name,
                type=json.dumps(attribute["type"]).encode(),
                required=attribute["required"],
                computed=attribute.get("computed", False),
                optional=not attribute["required"] and not attribute.get("read_only"),
            )
            for name, attribute in sorted(block["attributes"].items())
        ],
        block_types=[
            nested(
                type_name=name,
                block=_block(inner["block"]),
                nesting=nested.SINGLE if name == "timeouts" else nested.LIST,
                min_items=int(inner["required"] and name != "timeouts"),
                max_items=0 if inner["many"] or name == "timeouts" else 1,
            )
            for name, inner in sorted(block["blocks"].items())
        ],
    )


@contextmanager
def served(schemas: Mapping[str, Path], folder: Path) -> Iterator[str]:
    """Yields where the providers listen, as Terraform reads it from TF_REATTACH_PROVIDERS.

    Args:
        schemas: name of a provider → its schema.
        folder: takes the sockets.
    """
    servers, places = [], {}
    for name, schema in schemas.items():
        provider = Provider(json.loads(schema.read_text(encoding="utf-8")))
        server = grpc.server(futures.ThreadPoolExecutor(4))
        tfplugin_pb2_grpc.add_ProviderServicer_to_server(provider, server)
        server.add_insecure_port(f"unix://{folder / name}")
        server.start()
        servers.append(server)
        places[f"registry.terraform.io/{provider.source}"] = {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": os.getpid(),
            "Test": True,  # it belongs to whoever started it: Terraform lets it live
            "Addr": {"Network": "unix", "String": str(folder / name)},
        }
    yield json.dumps(places)
    for server in servers:
        server.stop(0)
