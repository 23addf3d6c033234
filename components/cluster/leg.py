"""A second address on a node's LAN leg, for the sake of the routes through it. Pure.

The kernel flushes every route through an interface that loses its last address, and tells nobody
(`fib_disable_ip`). Cilium puts its routes to other nodes' pods back with its background pass only,
which can take minutes (cilium#18706). `networkctl reconfigure`, and so `netplan apply`, takes a
machine's address away and puts it back within milliseconds, whatever the files say (systemd before
257). The pairs need none of this: their VIPs are such addresses, and FRR puts routes back at once.

192.0.0.8 is the IPv4 dummy address (RFC 7600): source of nothing here, for its scope is the host.
Cilium and the kubelet take no such address for the node's.
"""

from __future__ import annotations

from components.cluster.model import NodeModel
from components.cluster.render import text
from components.host.part import Part, Service, Text

UNIT = "/etc/systemd/system/layered-leg.service"
ADDRESS = "192.0.0.8/32"


def part(node: NodeModel) -> Part:
    """One unit that adds the address; networkd leaves it where it is (`KeepConfiguration=`)."""
    content = text("leg.service.j2", address=ADDRESS, interface=node.interfaces["lan"])
    return Part(
        name="leg",
        files=(Text(path=UNIT, content=content),),
        services=(Service(name="layered-leg.service", on_change="restart", watches=(UNIT,)),),
    )
