"""What FRR tells of its sessions (FRR user guide: BGP, "Displaying BGP Information"; BFD).

A session's `peerUptimeMsec` is how long it has been what it is, up or down; `peerUptime` says
`never` of one that has not been up since bgpd was started.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .session import Daemon, Session

_VTYSH = "/usr/bin/vtysh"


def read(told: str, bfd: str | None, now: float) -> Iterator[Session]:
    """The sessions in the answer; see `Daemon.read`."""
    seen = None if bfd is None else _seen(bfd)
    for address, row in _object(told)["peers"].items():
        never = row["peerUptime"] == "never"
        yield Session(
            peer=address,
            name=str(row.get("desc", "")),
            state=str(row["state"]),
            received=int(row.get("pfxRcd", 0)),
            announced=int(row.get("pfxSnt", 0)),
            changed=None if never else round(now - row["peerUptimeMsec"] / 1000),
            bfd=None if seen is None else seen.get(address),
        )


def _object(told: str) -> dict[str, Any]:
    found = json.loads(told)
    if not isinstance(found, dict):
        raise ValueError("is no JSON object")
    return found


def _seen(bfd: str) -> dict[str, bool]:
    """By address, of the neighbours that bfdd was asked to watch."""
    return {row["peer"]: row["status"] == "up" for row in json.loads(bfd)}


DAEMON = Daemon(
    sessions=(_VTYSH, "-c", "show bgp ipv4 unicast summary json"),
    bfd=(_VTYSH, "-c", "show bfd peers json"),
    read=read,
)
