"""A machine as every layer sees it: a plain value, whatever made the machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface

import pulumi

from components.host.seed import Seed
from settings.models import DEFAULT_DISTRIBUTION, DISTRIBUTIONS, Distribution, Image


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
class Start:
    """What the machines of one role start from, and how this program gets into them.

    `image` None is the stack's own, as everybody's. With `cloud_init` they are given user-data:
    name, host key and deploy key. Without it the image itself lets the deploy key in as `user`,
    and `host_keys` (public keys by machine) are what they answer with. `python` says that they run
    our pushes; only there another deploy key is let in (`components.host.entry`). One without is
    reached by a `HostScript` or a `HostImport`. `user_data` makes the text for a cloud-init that
    does not understand everybody's.
    """

    user: str
    cloud_init: bool
    python: bool
    image: Image | None = None
    host_keys: Mapping[str, str] = field(default_factory=dict)
    user_data: Callable[[Seed], str] | None = None


ORDINARY = Start(user="root", cloud_init=True, python=True)
"""A machine that is given user-data and takes the baseline."""


def ordinary(image: Image | None) -> Start:
    """The same, from an image of its role's own, or from the stack's."""
    return replace(ORDINARY, image=image)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One machine: `addresses` and `interfaces` are keyed by network (management, lan, wan, sync).

    `role` is router, balancer, control_plane or worker; `host` is the name of the Proxmox host it
    stands on, `None` for a physical one. `vm` is the resource that made it: `None` for a physical
    or an adopted machine, whose configuration is then really taken away when its resources are
    deleted.

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
    host: str | None
    incarnation: pulumi.Input[str] | None = None
    lifetime: pulumi.Resource | None = None
    entry: tuple[pulumi.Resource, ...] = ()
    """What lets the program in (`components.host.entry`): every command of the machine waits."""
    addresses6: Mapping[str, IPv6Interface] = field(default_factory=dict)
    """Its IPv6 addresses, of a machine on a visitor's way; keyed by network too."""
    distribution: Distribution = DISTRIBUTIONS[DEFAULT_DISTRIBUTION]
    """What its packages are called, and its daemons are told."""
    python: bool = True
    """Whether it runs our pushes, and whatever else is written in Python (`Start.python`)."""

    def address(self, network: str) -> IPv4Address:
        """The machine's own address on `network`; `KeyError` when it has no leg there."""
        return self.addresses[network].ip
