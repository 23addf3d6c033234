"""Promises of the CDN's edge, where one stands in front: names, rules, who may call the origin."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from lab.probes.edge import authority, demo, public_vips, request
from lab.probes.result import promise
from lab.probes.world import Edge, World

Seen = Callable[[World, Edge], str]
STATUS = "CF-Cache-Status"


def _where_there_is_one(look: Seen) -> Callable[[World], str]:
    @wraps(look)
    def looked(world: World) -> str:
        return "no edge in front" if world.edge is None else look(world, world.edge)

    return looked


@_where_there_is_one
def names(world: World, edge: Edge) -> str:
    """Names of the service lead to the edge, others where they are said to lead."""
    settings = world.stack.cdn
    wanted = {name: [edge.address] for name in settings.records if not name.startswith("*")}
    wanted |= {each.name: [each.content] for each in settings.unproxied if each.type == "A"}
    seen = world.ask("client", "resolve", {"server": edge.address, "names": list(wanted)})
    promise(seen == wanted, f"the name server says {seen}, not {wanted}")
    return ", ".join(f"{name} is {', '.join(each)}" for name, each in wanted.items())


@_where_there_is_one
def rules(world: World, edge: Edge) -> str:
    """A path that a cache rule keeps is answered once by a pod and then by the edge; one that a
    firewall rule closes, and no other, by the edge alone."""
    path = f"/kept/{secrets.token_hex(8)}"
    first, second, other, closed = (
        _asked(world, edge, each) for each in (path, path, "/beside", "/closed")
    )
    told = [each["shown"][STATUS] for each in (first, second, other)]
    promise(told == ["MISS", "HIT", None], f"{STATUS} of {path} twice and of /beside: {told}")
    promise(first["json"] == second["json"], "the second answer is not the one that was kept")
    promise(closed["status"] == 403, f"/closed: {closed['status']}, not 403")
    return f"{path} was kept, /closed is closed"


def _asked(world: World, edge: Edge, path: str) -> Any:
    (answer,) = request(
        world, "client", edge.address, tls=True, ca=authority(world), path=path, shows=[STATUS]
    )
    promise(path == "/closed" or answer["status"] == 200, f"{path}: {answer}")
    return answer


@_where_there_is_one
def only_the_cdn(world: World, edge: Edge) -> str:
    """From an address of the CDN's, but without the certificate that it shows, nobody is answered:
    that is any other customer of it."""
    refused = []
    for vip in public_vips(world):
        (answer,) = request(world, "client", vip, tls=True, ca=None)
        promise(
            answer["status"] == 0 and "certificate" in answer["error"].lower(),
            f"{vip} answers who shows no certificate: {answer['status']} {answer['error']}",
        )
        refused.append(f"{vip}: {answer['error']}")
    promise(demo(world).host in world.stack.cdn.records, "the demo's name does not lead to the CDN")
    return f"through {edge.address} alone; {'; '.join(refused)}"
