"""What a kind of router asks of a stack: what its machines are, and an image and host keys where it
is an appliance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from settings.checks import routers_mikrotik, routers_vyos
from settings.checks.registry import doubts, reads
from settings.checks.routers_legs import UNASKED
from settings.models.base import Strict
from settings.models.networks import Segment
from settings.models.routers import Routers
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem


@dataclass(frozen=True, kw_only=True)
class Asks:
    """Whether machines of a kind need an image of their own; whether they take no cloud-init, so
    that the stack must know their host keys; whether they may be `virtual` machines, `physical`
    ones, or either; whether they take visitors by IPv6, and whether they show figures
    (`access.node_exporter`), as every machine does that takes the baseline; whether two of them
    share one public address (`shares`: `networks.wan.public`). `lacking` are the keys
    below `routers` that such routers cannot keep, such as `vrrp.leg_fall` or `forwards[].sources`,
    the name of a section whose default is none or empty for all of it; each with what they do
    instead, to end the sentence "routers.kind is KIND, and ..."."""

    image: bool
    host_keys: bool
    virtual: bool = True
    physical: bool = False
    ipv6: bool = False
    figures: bool = True
    shares: bool = False
    lacking: Mapping[str, str] = field(default_factory=dict)

    @property
    def appliance(self) -> bool:
        """Whether machines of a kind have a system of their own: no distribution, no packages."""
        return self.image or self.physical

    @property
    def watches(self) -> bool:
        """Whether machines of a kind ask neighbours if a leg still reaches anybody."""
        return not UNASKED.keys() <= self.lacking.keys()

    def instead(self, key: str) -> str | None:
        """What such routers do where a key below `routers`, or a section that it stands in, cannot
        be kept; None where it can."""
        return next(
            (
                words
                for each, words in self.lacking.items()
                if f"{key}.".startswith((f"{each}.", f"{each}[]."))
            ),
            None,
        )

    def lacks(self, key: str) -> bool:
        """Whether a key below `routers`, or a section that it stands in, cannot be kept."""
        return self.instead(key) is not None


KINDS: Final[Mapping[str, Asks]] = {
    "linux": Asks(image=False, host_keys=False, ipv6=True, shares=True),
    "mikrotik": Asks(
        image=False,
        host_keys=True,
        virtual=False,
        physical=True,
        figures=False,
        lacking=routers_mikrotik.LACKING,
    ),
    "vyos": Asks(
        image=True,
        host_keys=False,
        physical=True,
        figures=False,
        lacking=routers_vyos.LACKING,
    ),
}
"""By the word of `routers.kind`."""


@reads("routers")
def appliances_bring_their_image_and_keys(stack: Stack) -> Iterator[Problem]:
    """What the program cannot give a machine, the stack must; what it gives, nobody else may."""
    routers = stack.routers
    asks = KINDS[routers.kind]
    # What nobody makes has a key of its own already, whatever the kind.
    keyed = routers.physical if asks.physical else []
    names = [each.name for each in (routers.members if asks.host_keys else keyed)]
    if asks.image and routers.machines and routers.image is None:
        yield problem(
            "routers.image",
            ABSENT,
            f"is missing: no {routers.kind} router starts from proxmox.image",
            "write the appliance's image",
        )
    if asks.image:
        yield from _distributions(routers)
    for name in names:
        if name not in routers.host_keys:
            yield problem(
                f"routers.host_keys.{name}",
                ABSENT,
                "is missing: a router without cloud-init answers with a host key of its own",
                "write its public key, such as: ssh-ed25519 AAAA...",
            )
    for name in routers.host_keys:
        if not names:
            yield problem(
                f"routers.host_keys.{name}",
                ABSENT,
                f"is not for {routers.kind} routers, which the program gives a host key",
                "remove it",
            )
        elif name not in names:
            yield problem(
                f"routers.host_keys.{name}",
                ABSENT,
                "is no router's",
                f"write one of {', '.join(names)}",
            )


def _distributions(routers: Routers) -> Iterator[Problem]:
    """What an appliance's image and machines say of theirs; physical routers' are refused whole."""
    said: dict[str, str | None] = {
        f"routers.machines[{index}]": spec.distribution
        for index, spec in enumerate(routers.machines)
    }
    if routers.image is not None and "distribution" in routers.image.model_fields_set:
        said["routers.image"] = routers.image.distribution
    for path, name in said.items():
        if name is not None:
            yield problem(
                f"{path}.distribution",
                name,
                f"is not for {routers.kind} routers, which bring a system of their own",
                "remove it",
            )


@reads("routers")
def kinds_have_the_machines_they_run_on(stack: Stack) -> Iterator[Problem]:
    """Either virtual machines or physical ones, one at least, as the kind says."""
    routers, asks = stack.routers, KINDS[stack.routers.kind]
    kind = f"routers.kind is {routers.kind}"
    if not asks.virtual and routers.machines:
        yield problem(
            "routers.machines",
            ABSENT,
            f"are virtual machines, and {kind}: such routers are physical",
            "name them under routers.physical",
        )
    elif not asks.physical and routers.physical:
        yield problem(
            "routers.physical",
            ABSENT,
            f"are physical, and {kind}: such routers are virtual machines",
            "write them under routers.machines",
        )
    elif routers.physical and routers.machines:
        yield problem(
            "routers.physical",
            ABSENT,
            "stand beside routers.machines: a pair is of virtual machines or of physical ones",
            "write both routers under one of the two",
        )
    elif not routers.members:
        yield problem(
            "routers.machines" if asks.virtual else "routers.physical",
            ABSENT,
            "is missing",
            "write one router, or a pair",
        )
    if asks.physical and not routers.machines and routers.image is not None:
        yield problem(
            "routers.image",
            ABSENT,
            f"is nobody's: {kind}, and a physical router starts from no image",
            "remove it",
        )


@reads("routers")
def kinds_can_do_what_is_asked(stack: Stack) -> Iterator[Problem]:
    """What is written must be kept: a default asks for nothing."""
    kind = stack.routers.kind
    for key, instead in KINDS[kind].lacking.items():
        able = " or ".join(word for word, asks in KINDS.items() if not asks.lacks(key))
        for path, section, name in _holders(stack.routers, key, "routers"):
            value = getattr(section, name)
            if value != type(section).model_fields[name].get_default(call_default_factory=True):
                plain = isinstance(value, str | int | float)
                listed = isinstance(value, list) and not any(isinstance(e, Strict) for e in value)
                shown = [str(each) for each in value] if listed else ABSENT
                yield problem(
                    path,
                    value if plain else shown,
                    f"cannot be kept: routers.kind is {kind}, and {instead}",
                    f"remove it, or write kind: {able}" if able else "remove it",
                )


def _holders(section: Strict, key: str, path: str) -> Iterator[tuple[str, Strict, str]]:
    """Each place of a key below a section: its path, what it stands in, and its last name."""
    step, _, rest = key.partition(".")
    if not rest:
        yield f"{path}.{step}", section, step
        return
    name = step.removesuffix("[]")
    below = getattr(section, name)
    if isinstance(below, Strict):
        yield from _holders(below, rest, f"{path}.{name}")
    for index, each in enumerate(below if isinstance(below, list) else ()):
        yield from _holders(each, rest, f"{path}.{name}[{index}]")


@reads("routers")
def physical_routers_have_an_interface_for_each_leg(stack: Stack) -> Iterator[Problem]:
    """A leg of its own each, and none without an address."""
    for index, spec in enumerate(stack.routers.physical):
        path, used = f"routers.physical[{index}].interfaces", dict[str, str]()
        for leg, name in spec.interfaces.model_dump().items():
            if name is not None and used.setdefault(name, leg) != leg:
                yield problem(
                    f"{path}.{leg}",
                    name,
                    f"is {spec.name}'s {used[name]} leg already",
                    "give each leg an interface of its own, such as a VLAN on that port",
                )
        if (spec.sync is None) != (spec.interfaces.sync is None):
            address = f"routers.physical[{index}].sync"
            yield problem(
                f"{path}.sync",
                ABSENT if spec.interfaces.sync is None else spec.interfaces.sync,
                f"has no address: {address} is missing"
                if spec.sync is None
                else f"is missing, and {address} is {spec.sync}",
                "write both, or neither",
            )


@reads("networks", "routers")
def the_link_of_physical_routers_is_set_up_by_hand(stack: Stack) -> Iterator[Problem]:
    """No other machine stands on the sync segment, so that its MTU would reach nobody. The WAN's
    does: TCP's segments are cut to it."""
    sync, kind = stack.networks.sync, stack.routers.kind
    if (
        stack.routers.physical
        and sync is not None
        and sync.mtu != Segment.model_fields["mtu"].default
    ):
        yield problem(
            "networks.sync.mtu",
            sync.mtu,
            f"reaches nobody: routers.kind is {kind}, and physical routers' interfaces are set up "
            "by hand",
            "remove it, and set the MTU on both interfaces",
        )


@doubts("routers")
def a_leg_may_be_lost_unnoticed(stack: Stack) -> Iterator[Problem]:
    """VRRP follows the links of the legs, and its own adverts."""
    kind = stack.routers.kind
    if not KINDS[kind].watches and len(stack.routers.members) > 1:
        able = " or ".join(word for word, asks in KINDS.items() if asks.watches)
        yield problem(
            "routers.kind",
            kind,
            "gives up its VIPs when the link of a leg is down, and not when a leg is lost behind "
            "the switch (routers.neighbours)",
            f"see that a cut cable takes the link down, or write kind: {able}",
        )
