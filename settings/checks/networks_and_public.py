"""One public address: the provider's subnet has none for the routers themselves, only for VIPs."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from settings.checks.claims import standing
from settings.checks.networks_and_outbound import beyond
from settings.checks.registry import doubts, reads
from settings.checks.routers_kind import KINDS
from settings.models.addresses import BENCHMARKS, DOCUMENTATION, PRIVATE, within
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_KEY = "networks.wan.public"


@reads("networks")
def the_routers_own_range_is_nobodys(stack: Stack) -> Iterator[Problem]:
    """Between the two routers alone, on a wire that others may share."""
    wan = stack.networks.wan
    free = (*PRIVATE, *DOCUMENTATION, BENCHMARKS)
    if wan.public is not None and not any(within(wan.cidr, each) for each in free):
        yield problem(
            "networks.wan.cidr",
            wan.cidr,
            f"is public address space, and with {_KEY} ({wan.public}) it is the routers' own, "
            "which nobody outside answers",
            "write a private range, such as 100.64.0.0/29 (RFC 6598)",
        )


@reads("networks")
def the_provider_and_the_vips_are_on_its_subnet(stack: Stack) -> Iterator[Problem]:
    """And no router is: an address of it would be one more public address."""
    wan = stack.networks.wan
    if wan.public is None:
        return
    if wan.gateway in wan.cidr:
        yield problem(
            "networks.wan.gateway",
            wan.gateway,
            f"is on networks.wan.cidr ({wan.cidr}), the routers' own: {_KEY} is {wan.public}",
            "write the provider's router, on the provider's subnet",
        )
    for path, role, spec in standing(stack):
        if role == "router" and spec.wan is not None and spec.wan in wan.public:
            yield problem(
                f"{path}.wan",
                spec.wan,
                f"is public: {_KEY} ({wan.public}) is for VIPs",
                f"give {spec.name} an address of networks.wan.cidr ({wan.cidr})",
            )


@reads("networks", "routers")
def the_public_address_is_one_groups(stack: Stack) -> Iterator[Problem]:
    """The way out moves with it: two groups on one router would be two ways out."""
    wan, vips = stack.networks.wan, stack.routers.vips
    if wan.public is None:
        return
    for position, address in enumerate(vips[0].wan):
        if address in wan.cidr:
            yield problem(
                f"routers.vips[0].wan[{position}]",
                address,
                f"is on networks.wan.cidr ({wan.cidr}), which is the routers' own: {_KEY} is "
                f"{wan.public}",
                "write the public address",
            )
    if vips[0].routed:
        yield problem(
            "routers.vips[0].routed",
            vips[0].routed,
            f"leaves no VIP on {_KEY} ({wan.public}), which the routers would leave with",
            f"remove one of the two: what is on {_KEY} is on the link",
        )
    for index, vip in enumerate(vips[1:], start=1):
        yield problem(
            f"routers.vips[{index}]",
            vip.name,
            f"is a second group: {_KEY} is {wan.public}, and the way out moves with the first",
            f"write its addresses in {vips[0].name}",
        )


@reads("networks", "routers")
def the_kind_takes_one_public_address(stack: Stack) -> Iterator[Problem]:
    """As the kind says."""
    public, kind = stack.networks.wan.public, stack.routers.kind
    if public is not None and not KINDS[kind].shares:
        able = " or ".join(word for word, asks in KINDS.items() if asks.shares)
        yield problem(
            "routers.kind",
            kind,
            f"needs a public address for each router, and {_KEY} is {public}",
            f"remove {_KEY}, or set routers.kind to {able}",
        )


@reads("networks", "routers")
def providers_speak_with_each_router(stack: Stack) -> Iterator[Problem]:
    """A session is between addresses of both, on one subnet (RFC 4271, 5.1.3)."""
    public, bgp = stack.networks.wan.public, stack.routers.bgp
    if public is not None and bgp is not None and bgp.upstream:
        yield problem(
            "routers.bgp.upstream",
            ABSENT,
            f"needs a public address for each router, and {_KEY} is {public}",
            "remove one of the two",
        )


@doubts("networks", "routers", "software")
def a_first_router_reaches_its_packages(stack: Stack) -> Iterator[Problem]:
    """It installs keepalived, which gives it the way out."""
    public = stack.networks.wan.public
    if public is None or not KINDS[stack.routers.kind].shares:
        return
    for index, repository in enumerate(stack.software.repositories):
        hosts = [urlsplit(uri).hostname or "" for uri in repository.uris]
        outside = [host for host in hosts if beyond(stack.networks, host)[0]]
        if outside:
            yield problem(
                _KEY,
                public,
                f"leaves a first router no way to {outside[0]} (software.repositories[{index}]), "
                "from which it installs what gives it one",
                "start the routers from an image that has their packages, or serve packages on "
                "the management network",
            )
            return
