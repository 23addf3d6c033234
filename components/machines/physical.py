"""A machine that nobody makes: what the stack says of it, as every layer sees it."""

from __future__ import annotations

from ipaddress import IPv4Interface

import pulumi

from components.host import Connection, Machine, Start
from components.machines.legs import ORDER
from settings.models import Networks, PhysicalSpec


def physical(
    spec: PhysicalSpec,
    *,
    role: str,
    networks: Networks,
    start: Start,
    private_key: pulumi.Input[str],
    entry: pulumi.Resource,
) -> Machine:
    """The machine of a specification, reached as its kind's `Start` says, with the host key named
    there. Every command of it waits for `entry`, the gate of the deploy key.

    `KeyError` for a leg whose network is absent or a machine without a host key, which settings
    refuse.
    """
    addresses: dict[str, IPv4Interface] = {}
    for network in ORDER:
        address = getattr(spec, network)
        if address is not None:
            segment = getattr(networks, network)
            addresses[network] = IPv4Interface(f"{address}/{segment.cidr.prefixlen}")
    interfaces = spec.interfaces.model_dump(exclude_none=True)
    return Machine(
        name=spec.name,
        role=role,
        addresses=addresses,
        interfaces={network: interfaces[network] for network in addresses},
        connection=Connection(
            host=str(spec.management),
            port=spec.ssh_port,
            user=start.user,
            private_key=private_key,
            host_key=start.host_keys[spec.name],
        ),
        vm=None,
        host=None,
        entry=(entry,),
        python=start.python,
    )
