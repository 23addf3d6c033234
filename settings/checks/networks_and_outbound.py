"""Networks and what the routers let out: whom the stack itself depends on is reached."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import ranges
from settings.checks.registry import reads
from settings.models.addresses import Address, address, is_address, within
from settings.models.networks import Networks
from settings.models.stack import Stack
from settings.problems import Problem, problem

_KEY = "routers.outbound"


def beyond(networks: Networks, given: str) -> tuple[bool, Address | None]:
    """Whether a server by its name or address is reached through the routers, and its address; a
    name's is not known here, and may be anywhere."""
    if not is_address(given):
        return True, None
    there = address(given)
    on_a_leg = [
        network
        for path, network in ranges(networks)
        if path not in ("networks.pods", "networks.services") and ".wan." not in path
    ]
    return not any(there in network for network in on_a_leg), there


@reads("networks", "routers")
def resolvers_and_clocks_are_reached(stack: Stack) -> Iterator[Problem]:
    """Every machine asks them through the routers, unless they stand on a leg of its own. Names are
    asked for by UDP, and by TCP when the answer is long (RFC 7766)."""
    outbound, networks = stack.routers.outbound, stack.networks
    if not outbound:
        return
    asked = [
        *(("resolvers", index, str(each), ("udp", "tcp"), 53)
          for index, each in enumerate(networks.resolvers)),
        *(("ntp", index, each, ("udp",), 123) for index, each in enumerate(networks.ntp)),
    ]  # fmt: skip
    lacking: dict[tuple[str, int], list[str]] = {}
    for key, index, server, protocols, port in asked:
        through, there = beyond(networks, server)
        for protocol in protocols if through else ():
            if not any(each.lets(protocol, port, there) for each in outbound):
                told = f"{server} (networks.{key}[{index}])"
                lacking.setdefault((protocol, port), []).append(told)
    for (protocol, port), servers in lacking.items():
        yield problem(
            _KEY,
            [each.name for each in outbound],
            f"let nothing out to {' and '.join(servers)} by {protocol.upper()} {port}, and every "
            "machine needs it",
            f"add a rule with protocol: {protocol} and ports: [{port}]",
        )


@reads("networks", "routers", "balancers")
def log_servers_are_reached(stack: Stack) -> Iterator[Problem]:
    """Else what the balancers would send to them only waits."""
    outbound, logging = stack.routers.outbound, stack.balancers.logging
    for index, each in enumerate(logging.servers if outbound and logging else []):
        through, there = beyond(stack.networks, str(each.address))
        if through and not any(rule.lets("tcp", each.port, there) for rule in outbound or ()):
            yield problem(
                _KEY,
                [rule.name for rule in outbound or ()],
                f"let nothing out to {each.address} (balancers.logging.servers[{index}]) by "
                f"TCP {each.port}, where the access log goes",
                f"add a rule with ports: [{each.port}] and to: [{each.address}/32]",
            )


@reads("networks", "routers", "cluster")
def backups_are_let_out(stack: Stack) -> Iterator[Problem]:
    """Else no control plane ships one."""
    outbound, backups = stack.routers.outbound, stack.cluster.backups
    if not outbound or backups is None:
        return
    host, port = backups.ssh.host, backups.ssh.port
    through, there = beyond(stack.networks, host)
    if through and not any(rule.lets("tcp", port, there) for rule in outbound):
        yield problem(
            _KEY,
            [rule.name for rule in outbound],
            f"let nothing out to {host} (cluster.backups.ssh.url) by TCP {port}, where the "
            "cluster's backups go",
            f"add a rule with ports: [{port}]",
        )


@reads("networks", "routers")
def outbound_leads_outside(stack: Stack) -> Iterator[Problem]:
    """What is inside is never reached by the WAN."""
    inside = [each for each in ranges(stack.networks) if ".wan." not in each[0]]
    for index, each in enumerate(stack.routers.outbound or ()):
        for place, network in enumerate(each.to):
            for path, own in inside:
                if within(network, own):
                    yield problem(
                        f"{_KEY}[{index}].to[{place}]",
                        network,
                        f"is inside {path} ({own}), which is not reached through the WAN",
                        "write a network outside the stack, or remove it",
                    )
