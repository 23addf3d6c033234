"""The machine's own figures for Prometheus: node_exporter on the management leg alone. Pure.

Sources: node_exporter's flags (1.5), its package's unit in Debian 12, systemd.socket(5).
"""

from __future__ import annotations

from ipaddress import IPv4Address

from components.host.baseline.model import BaselineModel
from components.host.baseline.render import render
from components.host.packages import package
from components.host.part import Exporter, Health, OpenPort, Part, Service, Text

NAME = "prometheus-node-exporter"
PORT = 9100
"""The one that Prometheus' users expect (prometheus/wiki, Default port allocations)."""
SOCKET = f"{NAME}.socket"
OWN_SOCKET = f"{NAME}-own.socket"
UNIT = f"/etc/systemd/system/{NAME}.service.d/10-layered-cloud.conf"

# Its first page, which collects nothing: a scrape may take long on a machine that has just booted.
_ANSWERS = (
    'exec 3<>"/dev/tcp/$1/$2" && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 '
    '&& read -r -t 5 _ status _ <&3 && [ "$status" = 200 ]'
)


def part(model: BaselineModel) -> Part | None:
    """node_exporter where the stack wants it, on sockets that systemd holds: one on the management
    address and leg, and one for readers on the machine itself.

    The kernel takes a packet for any of its addresses on any leg, so that the address alone would
    be reached from the LAN too. Where the leg has no known name it is the address alone.
    """
    if not model.node_exporter:
        return None
    address = model.addresses["management"].ip
    interface = model.interfaces.get("management")
    held = {SOCKET: interface, **({OWN_SOCKET: "lo"} if interface else {})}
    sockets = tuple(
        Text(
            path=f"/etc/systemd/system/{name}",
            content=render(
                "node-exporter.socket.j2",
                address=address,
                port=PORT,
                interface=device,
                service=f"{NAME}.service",
            ),
        )
        for name, device in held.items()
    )
    unit = Text(path=UNIT, content=render("node-exporter-unit.conf.j2", sockets=list(held)))
    return Part(
        name="node-exporter",
        packages=(package("node-exporter"),) if model.install_packages else (),
        files=(*sockets, unit),
        services=(
            *(
                Service(name=name, on_change="restart", watches=(file.path,))
                for name, file in zip(held, sockets, strict=True)
            ),
            Service(
                name=NAME,
                on_change="restart",
                watches=(unit.path,),
                health=Health(argv=("/bin/bash", "-c", _ANSWERS, "ask", str(address), str(PORT))),
            ),
        ),
        ports=(
            _opened("management"),
            *([_opened("named", model.readers)] if model.readers else []),
        ),
        exporters=(Exporter(name="node", network="management", port=PORT),),
    )


def _opened(sources: str, addresses: tuple[IPv4Address, ...] = ()) -> OpenPort:
    return OpenPort(
        protocol="tcp",
        number=PORT,
        network="management",
        sources=sources,
        addresses=addresses,
        purpose="figures of the machine, for Prometheus",
    )
