"""A program that runs against a recording engine: nobody calls its hooks.

gRPC's servers for asyncio have one poller for a process, which takes the process down when servers
of several event loops, one a program, come and go (a segmentation fault in its completion queue).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch


async def _nothing(*_: object, **__: object) -> None:
    """Begins and ends nothing."""


def _server(**_: object) -> SimpleNamespace:
    """What the SDK asks of `grpc.aio.server`, in place of one: it has the port 0, where nobody
    listens."""
    return SimpleNamespace(
        add_generic_rpc_handlers=lambda *_: None,
        add_registered_method_handlers=lambda *_: None,
        add_insecure_port=lambda **_: 0,
        start=_nothing,
        stop=_nothing,
    )


@contextmanager
def hooks_unserved() -> Iterator[None]:
    """Programs that run inside register hooks as ever, and serve none."""
    with patch("pulumi.runtime._callbacks.aio.server", _server):
        yield
