"""Do something from inside a network namespace without leaving this process.

setns(2) moves one thread only, so the work is done in a thread that ends with it.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

CLONE_NEWNET = 0x40000000
Result = TypeVar("Result")


def inside(namespace: Path, work: Callable[[], Result]) -> Result:
    """Call `work` in a thread that has entered the namespace; returns or raises what it does.

    Raises:
        OSError: there is no such namespace.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def enter() -> None:
        try:
            handle = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET):
                    number = ctypes.get_errno()
                    raise OSError(number, os.strerror(number), str(namespace))
            finally:
                os.close(handle)
            results.append(work())
        except BaseException as err:  # handed to the caller's thread
            errors.append(err)

    thread = threading.Thread(target=enter, name=f"in {namespace.name}")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def listen(namespace: Path, address: str, port: int) -> socket.socket:
    """A listening TCP socket inside the namespace, usable from anywhere."""

    def make() -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        return listener

    return inside(namespace, make)
