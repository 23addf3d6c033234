"""What stands in the file of the platform, of the CDN, and of backups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from settings.checks.balancers_and_cdn import ADDED
from settings.checks.platform_ingress import INGRESS
from settings.init.ingress import INGRESSES
from settings.init.plan.machines import Row
from settings.init.plan.routers import speaks_inside
from settings.init.questions.platform import NOT
from settings.init.questions.question import NONE, Answers, items_of
from settings.models.balancers import Sizes
from settings.models.cdn import CDN_KINDS, CdnTraits
from settings.models.monitoring import RECEIVER_KINDS
from settings.models.platform import Ingress
from settings.pinned import CHARTS

_RECEIVER: Final = "operators"
_URL: Final = 8
"""KiB of a URL, where it must be less than by default."""


@dataclass(frozen=True, kw_only=True)
class PlatformPlan:
    """Of the sections `topology` (its word, and the way it is in words) and `platform`.
    `announced`: the pool's addresses go to the routers by BGP; `cilium`, `metallb` and `monitoring`
    are charts; `sizes`: those of a request, where the ingress controller takes less than the
    balancers do by default."""

    topology: str
    way: str
    announced: bool
    cilium: Row
    metallb: Row
    monitoring: Row
    pool: Row
    ingress: Row
    sizes: Row | None
    receivers: list[Row] | None


@dataclass(frozen=True, kw_only=True)
class CdnPlan:
    """Of the section `cdn`, and of its kind."""

    kind: str
    traits: CdnTraits
    zone: str
    ranges: list[str]
    header: str
    limits: Row | None


@dataclass(frozen=True, kw_only=True)
class BackupPlan:
    """Of `cluster.backups`; the certificate's lines."""

    recipient: list[str]
    url: str
    host_keys: list[str]


def platform(given: Answers, row: tuple[str, str]) -> PlatformPlan:
    """What the answers come to; `row` are the ends of the LAN's own pool."""
    default = str(Ingress.model_fields["kind"].default)
    chosen = INGRESSES.get(given["ingress"], INGRESSES[default])
    first, last = pool(given) or row
    announced = speaks_inside(given)
    # Announced by ARP, nothing needs the daemon that speaks BGP.
    lean = {} if announced else {"values": {"frrk8s": {"enabled": False}}}
    return PlatformPlan(
        topology=chosen.topology,
        way=chosen.way,
        announced=announced,
        cilium=CHARTS["cilium"].section(),
        metallb=CHARTS["metallb"].section(**lean),
        monitoring=CHARTS["kube-prometheus-stack"].section(),
        pool={"first": first, "last": last},
        ingress={**chosen.section(given["ingress"], default), "load_balancer_ip": first},
        sizes=_sizes(given),
        receivers=None if given["monitoring"] == NOT else [_receiver(given)],
    )


def pool(given: Answers) -> tuple[str, str] | None:
    """The ends of a pool that was asked for."""
    if not speaks_inside(given):
        return None
    first, _, last = given["pool"].partition("-")
    return first.strip(), last.strip()


def _sizes(given: Answers) -> Row | None:
    """Together no more than the ingress controller takes; None where the defaults are none."""
    rules = INGRESS.get(given["ingress"])
    by_default = Sizes()
    if rules is None or rules.request is None:
        return None
    if by_default.headers + by_default.url <= rules.request:
        return None
    return {"headers": rules.request - _URL, "url": _URL}


def _receiver(given: Answers) -> Row:
    kind = given["monitoring"]
    traits = RECEIVER_KINDS.get(kind)
    if traits is None or not traits.mails:
        return {"name": _RECEIVER, "kind": kind}
    login = given["alerts-login"]
    return {
        **{"name": _RECEIVER, "kind": kind, "to": items_of(given["alerts-to"])},
        **{"sender": given["alerts-from"], "server": given["alerts-server"]},
        **({} if login == NONE else {"username": login}),
    }


def cdn(given: Answers) -> CdnPlan:
    """What the answers come to."""
    sizes = _sizes(given)
    return CdnPlan(
        kind=given["cdn"],
        traits=CDN_KINDS.get(given["cdn"], CdnTraits(called=given["cdn"], present=False)),
        zone=given.get("zone", ""),
        ranges=items_of(given.get("cdn-ranges", NONE)),
        header=given.get("client-header", ""),
        limits=None if sizes is None else {**sizes, "headers": sizes["headers"] - ADDED},
    )


def backups(given: Answers) -> BackupPlan | None:
    """What the answers come to; None where none are shipped."""
    if given["backups"] == NONE:
        return None
    return BackupPlan(
        recipient=given["backups-recipient"].splitlines(),
        url=given["backups"],
        host_keys=items_of(given["backups-keys"]),
    )
