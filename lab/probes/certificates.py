"""No certificate ends soon: neither those that the next `up` renews nor those that nothing does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from lab.probes.edge import demo, public_vips
from lab.probes.result import promise
from lab.probes.world import World
from ops.checks.certificates import BY_HAND, BY_UP, KUBELETS, ending, first_end, renewal
from ops.checks.certificates import Found as Seen

__all__ = ["Seen", "ending", "lasting"]

_KUBEADMS = (
    "/etc/kubernetes/pki/*.crt",
    "/etc/kubernetes/pki/etcd/*.crt",
    "/etc/kubernetes/*.conf",
)


def lasting(world: World) -> str:
    """Every certificate of the chain lasts longer than its renewal window."""
    seen = [*_shown(world), *_on_nodes(world), *_of_the_stack(world)]
    late = ending(seen, datetime.now(UTC))
    promise(not late, "; ".join(late))
    return f"{len(seen)} certificates, the first ends on {first_end(seen):%Y-%m-%d}"


def _shown(world: World) -> Iterator[Seen]:
    host = demo(world).host
    places = [{"address": vip, "port": 443, "host": host} for vip in public_vips(world)]
    for each in world.ask("client", "certificates", {"shown": places}):
        promise(bool(each["pem"]), f"{each['where']} shows no certificate: {each.get('error')}")
        yield Seen(where=each["where"], pem=each["pem"], renewal=BY_HAND)


def _on_nodes(world: World) -> Iterator[Seen]:
    for node in world.nodes:
        for each in world.ask(node, "certificates", {"files": [*_KUBEADMS, KUBELETS]}):
            where = each["where"]
            yield Seen(where=f"{node} {where}", pem=each["pem"], renewal=renewal(where))


def _of_the_stack(world: World) -> Iterator[Seen]:
    files = [str(world.access / "kubeconfig")]
    for each in world.ask("runner", "certificates", {"files": files}):
        yield Seen(where="the kubeconfig", pem=each["pem"], renewal=BY_UP)
    authority = world.outputs.get("certificate_authority")
    if authority:
        yield Seen(where="the stack's authority", pem=str(authority), renewal=BY_UP)
