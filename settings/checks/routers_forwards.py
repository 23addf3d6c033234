"""What the routers forward past the balancers."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import ranges
from settings.checks.registry import doubts, reads
from settings.models.addresses import collapsed, within
from settings.models.cluster import API_SERVER_PORT
from settings.models.stack import Stack
from settings.problems import Problem, problem

_FORWARDS = "routers.forwards"


@reads("routers")
def forwarded_ports_are_ranges(stack: Stack) -> Iterator[Problem]:
    """From the first to the last; a range keeps its ports."""
    for index, each in enumerate(stack.routers.forwards):
        path = f"{_FORWARDS}[{index}]"
        if each.last is not None and each.last <= each.port:
            yield problem(
                f"{path}.last",
                each.last,
                f"is not behind port ({each.port})",
                "write the last port of the range, or remove it",
            )
        if each.last is not None and each.to_port is not None:
            yield problem(
                f"{path}.to_port",
                each.to_port,
                "is one port, and a range keeps its own",
                "remove it, or forward one port",
            )


@reads("routers")
def forwards_have_ports_of_their_own(stack: Stack) -> Iterator[Problem]:
    """A port leads to one place; those of the CDN lead to the balancers."""
    forwards = stack.routers.forwards
    for index, each in enumerate(forwards):
        path = f"{_FORWARDS}[{index}]"
        for port in stack.routers.public_ports:
            if each.protocol == "tcp" and each.port <= port <= each.end:
                yield problem(
                    f"{path}.port",
                    each.port,
                    f"forwards {port}, which leads to the balancers (routers.public_ports)",
                    "forward another port",
                )
        for earlier, other in enumerate(forwards[:index]):
            if each.name == other.name:
                yield problem(
                    f"{path}.name",
                    each.name,
                    f"is that of {_FORWARDS}[{earlier}] already",
                    "give each a name of its own",
                )
            elif (
                each.protocol == other.protocol
                and each.port <= other.end
                and other.port <= each.end
                and (each.vip is None or other.vip is None or each.vip == other.vip)
            ):
                yield problem(
                    f"{path}.port",
                    each.port,
                    f"is forwarded by {other.name} ({_FORWARDS}[{earlier}]) already",
                    "forward another port, or on another vip",
                )


@reads("routers")
def forwards_come_through_the_router_that_answers_leave_by(stack: Stack) -> Iterator[Problem]:
    """Everybody inside answers through the first group's gateway, and another router knows nothing
    of the connection."""
    vips = stack.routers.vips
    home = [address for vip in vips if vip.owner == vips[0].owner for address in vip.wan]
    for index, each in enumerate(stack.routers.forwards):
        if each.vip is not None and each.vip not in home:
            yield problem(
                f"{_FORWARDS}[{index}].vip",
                each.vip,
                f"is no public VIP of {vips[0].owner}, by whose gateway everybody inside answers",
                f"write {' or '.join(map(str, home))}, or remove it",
            )


@reads("networks", "routers", "platform")
def forwards_lead_to_who_answers_through_the_routers(stack: Stack) -> Iterator[Problem]:
    """To the LAN, or to what the nodes announce; not to a router itself."""
    lan, metallb = stack.networks.lan, stack.platform.metallb
    own = {each.lan for each in stack.routers.members} | {
        address for vip in stack.routers.vips for address in vip.lan
    }
    announced = metallb.pool if metallb.mode == "bgp" else []
    for index, each in enumerate(stack.routers.forwards):
        path = f"{_FORWARDS}[{index}].to"
        if lan.subnet_of(each.to) is None and not any(pool.holds(each.to) for pool in announced):
            yield problem(
                path,
                each.to,
                f"is outside networks.lan ({lan.written}) and what the nodes announce by BGP",
                "write an address of the LAN",
            )
        elif (edge := lan.edge_of(each.to)) is not None:
            yield problem(
                path,
                each.to,
                f"is {edge} of networks.lan ({lan.written})",
                "write a machine's",
            )
        elif each.to in own:
            yield problem(
                path,
                each.to,
                "is the routers' own, which serve nothing to the outside",
                "write another machine's",
            )


@reads("networks", "routers")
def forwards_are_for_somebody_outside(stack: Stack) -> Iterator[Problem]:
    """Who is inside never comes by the WAN, and a denied source gets nothing from there."""
    inside = [each for each in ranges(stack.networks) if ".wan." not in each[0]]
    denied = collapsed(stack.routers.deny)
    for index, each in enumerate(stack.routers.forwards):
        for place, source in enumerate(each.sources):
            path = f"{_FORWARDS}[{index}].sources[{place}]"
            own = next((name for name, network in inside if within(source, network)), None)
            if own is not None:
                wrong = f"is inside {own}, from where nobody comes by the WAN"
                yield problem(path, source, wrong, "write who calls from outside, or remove it")
            elif any(within(source, network) for network in denied):
                wrong = "gets nothing from the WAN, by routers.deny"
                yield problem(path, source, wrong, "let it in there, or remove it here")


_KUBELET, _ETCD = 10_250, (2379, 2380)
"""TCP, of every node and of control planes (kubernetes.io, "Ports and Protocols")."""


@doubts("routers", "balancers", "cluster")
def the_clusters_own_ports_are_for_few(stack: Stack) -> Iterator[Problem]:
    """Whoever gets in there owns the cluster."""
    planes = [each.lan for each in stack.cluster.control_planes]
    nodes = [*planes, *(each.lan for each in stack.cluster.workers)]
    api, vips = stack.balancers.api_port, stack.balancers.lan_vips
    own = [(address, api, "the Kubernetes API") for address in vips]
    own += [(address, API_SERVER_PORT, "the Kubernetes API") for address in planes]
    own += [(address, port, "etcd") for address in planes for port in _ETCD]
    own += [(address, _KUBELET, "a kubelet") for address in nodes]
    for index, each in enumerate(stack.routers.forwards):
        first, last = each.inside
        led = [
            (port, what)
            for address, port, what in own
            if each.to == address and first <= port <= last
        ]
        if led and each.protocol == "tcp" and not each.sources:
            port, what = led[0]
            yield problem(
                f"{_FORWARDS}[{index}].to",
                each.to,
                f"is {what} at port {port}, which the whole internet would reach",
                "write sources, or reach it through the management network",
            )
