"""Routers and the CDN: it can reach what its records lead to, and is let in."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.addresses import PRIVATE, AnyAddress, collapsed, within
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("routers", "cdn")
def public_vips_are_public(stack: Stack) -> Iterator[Problem]:
    """A proxied record must lead to an address the CDN can reach (RFC 1918, RFC 6598, RFC 4193)."""
    if stack.cdn.zone is None:
        return
    for index, vip in enumerate(stack.routers.vips):
        held: dict[str, AnyAddress] = {f"wan[{place}]": each for place, each in enumerate(vip.wan)}
        held |= {f"wan6[{place}]": each for place, each in enumerate(vip.wan6)}
        for key, address in held.items():
            if any(address in private for private in PRIVATE):
                yield problem(
                    f"routers.vips[{index}].{key}",
                    address,
                    "is a private address, which the CDN cannot reach",
                    f"use a public address, or manage no zone (cdn.zone is {stack.cdn.zone})",
                )


@reads("routers", "cdn")
def somebody_of_the_cdn_is_let_in(stack: Stack) -> Iterator[Problem]:
    """Parts of a CDN may be denied, and not all of it."""
    denied, listed = collapsed(stack.routers.deny), stack.cdn.range_list
    if listed and all(any(within(each, network) for network in denied) for each in listed):
        yield problem(
            "routers.deny",
            [str(each) for each in stack.routers.deny],
            "holds all of cdn.range_list: nobody could reach the service",
            "leave some of the CDN's ranges out",
        )
