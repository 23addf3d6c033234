"""Cross-field sense of the platform, before the cluster is touched."""

from __future__ import annotations

from components.platform.args import PlatformArgs


def verify(args: PlatformArgs) -> list[str]:
    """Every problem, as one sentence each; empty when the platform makes sense."""
    problems: list[str] = []
    lan = args.networks.lan.cidr
    ranges = args.settings.metallb.pool
    for each in ranges:
        problems += [
            f"platform.metallb.pool: {address} is not in the LAN {lan}; in layer 2 the pool must be"
            for address in (each.first, each.last)
            if address not in lan
        ]
    wanted = args.settings.ingress.load_balancer_ip
    if wanted is not None and not any(each.first <= wanted <= each.last for each in ranges):
        listed = ", ".join(f"{each.first}-{each.last}" for each in ranges)
        problems.append(
            f"platform.ingress.load_balancer_ip: {wanted} is not in MetalLB's pool ({listed})"
        )
    ports = args.settings.ingress.node_ports
    decided = {
        name: port
        for name, port in (("http", ports.http), ("https", ports.https), ("health", ports.health))
        if port is not None
    }
    if len(set(decided.values())) != len(decided):
        shown = ", ".join(f"{name} {port}" for name, port in decided.items())
        problems.append(
            f"platform.ingress.node_ports: two of {shown} are the same; each needs a port of its "
            "own"
        )
    if not args.trusted:
        problems.append("the platform knows no balancer: nobody's PROXY header would be believed")
    if "lan" not in args.control_plane.addresses:
        problems.append(f"{args.control_plane.name}: a control plane needs a LAN address")
    return problems
