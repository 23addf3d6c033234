"""The shared server of the plugins: import everything a plugin needs from here.

from lab.plugins.server import CheckFailed, Context, Created, Provider, Resource, serve
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent import futures
from typing import Any

import grpc

from lab.plugins.diffing import Diff, Kind, compare
from lab.plugins.protocol import engine_pb2, engine_pb2_grpc, provider_pb2_grpc
from lab.plugins.resource import (
    Cancelled,
    CheckFailed,
    Context,
    Created,
    Invoke,
    PluginError,
    Properties,
    Provider,
    ReadResult,
    Resource,
    Severity,
    TimedOut,
    offline,
)
from lab.plugins.servicer import Servicer
from lab.plugins.wire import UNKNOWN, Secret, Unknown

__all__ = [
    "UNKNOWN", "Cancelled", "CheckFailed", "Context", "Created", "Diff", "Invoke", "Kind",
    "PluginError", "Properties", "Provider", "ReadResult", "Resource", "Secret",
    "TimedOut", "Unknown", "compare", "offline", "serve", "start",
]  # fmt: skip

_grpc: Any = grpc  # the package carries no types
_UNLIMITED = [
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),
    ("grpc.max_send_message_length", 400 * 1024 * 1024),
]
_SEVERITIES = {
    "debug": engine_pb2.DEBUG,
    "info": engine_pb2.INFO,
    "warning": engine_pb2.WARNING,
    "error": engine_pb2.ERROR,
}


class EngineLog:
    """Log lines to the engine's Log service; dropped while no engine is known or it is gone."""

    def __init__(self) -> None:
        self._stub: engine_pb2_grpc.EngineStub | None = None
        self._address = ""

    def connect(self, address: str) -> None:
        """Uses the engine at host:port from now on."""
        if address and address != self._address:
            self._address = address
            self._stub = engine_pb2_grpc.EngineStub(
                _grpc.insecure_channel(address, options=_UNLIMITED)
            )

    def __call__(self, message: str, *, severity: Severity, urn: str, ephemeral: bool) -> None:
        if self._stub is None:
            return
        line = engine_pb2.LogRequest(
            severity=_SEVERITIES[severity], message=message, urn=urn, ephemeral=ephemeral
        )
        try:
            self._stub.Log(line, timeout=10)
        except grpc.RpcError:
            return


def start(provider: Provider, log: EngineLog | None = None) -> tuple[Any, int, Servicer]:
    """A running server on a free loopback port: the server, the port, the service behind it."""
    # A step of the engine holds a thread for as long as it lasts, and Cancel must get through.
    server = _grpc.server(futures.ThreadPoolExecutor(max_workers=256), options=_UNLIMITED)
    log = log or EngineLog()
    servicer = Servicer(provider, log)
    servicer.connect = log.connect
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port, servicer


def serve(provider: Provider) -> None:
    """Serves the provider on a free loopback port, prints the port, and returns when the engine
    that started it asks it to end or is gone."""
    log = EngineLog()
    for argument in sys.argv[1:]:
        if not argument.startswith("-"):
            log.connect(argument)
            break
    server, port, servicer = start(provider, log)
    done = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: done.set())
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    print(port, flush=True)
    parent = os.getppid()
    while not done.wait(1.0) and os.getppid() == parent:
        pass
    servicer.cancel()
    server.stop(grace=0.2).wait()
    provider.close()
    # Threads blocked in a library's call must not keep the process after the engine is gone.
    sys.stdout.flush()
    os._exit(0)
