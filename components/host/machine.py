"""A machine as every layer sees it: a plain value, whatever made the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

import pulumi


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How SSH reaches a machine.

    `host` is its management address, `private_key` the PEM of the operator's key, and `host_key`
    the machine's public key (`ssh-ed25519 AAAA…`), checked on every connection.
    """

    host: str
    port: int = 22
    user: str = "root"
    private_key: pulumi.Input[str]
    host_key: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One machine: `addresses` and `interfaces` are keyed by network (management, lan, wan, sync).

    `role` is router, balancer, control_plane or worker; `host` is the name of the Proxmox host it
    stands on. `vm` is the resource that made it: `None` for a physical or an adopted machine,
    whose configuration is then really taken away when its resources are deleted.

    `incarnation` is a text that is another one for every new VM under the same name (an output of
    a resource that is replaced with it). When it changes, everything is pushed again, as an update.
    Without it every push is replaced with the VM, for which the engine first connects to the old
    one: that fails when the old one is dead.

    `lifetime` is the resource that is replaced with the VM (`replace_with`): what is `deleted_with`
    it, and has `replace_with=[vm]` too, is not asked of a dead machine, neither when the VM is
    deleted nor when it is replaced. With `deleted_with=vm` the engine grants only the former.
    """

    name: str
    role: str
    addresses: Mapping[str, IPv4Interface]
    interfaces: Mapping[str, str]
    connection: Connection
    vm: pulumi.Resource | None
    host: str
    incarnation: pulumi.Input[str] | None = None
    lifetime: pulumi.Resource | None = None
    entry: tuple[pulumi.Resource, ...] = ()
    """What lets the program in (`components.host.entry`): every command of the machine waits."""

    def address(self, network: str) -> IPv4Address:
        """The machine's own address on `network`; `KeyError` when it has no leg there."""
        return self.addresses[network].ip
