"""MetalLB: addresses for services of type LoadBalancer, announced by ARP or by BGP.

Source: the chart's values.yaml, 0.15 and 0.16; the kinds in its crds chart.
"""

from __future__ import annotations

from ipaddress import IPv4Address

from components.host.bgp import Neighbours, Peering
from components.platform.addon import Addon, Minted, Object, Rotated, Site, Values, Webhook

NAMESPACE = "metallb-system"
POOL = "lan"
ROUTERS = "routers"
"""What the BGP advertisement, the BFD profile and the Secret of the password are called."""

# The chart's own name for what the speakers' gossip is sealed with (its _helpers.tpl). The
# controller makes it where it is not there, and leaves one that is.
GOSSIP = Minted(name="metallb-memberlist", key="secretkey")

# Names of the chart's webhooks.yaml, and of the controller's internal/k8s/k8s.go.
WEBHOOK = Rotated(
    name="metallb-webhook-cert",
    host=f"metallb-webhook-service.{NAMESPACE}.svc",
    release="metallb",
    authority="cert",
)

SOON: Values = {
    **{"initialDelaySeconds": 1, "periodSeconds": 2, "failureThreshold": 15},
    **{"successThreshold": 1, "timeoutSeconds": 1},
}
"""A readiness probe that asks early and is as patient as the chart's own (30 s); whole, as the
chart's schema wants it."""


def addon(site: Site) -> Addon:
    """MetalLB answering ARP for the pool (layer 2; no FRR in any form), or announcing it to the
    routers by BGP.

    The speakers' own BGP knows neither BFD nor a keepalive time (MetalLB, "native" validation), so
    BFD brings frr-k8s. kubeadm labels control planes as excluded from load balancers: where they
    take pods, their speakers must announce all the same. Speakers use the node's network, which
    only the privileged standard allows.
    """
    inside = _inside(site)
    return Addon(
        name="metallb",
        namespace=NAMESPACE,
        pod_security="privileged",
        minted=(GOSSIP, WEBHOOK),
        chart=site.settings.metallb.chart,
        values={
            "frrk8s": {"enabled": inside is not None and inside.bfd},
            "controller": {"readinessProbe": SOON},
            "speaker": {
                "readinessProbe": SOON,
                "frr": {"enabled": False},
                "tolerateMaster": True,
                "ignoreExcludeLB": site.control_planes_work,
            },
        },
        passwords={} if inside is None or inside.secret is None else {ROUTERS: inside.secret},
        objects={
            f"metallb-ipaddresspool-{POOL}": pool(site),
            **(
                {f"metallb-l2advertisement-{POOL}": advertisement(site)}
                if inside is None or site.peering is None
                else sessions(site.peering, inside)
            ),
        },
        webhook=Webhook(
            refusal="MetalLB does not accept its pool",
            logs=f"kubectl -n {NAMESPACE} logs deploy/metallb-controller",
        ),
    )


def pool(site: Site) -> Object:
    """The addresses MetalLB may give to services."""
    ranges = [f"{each.first}-{each.last}" for each in site.settings.metallb.pool]
    return _object("v1beta1", "IPAddressPool", POOL, {"addresses": ranges})


def advertisement(site: Site) -> Object:
    """Answer ARP for the pool, on the nodes' LAN legs only."""
    spec = {"ipAddressPools": [POOL], "interfaces": [site.lan_interface]}
    return _object("v1beta1", "L2Advertisement", POOL, spec)


def sessions(peering: Peering, inside: Neighbours) -> dict[str, Object]:
    """The nodes' end of their sessions with the routers, and what is announced over them: each
    address by itself, which is what the routers take."""
    found = {}
    if inside.bfd:
        profile = {
            "receiveInterval": peering.bfd.interval,
            "transmitInterval": peering.bfd.interval,
            "detectMultiplier": peering.bfd.multiplier,
        }
        found[f"metallb-bfdprofile-{ROUTERS}"] = _object("v1beta1", "BFDProfile", ROUTERS, profile)
    for router in peering.routers[inside.network]:
        spec: Object = {
            "myASN": inside.asn,
            "peerASN": router.asn,
            "peerAddress": str(router.address),
            "holdTime": f"{peering.hold}s",
        }
        if inside.bfd:
            spec |= {"keepaliveTime": f"{peering.keepalive}s", "bfdProfile": ROUTERS}
        if inside.secret is not None:
            spec["passwordSecret"] = {"name": ROUTERS, "namespace": NAMESPACE}
        name = f"metallb-bgppeer-{router.name}"
        found[name] = _object("v1beta2", "BGPPeer", router.name, spec)
    announced = {"ipAddressPools": [POOL], "aggregationLength": 32}
    name = f"metallb-bgpadvertisement-{POOL}"
    found[name] = _object("v1beta1", "BGPAdvertisement", POOL, announced)
    return found


def _inside(site: Site) -> Neighbours | None:
    if site.settings.metallb.mode != "bgp" or site.peering is None:
        return None
    return site.peering.inside


def _object(version: str, kind: str, name: str, spec: Object) -> Object:
    return {
        "apiVersion": f"metallb.io/{version}",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }


def address_annotations(address: IPv4Address | None) -> dict[str, str]:
    """Annotations of a Service that shall have this very address; none when it may have any."""
    return {} if address is None else {"metallb.io/loadBalancerIPs": str(address)}
