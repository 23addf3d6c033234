"""No certificate ends soon: neither those that the next `up` renews nor those that nothing does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

from lab.probes.edge import demo, public_vips
from lab.probes.result import promise
from lab.probes.world import World
from settings.models import renewal_hours

_HOUR = timedelta(hours=1)
_KUBEADMS = (
    "/etc/kubernetes/pki/*.crt",
    "/etc/kubernetes/pki/etcd/*.crt",
    "/etc/kubernetes/*.conf",
)
_KUBELETS = "/var/lib/kubelet/pki/kubelet-client-current.pem"
_BY_UP = "the next `up` renews it"
_BY_KUBEADM = "run `kubeadm certs renew all` there and restart its control plane's pods"
_BY_KUBELET = "the kubelet renews it by itself: read `journalctl -u kubelet` there"
_BY_HAND = "`up` renews it unless it is a given one: then set its successor"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A certificate (PEM) where it was found, and who makes its successor."""

    where: str
    pem: str
    renewal: str


def lasting(world: World) -> str:
    """Every certificate of the chain lasts longer than its renewal window."""
    seen = [*_shown(world), *_on_nodes(world), *_of_the_stack(world)]
    late = ending(seen, datetime.now(UTC))
    promise(not late, "; ".join(late))
    first = min(_read(each).not_valid_after_utc for each in seen)
    return f"{len(seen)} certificates, the first ends on {first:%Y-%m-%d}"


def ending(seen: list[Seen], now: datetime) -> list[str]:
    """A sentence for each that is over, or within its last 30 days (a third of a short life)."""
    found = []
    for each in seen:
        certificate = _read(each)
        ends = certificate.not_valid_after_utc
        life = ends - certificate.not_valid_before_utc
        if ends - now > renewal_hours(life // _HOUR) * _HOUR:
            continue
        left = (ends - now).days
        when = f"in {left} days" if ends > now else "over"
        name = certificate.subject.rfc4514_string() or "no name"
        found.append(f"{each.where} ({name}) ends on {ends:%Y-%m-%d}, {when}: {each.renewal}")
    return found


def _read(seen: Seen) -> x509.Certificate:
    return x509.load_pem_x509_certificate(seen.pem.encode())


def _shown(world: World) -> Iterator[Seen]:
    host = demo(world).host
    places = [{"address": vip, "port": 443, "host": host} for vip in public_vips(world)]
    for each in world.ask("client", "certificates", {"shown": places}):
        promise(bool(each["pem"]), f"{each['where']} shows no certificate: {each.get('error')}")
        yield Seen(where=each["where"], pem=each["pem"], renewal=_BY_HAND)


def _on_nodes(world: World) -> Iterator[Seen]:
    for node in world.nodes:
        for each in world.ask(node, "certificates", {"files": [*_KUBEADMS, _KUBELETS]}):
            renewal = _BY_KUBELET if each["where"] == _KUBELETS else _BY_KUBEADM
            yield Seen(where=f"{node} {each['where']}", pem=each["pem"], renewal=renewal)


def _of_the_stack(world: World) -> Iterator[Seen]:
    files = [str(world.access / "kubeconfig")]
    for each in world.ask("runner", "certificates", {"files": files}):
        yield Seen(where="the kubeconfig", pem=each["pem"], renewal=_BY_UP)
    authority = world.outputs.get("certificate_authority")
    if authority:
        yield Seen(where="the stack's authority", pem=str(authority), renewal=_BY_UP)
