"""Who holds which address: the one list behind the checks of subnets and collisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from settings.models.machines import MachineSpec
from settings.models.network import Networks, Segment
from settings.models.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One address someone holds: where it is written, on which segment, and whose it is."""

    path: str
    address: IPv4Address
    segment: str | None
    owner: str


def has(stack: Stack, section: str) -> bool:
    """Whether a section could be read (a stack under repair may lack some)."""
    return section in stack.__dict__


def segments(networks: Networks) -> Iterator[tuple[str, Segment]]:
    """The layer-2 segments with their names."""
    yield "management", networks.management
    yield "lan", networks.lan
    yield "wan", networks.wan
    if networks.sync is not None:
        yield "sync", networks.sync


def ranges(networks: Networks) -> list[tuple[str, IPv4Network]]:
    """Every range of the stack with the path it is written at."""
    found = [(f"networks.{name}.cidr", segment.cidr) for name, segment in segments(networks)]
    return [*found, ("networks.pods", networks.pods), ("networks.services", networks.services)]


def machines(stack: Stack) -> Iterator[tuple[str, str, MachineSpec]]:
    """Path, role in words, and specification of every machine whose section is readable."""
    lists: list[tuple[str, str, list[MachineSpec]]] = []
    if has(stack, "routers"):
        lists.append(("routers.machines", "router", stack.routers.machines))
    if has(stack, "balancers"):
        lists.append(("balancers.machines", "balancer", stack.balancers.machines))
    if has(stack, "cluster"):
        lists.append(("cluster.control_planes", "control plane", stack.cluster.control_planes))
        lists.append(("cluster.workers", "worker", stack.cluster.workers))
    for path, role, specs in lists:
        for index, spec in enumerate(specs):
            yield f"{path}[{index}]", role, spec


def claims(stack: Stack) -> list[Claim]:
    """Every single address held on a segment, in the order of the chain."""
    found: list[Claim] = []
    if has(stack, "proxmox"):
        for index, host in enumerate(stack.proxmox.hosts):
            found.append(
                Claim(
                    path=f"proxmox.hosts[{index}].ssh_address",
                    address=host.ssh_address,
                    segment=None,
                    owner=f"Proxmox host {host.name}",
                )
            )
    if has(stack, "networks"):
        found.append(
            Claim(
                path="networks.wan.gateway",
                address=stack.networks.wan.gateway,
                segment="wan",
                owner="the provider's gateway",
            )
        )
    for path, role, spec in machines(stack):
        for leg in ("management", "lan", "wan", "sync"):
            address = getattr(spec, leg)
            if address is not None:
                found.append(
                    Claim(
                        path=f"{path}.{leg}",
                        address=address,
                        segment=leg,
                        owner=f"{role} {spec.name}",
                    )
                )
    found += _vips(stack)
    return found


def _vips(stack: Stack) -> Iterator[Claim]:
    groups: list[tuple[str, str, str, Iterable[tuple[str, list[IPv4Address]]]]] = []
    if has(stack, "routers"):
        for index, edge in enumerate(stack.routers.vips):
            legs = (("wan", edge.wan), ("lan", edge.lan))
            groups.append((f"routers.vips[{index}]", edge.name, "routers", legs))
    if has(stack, "balancers"):
        for index, front in enumerate(stack.balancers.vips):
            both = (("lan", front.lan), ("management", front.management))
            groups.append((f"balancers.vips[{index}]", front.name, "balancers", both))
    for path, name, layer, held in groups:
        for leg, addresses in held:
            for position, address in enumerate(addresses):
                yield Claim(
                    path=f"{path}.{leg}[{position}]",
                    address=address,
                    segment=leg,
                    owner=f"the {layer}' VIP {name}",
                )
