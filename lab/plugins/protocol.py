"""The protocol's messages and services, which the SDK brings along, without the SDK around them.

To import `pulumi` takes half a second of CPU (asyncio, HTTP, tracing), which three plugins spend
at every preview and update; the messages need nothing but protobuf and gRPC.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

_AROUND = ("pulumi", "pulumi.runtime")


def _messages(*names: str) -> list[Any]:
    """The modules `pulumi.runtime.proto.NAME`."""
    hollow = []
    if "pulumi" not in sys.modules:
        found = importlib.util.find_spec("pulumi")
        assert found is not None
        places = list(found.submodule_search_locations or ())
        for package in _AROUND:
            standing = ModuleType(package)
            standing.__path__ = places
            sys.modules[package] = standing
            hollow.append(package)
            places = [f"{place}/runtime" for place in places]
    try:
        return [importlib.import_module(f"pulumi.runtime.proto.{name}") for name in names]
    finally:
        # Whoever imports the SDK afterwards gets all of it.
        for package in hollow:
            del sys.modules[package]


if TYPE_CHECKING:
    from pulumi.runtime.proto import (
        engine_pb2,
        engine_pb2_grpc,
        plugin_pb2,
        provider_pb2,
        provider_pb2_grpc,
    )
else:
    engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc = _messages(
        "engine_pb2", "engine_pb2_grpc", "plugin_pb2", "provider_pb2", "provider_pb2_grpc"
    )

__all__ = [
    "engine_pb2",
    "engine_pb2_grpc",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
]
