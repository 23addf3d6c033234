"""A built plugin as a process, and what it says of itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from lab.software.plugins import BUILT

_UNLIMITED = [("grpc.max_receive_message_length", 400 << 20)]


def built(name: str) -> Path:
    """The built plugin of a provider; skips where nothing was built yet."""
    program = BUILT[name]
    if not program.item.ready:
        pytest.skip(f"no {program.name} here yet: `make software` builds it")
    return program.executable(program.name)


@contextmanager
def served(executable: Path, home: Path) -> Iterator[Any]:
    """The plugin's process, and a stub of its service; it keeps what it keeps below `home`."""
    argv = [str(executable), "127.0.0.1:1"]
    process = subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=_UNLIMITED) as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def schema(executable: Path, home: Path) -> dict[str, Any]:
    """The plugin's schema."""
    with served(executable, home) as stub:
        answer = stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=60)
    return dict(json.loads(answer.schema))
