"""`fakepve`, as values without types: it has none, and everything here builds on it."""

from __future__ import annotations

from contextvars import ContextVar
from importlib import import_module
from typing import Any

_server, _model = import_module("fakepve.server"), import_module("fakepve.model")
_qemu, _routing = import_module("fakepve.qemu"), import_module("fakepve.routing")

FakePve: Any = _server.FakePve
FakeVm: Any = _model.FakeVm
PveError: Any = _model.PveError
TaskError: Any = _model.TaskError
USER: Any = _server.USER
PRIVILEGES: Any = import_module("fakepve.shapes").PRIVILEGES

params: Any = _server.params
ok: Any = _routing.ok
die: Any = _routing.die
param_error: Any = _routing.param_error
split_list: Any = _routing.split_list
split_drive: Any = _qemu.split_drive
join_drive: Any = _qemu.join_drive
format_size: Any = _qemu.format_size
with_mac: Any = _qemu.with_mac
NEW_DISK: Any = _qemu.NEW_DISK
DRIVE_KEY: Any = _qemu.DRIVE_KEY

current_node: ContextVar[str] = ContextVar("current_node", default="")
"""The host a request is for; storages of one name differ from host to host."""
