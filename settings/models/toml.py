"""Texts of containerd's, which are TOML."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Final

from pydantic import AfterValidator

from settings.models.base import Block, fault

_VERSION: Final = 3
_OLD: Final = "io.containerd.grpc.v1.cri"
_HOST_KEYS: Final = frozenset(
    (
        *("ca", "capabilities", "client", "dial_timeout", "header", "host"),
        *("override_path", "server", "skip_verify"),
    )
)
"""containerd docs/hosts.md."""
_SCHEMES: Final = ("http://", "https://")
_CAPABILITIES: Final = frozenset(("pull", "push", "resolve", "referrers"))


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        words = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise fault(f"is no TOML: {words}", "correct it: strings in quotes, tables in []") from None


def _snippet(text: str) -> str:
    read = _read(text)
    version, plugins = read.get("version"), read.get("plugins", {})
    if version != _VERSION:
        wrong = f"is of config version {version!r}" if version else "says no config version"
        raise fault(wrong, f"begin it with `version = {_VERSION}`, and name that version's tables")
    if not isinstance(plugins, dict):
        raise fault("has plugins that are no table", "write [plugins.'NAME']")
    if _OLD in plugins:
        raise fault(
            f"names {_OLD}, which config version {_VERSION} does not know",
            "write io.containerd.cri.v1.runtime or io.containerd.cri.v1.images",
        )
    return text


def _hosts(text: str) -> str:
    read = _read(text)
    tables: list[dict[str, Any]] = [read]
    hosts = read.get("host", {})
    if not isinstance(hosts, dict) or not all(isinstance(each, dict) for each in hosts.values()):
        raise fault("has a host that is no table", 'write [host."https://NAME"]')
    tables += hosts.values()
    for table in tables:
        for key, value in table.items():
            if key not in _HOST_KEYS:
                listed = ", ".join(sorted(_HOST_KEYS))
                raise fault(
                    f"has {key!r}, which containerd does not know", f"write one of {listed}"
                )
            if key == "server" and not (isinstance(value, str) and value.startswith(_SCHEMES)):
                raise fault("has a server that is no URL", 'write server = "https://NAME"')
            if key == "capabilities" and not (
                isinstance(value, list) and all(each in _CAPABILITIES for each in value)
            ):
                listed = ", ".join(sorted(_CAPABILITIES))
                raise fault("has capabilities containerd does not know", f"list some of {listed}")
    return text


Snippet = Annotated[str, Block(), AfterValidator(_snippet)]
"""A file of containerd's configuration."""

HostsToml = Annotated[str, Block(), AfterValidator(_hosts)]
"""A registry's hosts.toml."""
