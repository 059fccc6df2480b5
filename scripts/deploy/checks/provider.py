"""A Terraform provider that knows its schema and nothing else: configurations are checked without a network.

Terraform's core validates a configuration against the schemas of its providers, and `terraform test` with mocked
providers plans and applies with nothing but them. This process answers with a schema of `schemas/*.json`; whatever
would reach a cloud is not there. Terraform starts it; see `terraform.py`.

Source: Terraform plugin protocol 6 (tfplugin6.proto) and go-plugin's handshake, both as PyPI's `tf` carries them.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any, Final

import grpc
import msgpack
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc, tfplugin_pb2_grpc
from tf.gen import tfplugin_pb2 as wire
from tf.runner import _self_signed_cert

Json = dict[str, Any]  # schemas and messages of generated code carry no types

_CONFIGURED: Final[dict[str, Json]] = {
    "aws": {"region": "string", "allowed_account_ids": ["list", "string"]},
    "google": {"project": "string", "region": "string"},
}
"""What the root sets of a provider itself."""
_NESTED_CONFIG: Final[dict[str, Json]] = {"aws": {"default_tags": {"tags": ["map", "string"]}}, "google": {}}


class Provider(tfplugin_pb2_grpc.ProviderServicer):  # type: ignore[misc]  # generated, without types
    """Answers what a validation, a mocked plan and a mocked apply ask."""

    def __init__(self, schema: Json) -> None:
        self._schema = schema
        self._name = schema["provider"].rpartition("/")[2]

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


class _Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):  # type: ignore[misc]  # the same
    """Ends the process when Terraform is done with it."""

    def __init__(self, server: grpc.Server) -> None:
        self._server = server

    def Shutdown(self, request: object, context: object) -> object:  # noqa: N802, ARG002  the protocol's names
        """Stops the server."""
        self._server.stop(0)
        return grpc_controller_pb2.Empty()


class _Silence(grpc_stdio_pb2_grpc.GRPCStdioServicer):  # type: ignore[misc]  # the same
    """Has nothing to say."""

    def StreamStdio(self, request: object, context: object) -> Iterator[object]:  # noqa: N802, ARG002  the same
        """Returns no line."""
        return iter(())


def main(schema: Path) -> None:
    """Serves on a socket that Terraform is told of by go-plugin's handshake line."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    tfplugin_pb2_grpc.add_ProviderServicer_to_server(Provider(json.loads(schema.read_text(encoding="utf-8"))), server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(_Controller(server), server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(_Silence(), server)
    chain, credentials = _self_signed_cert()
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/provider"
        server.add_secure_port(f"unix://{socket}", credentials)
        server.start()
        certificate = base64.b64encode(chain).decode().rstrip("=")
        print(f"1|6|unix|{socket}|grpc|{certificate}", flush=True)
        server.wait_for_termination()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
