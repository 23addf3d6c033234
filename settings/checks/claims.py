"""Who holds which address: the one list behind the checks of subnets and collisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from settings.models.addresses import LINK_LOCAL, AnyAddress, AnyNetwork, is_address
from settings.models.addresses import address as read
from settings.models.balancers import BalancerVip, Reach
from settings.models.machines import MachineSpec, PhysicalSpec
from settings.models.networks import Networks, Segment, Wan
from settings.models.proxmox import ProxmoxHost
from settings.models.routers import RouterVip
from settings.models.stack import ROLES, Stack
from settings.models.walk import walk


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One address someone holds: where it is written, on which segment, and whose it is.

    `segment` is None for an address of no segment that the stack knows.
    """

    path: str
    address: AnyAddress
    segment: str | None
    owner: str


def segments(networks: Networks) -> Iterator[tuple[str, Segment]]:
    """The layer-2 segments with their names."""
    return walk(networks, Segment)


def ranges(networks: Networks) -> list[tuple[str, AnyNetwork]]:
    """Every range of the stack with the path it is written at."""
    found: list[tuple[str, AnyNetwork]] = [
        (f"networks.{name}.{key}", each)
        for name, segment in segments(networks)
        for key, each in segment.subnets.items()
    ]
    return [*found, ("networks.pods", networks.pods), ("networks.services", networks.services)]


def servers(networks: Networks) -> Iterator[tuple[str, AnyAddress]]:
    """The servers that machines ask through the routers, by the key that gives an address."""
    for key in ("resolvers", "ntp"):
        for index, each in enumerate(getattr(networks, key)):
            if is_address(str(each)):
                yield f"networks.{key}[{index}]", read(str(each))


def machines(stack: Stack) -> Iterator[tuple[str, str, MachineSpec]]:
    """Path, role in words, and specification of every virtual machine whose section is readable."""
    for path, spec in walk(stack, MachineSpec):
        yield path, _role(path), spec


def standing(stack: Stack) -> Iterator[tuple[str, str, MachineSpec | PhysicalSpec]]:
    """The same of every machine, physical ones too."""
    yield from machines(stack)
    for path, spec in walk(stack, PhysicalSpec):
        yield path, _role(path), spec


def _role(path: str) -> str:
    return ROLES[path.partition("[")[0]].replace("_", " ")


def claims(stack: Stack) -> list[Claim]:
    """Every single address held, in the order of the sections."""
    return [
        *_gateways(stack),
        *_hosts(stack),
        *_legs(stack),
        *_vips(stack),
        *_announced(stack),
    ]


def _gateways(stack: Stack) -> Iterator[Claim]:
    for path, wan in walk(stack, Wan):
        yield Claim(
            path=f"{path}.gateway",
            address=wan.gateway,
            segment=path.rpartition(".")[2],
            owner="the provider's gateway",
        )
        # Its link-local address is of the segment without being of its prefix.
        if wan.gateway6 is not None and wan.gateway6 not in LINK_LOCAL:
            yield Claim(
                path=f"{path}.gateway6",
                address=wan.gateway6,
                segment=path.rpartition(".")[2],
                owner="the provider's gateway",
            )


def _keys() -> Iterator[tuple[str, str]]:
    """Networks with the keys that an address there stands under, of either family."""
    for network in Networks.model_fields:
        yield network, network
        yield network, f"{network}6"


def _hosts(stack: Stack) -> Iterator[Claim]:
    for path, host in walk(stack, ProxmoxHost):
        yield Claim(
            path=f"{path}.ssh_address",
            address=host.ssh_address,
            segment=None,
            owner=f"Proxmox host {host.name}",
        )


def _legs(stack: Stack) -> Iterator[Claim]:
    for path, role, spec in standing(stack):
        for leg, key in _keys():
            address = getattr(spec, key, None)
            if address is not None:
                yield Claim(
                    path=f"{path}.{key}",
                    address=address,
                    segment=leg,
                    owner=f"{role} {spec.name}",
                )


def _vips(stack: Stack) -> Iterator[Claim]:
    groups: list[tuple[str, RouterVip | BalancerVip]] = []
    groups += walk(stack, RouterVip)
    groups += walk(stack, BalancerVip)
    for path, group in groups:
        for leg, key in _keys():
            routed = leg == "wan" and isinstance(group, RouterVip) and group.routed
            for position, address in enumerate(getattr(group, key, [])):
                yield Claim(
                    path=f"{path}.{key}[{position}]",
                    address=address,
                    segment=None if routed else leg,
                    owner=f"the {path.partition('.')[0]}' VIP {group.name}",
                )


def _announced(stack: Stack) -> Iterator[Claim]:
    for path, reach in walk(stack, Reach):
        for position, address in enumerate(reach.vips):
            yield Claim(
                path=f"{path}.vips[{position}]",
                address=address,
                segment=None,
                owner="the service",
            )
