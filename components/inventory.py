"""The machine-readable inventory: every machine, as other tools want to know it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pulumi

from components.host import Machine


def inventory(machines: Iterable[Machine]) -> dict[str, Any]:
    """`{"machines": {name: {role, host, user, port, host_key, python, addresses, interfaces}}}`;
    with `addresses6` where a machine has some.

    `addresses` and `interfaces` are keyed by network; `host_key` is the machine's public key, so
    that whoever logs in can check it; `python` says whether it runs what it is sent (an appliance
    does not). No secret is in it.
    """
    return {
        "machines": {
            machine.name: {
                "role": machine.role,
                "host": machine.host,
                "user": machine.connection.user,
                "port": machine.connection.port,
                "host_key": pulumi.Output.unsecret(
                    pulumi.Output.from_input(machine.connection.host_key)
                ),
                "python": machine.python,
                "addresses": {name: str(leg.ip) for name, leg in machine.addresses.items()},
                **_sixth(machine),
                "interfaces": dict(machine.interfaces),
            }
            for machine in machines
        }
    }


def _sixth(machine: Machine) -> dict[str, Any]:
    if not machine.addresses6:
        return {}
    return {"addresses6": {name: str(leg.ip) for name, leg in machine.addresses6.items()}}
