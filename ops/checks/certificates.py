"""How long certificates last: those that the next `up` renews, and others. Pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from components.host.baseline.certificates import FILES
from components.loadbalancers.model import ORDERED
from ops.checks.model import Check, Seen, Verdict, plural, texts
from ops.question import Machine, Question
from ops.site import Site
from settings.models import NO_CERTIFICATE, renewal_hours

_HOUR = timedelta(hours=1)
KUBELETS = "/var/lib/kubelet/pki/kubelet-client-current.pem"
_SITE = "/etc/haproxy/"
_EMBEDDED = re.compile(r"client-certificate-data:\s*([A-Za-z0-9+/=]+)")
BY_UP = "the next `up` renews it"
BY_KUBEADM = "run `kubeadm certs renew all` there and restart its control plane's pods"
BY_KUBELET = "the kubelet renews it by itself: read `journalctl -u kubelet` there"
BY_BALANCER = "the balancer renews it by itself: read `journalctl -u layered-certbot` there"
BY_HAND = "`up` renews it unless it is a given one: then set its successor"

LYING = Question(name="certificates", kind="certificates", more={"globs": list(FILES)})
SHOWN = "shown certificate"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A certificate (PEM) where it was found, and who makes its successor."""

    where: str
    pem: str
    renewal: str


def read(found: Found) -> x509.Certificate:
    """Raises `ValueError` for what is none."""
    return x509.load_pem_x509_certificate(found.pem.encode())


def ending(found: Iterable[Found], now: datetime) -> list[str]:
    """A sentence for each that is over, or within its last 30 days (a third of a short life)."""
    told = []
    for each in found:
        certificate = read(each)
        ends = certificate.not_valid_after_utc
        life = ends - certificate.not_valid_before_utc
        if ends - now > renewal_hours(life // _HOUR) * _HOUR:
            continue
        left = (ends - now).days
        when = f"in {left} days" if ends > now else "over"
        name = certificate.subject.rfc4514_string() or "no name"
        told.append(f"{each.where} ({name}) ends on {ends:%Y-%m-%d}, {when}: {each.renewal}")
    return told


def renewal(path: str) -> str:
    """Who makes the successor of the certificate in a machine's file."""
    if path.startswith(_SITE):
        return BY_BALANCER if path.startswith(ORDERED) else BY_HAND
    return BY_KUBELET if path == KUBELETS else BY_KUBEADM


def on_machines(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Found]:
    """Those in machines' files, by machine; each once, though a bundle has its authority too."""
    for name, listed in rows.items():
        for each in listed:
            yield Found(
                where=f"{name} {each['where']}", pem=each["pem"], renewal=renewal(each["where"])
            )


def of_kubeconfig(text: str) -> Iterator[Found]:
    """Those that a kubeconfig holds."""
    for each in _EMBEDDED.findall(text):
        pem = base64.b64decode(each).decode()
        yield Found(where="the kubeconfig", pem=pem, renewal=BY_UP)


def first_end(found: Iterable[Found]) -> datetime:
    """When the first of them ends."""
    return min(read(each).not_valid_after_utc for each in found)


def _shown(site: Site, machine: Machine) -> Sequence[Question]:
    # The holder connects to itself, its peer over the LAN: both ways end in the same frontend.
    if machine.role != "balancer":
        return ()
    names = [each for each in site.stack.balancers.certificate.names if not each.startswith("*")]
    host = names[0] if names else site.stack.balancers.certificate.names[0].replace("*", "www", 1)
    vip = str(site.stack.balancers.vips[0].lan[0])
    more = {"address": vip, "port": 443, "host": host}
    return (Question(name=SHOWN, kind="shown", more=more, seconds=8),)


def _asks(site: Site, machine: Machine) -> Sequence[Question]:
    return (LYING, *_shown(site, machine))


def everything(seen: Seen) -> tuple[list[Found], list[str]]:
    """All certificates that were seen, and what could not be."""
    lying, wrong = texts(seen, LYING.name)
    found = list(on_machines({name: json.loads(text) for name, text in lying.items()}))
    shown, more = texts(seen, SHOWN)
    wrong += [each.replace(": ", ": HTTPS shows no certificate: ", 1) for each in more]
    ordered = seen.site.stack.balancers.certificate.ordered is not None
    for name, text in shown.items():
        (row,) = json.loads(text)
        where = f"{row['where']}, as {name} is shown it,"
        each = Found(where=where, pem=row["pem"], renewal=BY_BALANCER if ordered else BY_HAND)
        found.append(each)
        if NO_CERTIFICATE in read(each).subject.rfc4514_string():
            wrong.append(f"{where} is a placeholder: {BY_BALANCER.replace('renews', 'orders')}")
    outputs = seen.site.outputs
    found += of_kubeconfig(str(outputs.get("kubeconfig") or ""))
    if authority := outputs.get("certificate_authority"):
        found.append(Found(where="the stack's authority", pem=str(authority), renewal=BY_UP))
    return found, wrong


def judge(seen: Seen) -> Verdict:
    """Served ones, the cluster's, the kubeconfig's."""
    found, wrong = everything(seen)
    wrong += ending(found, seen.now)
    if not found:
        return Verdict(wrong=(*wrong, "no certificate was found"))
    first = first_end(found)
    said = f"{plural(len(found), 'certificate')}, the first ends on {first:%Y-%m-%d}"
    return Verdict(wrong=tuple(wrong), said=said)


CHECK = Check(
    name="no certificate ends soon",
    layer="machines",
    asks=_asks,
    judge=judge,
    remedy="renew it as is said beside each",
    page="docs/cluster.md#certificates",
)
