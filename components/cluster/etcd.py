"""Who is a member of etcd, as shell texts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

from components.cluster.render import text

_PROGRAM = Path(__file__).parent / "scripts" / "members.py"


def program(verb: Literal["list", "remove"], pki: str, kept: Sequence[IPv4Address]) -> str:
    """The command that lists or removes the members whose address is none of `kept`; `pki` is a
    directory with ca.crt, client.crt and client.key, in the shell's words."""
    words = " ".join(map(str, kept))
    source = _PROGRAM.read_text(encoding="utf-8")
    return f"python3 - {verb} \"{pki}\" {words} <<'PROGRAM'\n{source}PROGRAM"


def members_guard(planes: Mapping[str, IPv4Address]) -> str:
    """Holds when etcd and the cluster know no other control planes than `planes`, by name."""
    return text(
        "members-guard.sh.j2",
        names=" ".join(planes),
        stale=program("list", "$etcd", tuple(planes.values())),
    )


def members(planes: Mapping[str, IPv4Address]) -> str:
    """Takes every other one out: its pods first, then its vote, then its node."""
    return text(
        "members.sh.j2",
        names=" ".join(planes),
        remove=program("remove", "$etcd", tuple(planes.values())),
    )
