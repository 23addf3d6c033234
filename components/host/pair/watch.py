"""The watcher of the legs: a leg may be lost while its link stays up. Pure.

What runs on the machine is `components.host.pair.legwatch`, pushed as it stands. It asks neighbours
on each leg, tells the peer what it sees, and writes into a file whether this machine must leave the
addresses to the peer; keepalived tracks the file (`VERDICT`) without a weight.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from components.host.pair.legs import Leg
from components.host.part import Check, Health, OpenPort, Part, Service, Text
from components.host.text import environment
from settings.models import Vrrp

PORT = 8408
"""UDP: what each machine of a pair sees, told to the other."""
UNIT = "layered-legs.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
CONFIG = "/etc/keepalived/layered-legs.json"
PROGRAM = "/usr/lib/layered-cloud/legwatch"
RUNTIME = "layered-pair"
"""Below /run: what the units of a pair leave for keepalived to read."""
VERDICT = f"/run/{RUNTIME}/legs"
"""`1` while this machine must leave the addresses to the peer, else `0`; beside it `.why`."""
TRACKED = {"layered-legs": VERDICT}
"""For keepalived: the name of what it tracks, and the file."""
QUESTION = f"""why=$(cat {VERDICT}.why 2>/dev/null)
case $why in
    "" | *"not heard as the peer" | "in maintenance"*) ;;
    *)
        echo "the legs: $why"
        exit 0
        ;;
esac
"""
"""What the peer is told while a leg is lost. A machine that waits for its peer's first word is
healthy: the peer is changed only then. So is one in maintenance, which takes the addresses when the
peer is gone."""
READY_AFTER = 5
"""Seconds that a keepalived which has just started may need, after its silence at the start
(vrrp_startup_delay), until its checks have passed."""

_NOBODY = IPv4Address(0)
"""Who asks so looks whether an address is free, and is answered by its holder (RFC 5227, 1.1)."""
_PID = "/run/keepalived.pid"
_SOURCES = Path(__file__).parent / "legwatch"
_TEMPLATES = environment(Path(__file__).parent / "templates")


@dataclass(frozen=True, kw_only=True)
class WatchedLeg:
    """A leg, the neighbours that are asked there, and the addresses that move on it.

    `weight` says what a leg is worth beside the others: who sees only the heavier one keeps the
    addresses before who sees only the lighter one. `elects`: no other leg has VRRP. `strange`: the
    neighbours are on a subnet of which the machine has no address of its own.
    """

    network: str
    leg: Leg
    weight: int
    neighbours: Sequence[IPv4Address]
    vips: Sequence[IPv4Address]
    elects: bool = False
    strange: bool = False


@dataclass(frozen=True, kw_only=True)
class WatchedPath:
    """A network over which the two machines tell each other what they see; with `vrrp` they elect a
    master there too."""

    network: str
    ours: Leg
    theirs: Leg
    vrrp: bool = False


def part(
    role: str,
    *,
    vrrp: Vrrp,
    rank: int,
    legs: Sequence[WatchedLeg],
    paths: Sequence[WatchedPath],
    faults: Sequence[str] = (),
    drains: bool = False,
) -> Part:
    """The watcher on a `role` (router, balancer) that has a peer.

    `rank` (0 or 1) decides where the two are equal in everything. `faults` are the other files that
    say what keeps keepalived from holding addresses here: a machine with a number other than 0 in
    one takes nothing over. One that `drains` leaves the addresses to a peer that can hold them.
    """
    sources = [
        Text(path=f"{PROGRAM}/{path.name}", content=path.read_text(encoding="utf-8"))
        for path in sorted(_SOURCES.glob("*.py"))
    ]
    unit = _TEMPLATES.get_template("layered-legs.service.j2").render(
        role=role, program=Path(PROGRAM), config=CONFIG, runtime=RUNTIME
    )
    files = (
        Text(path=CONFIG, content=_config(vrrp, rank, legs, paths, faults, drains=drains)),
        Text(path=UNIT_FILE, content=unit),
        *sources,
    )
    return Part(
        name="legs",
        files=files,
        checks=(
            Check(
                name="legs",
                argv=(
                    *("/usr/bin/env", f"--chdir={Path(PROGRAM).parent}"),
                    *("/usr/bin/python3", "-B", "-m", "legwatch", "--check", CONFIG),
                ),
                watches=(CONFIG, PROGRAM),
            ),
        ),
        services=(
            Service(
                name=UNIT,
                on_change="restart",
                watches=(CONFIG, UNIT_FILE, PROGRAM),
                health=Health(argv=("systemctl", "is-active", "--quiet", UNIT)),
                guarded=False,
            ),
        ),
        ports=tuple(
            OpenPort(
                protocol="udp",
                number=PORT,
                network=path.network,
                sources="peer",
                purpose="what the peer sees on its legs",
            )
            for path in paths
        ),
    )


def _config(
    vrrp: Vrrp,
    rank: int,
    legs: Sequence[WatchedLeg],
    paths: Sequence[WatchedPath],
    faults: Sequence[str],
    *,
    drains: bool,
) -> str:
    config = {
        "interval": vrrp.leg_interval,
        "fall": vrrp.leg_fall,
        "hold": vrrp.leg_hold,
        "rank": rank,
        "drains": drains,
        "grace": vrrp.startup_delay + READY_AFTER,
        "port": PORT,
        "verdict": VERDICT,
        "pid": _PID,
        "faults": list(faults),
        "legs": [
            {
                "name": each.network,
                "interface": each.leg.interface,
                "address": str(_NOBODY if each.strange else each.leg.ip),
                "weight": each.weight,
                "elects": each.elects,
                "targets": list(map(str, each.neighbours)),
                "vips": list(map(str, each.vips)),
            }
            for each in legs
            if each.neighbours
        ],
        "paths": [
            {
                "name": each.network,
                "interface": each.ours.interface,
                "own": str(each.ours.ip),
                "peer": str(each.theirs.ip),
            }
            for each in paths
        ],
        "adverts": [
            {
                "interface": each.ours.interface,
                "own": str(each.ours.ip),
                "peer": str(each.theirs.ip),
            }
            for each in paths
            if each.vrrp
        ],
    }
    return json.dumps(config, indent=2) + "\n"
