"""FRRouting's process: which of its daemons run, who may talk to them, what judges them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from components.host.bgp import PORT
from components.host.packages import package
from components.host.part import Check, Health, OpenPort, Part, Service, Step, Text
from components.host.text import environment

CONFIG = "/etc/frr/frr.conf"
DAEMONS = "/etc/frr/daemons"
UNIT = "frr.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/layered.conf"
CHECK = ("/usr/bin/vtysh", "-C", "-f", CONFIG)
HEALTH = ("/usr/bin/vtysh", "-c", "show bgp ipv4 unicast summary")

_TEMPLATES = environment(Path(__file__).parent / "templates")


def part(
    config: str,
    *,
    bfd: bool,
    always: Sequence[str],
    drop_in: str,
    secrets: Sequence[str] = (),
    beside: Sequence[Text] = (),
    steps: Sequence[Step] = (),
    ports: Sequence[OpenPort] = (),
) -> Part:
    """FRR with the text `config` (FRR user guide) and the unit's `drop_in`.

    `always` are the daemons that run whatever is asked for (a distribution's own), `secrets` the
    passwords' names in the text, `beside` further files.
    """
    daemons = _TEMPLATES.get_template("daemons.j2").render(bfd=bfd, always=always, port=PORT)
    return Part(
        name="frr",
        packages=(package("frr"), package("frr-pythontools")),
        files=(
            Text(
                path=CONFIG,
                content=config,
                mode="0640",
                owner="frr:frr",
                secrets=tuple(secrets),
            ),
            Text(path=DAEMONS, content=daemons),
            Text(path=DROP_IN, content=drop_in),
            *beside,
        ),
        checks=(Check(name="frr", argv=CHECK, watches=(CONFIG,)),),
        steps=tuple(steps),
        services=(
            Service(
                name=UNIT,
                on_change="reload",
                watches=(CONFIG, DAEMONS),
                health=Health(argv=HEALTH),
            ),
        ),
        ports=tuple(ports),
    )
