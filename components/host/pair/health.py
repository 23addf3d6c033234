"""The health answer: whether a machine could take over, as its peer is told. Pure.

A socket unit answers each connection with one line, `healthy` or what is wrong, and closes it. The
peer's pushes ask before they touch the owner of an address (`pair.owner_guard`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from pathlib import Path

from components.host.pair.pair import HEALTH_PORT
from components.host.part import OpenPort, Part, Service, Text
from components.host.text import environment

SCRIPT = "/etc/keepalived/layered-health"
SOCKET = "/etc/systemd/system/layered-health.socket"
SERVICE = "/etc/systemd/system/layered-health@.service"

_TEMPLATES = environment(Path(__file__).parent / "templates")


def guarded(parts: Iterable[Part]) -> tuple[str, ...]:
    """The units that a machine cannot take over without: the guarded services of its parts."""
    return tuple(each.name for part in parts for each in part.services if each.guarded)


def part(
    role: str,
    *,
    address: IPv4Address,
    network: str,
    units: Sequence[str],
    questions: Sequence[str] = (),
) -> Part:
    """The answer of a `role` (router, balancer), given on its own `address` of `network`.

    All `units` must be active; then `questions` are asked: shell texts that print what is wrong and
    `exit 0`, or go on to the next.
    """

    def text(template: str) -> str:
        return _TEMPLATES.get_template(f"{template}.j2").render(
            role=role,
            address=address,
            port=HEALTH_PORT,
            script=SCRIPT,
            units=units,
            questions=questions,
        )

    return Part(
        name="health",
        files=(
            Text(path=SCRIPT, content=text("health.sh"), mode="0755"),
            Text(path=SOCKET, content=text("layered-health.socket")),
            Text(path=SERVICE, content=text("layered-health@.service")),
        ),
        services=(
            Service(
                name="layered-health.socket",
                on_change="restart",
                watches=(SOCKET,),
                guarded=False,
            ),
        ),
        ports=(
            OpenPort(
                protocol="tcp",
                number=HEALTH_PORT,
                network=network,
                sources="peer",
                purpose="whether this machine could take over",
            ),
        ),
    )
