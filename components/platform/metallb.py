"""MetalLB: addresses for services of type LoadBalancer, announced by ARP.

Source: the chart's values.yaml, 0.15 and 0.16.
"""

from __future__ import annotations

from ipaddress import IPv4Address

from components.platform.addon import Addon, Minted, Object, Site, Webhook

NAMESPACE = "metallb-system"
POOL = "lan"


def addon(site: Site) -> Addon:
    """MetalLB answering ARP for the pool (layer 2); no BGP, so no FRR in any form.

    kubeadm labels control planes as excluded from load balancers: where they take pods, their
    speakers must announce all the same. Speakers use the node's network, which only the privileged
    standard allows.
    """
    return Addon(
        name="metallb",
        namespace=NAMESPACE,
        pod_security="privileged",
        # The chart's own name for what the speakers' gossip is sealed with (its _helpers.tpl). The
        # controller makes it where it is not there, and leaves one that is.
        minted=Minted(name="metallb-memberlist", key="secretkey"),
        chart=site.settings.metallb.chart,
        values={
            "frrk8s": {"enabled": False},
            "speaker": {
                "frr": {"enabled": False},
                "tolerateMaster": True,
                "ignoreExcludeLB": site.control_planes_work,
            },
        },
        objects={
            f"metallb-ipaddresspool-{POOL}": pool(site),
            f"metallb-l2advertisement-{POOL}": advertisement(site),
        },
        webhook=Webhook(
            refusal="MetalLB does not accept its pool",
            logs=f"kubectl -n {NAMESPACE} logs deploy/metallb-controller",
        ),
    )


def pool(site: Site) -> Object:
    """The addresses MetalLB may give to services."""
    ranges = [f"{each.first}-{each.last}" for each in site.settings.metallb.pool]
    return {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": {"name": POOL, "namespace": NAMESPACE},
        "spec": {"addresses": ranges},
    }


def advertisement(site: Site) -> Object:
    """Answer ARP for the pool, on the nodes' LAN legs only."""
    return {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "L2Advertisement",
        "metadata": {"name": POOL, "namespace": NAMESPACE},
        "spec": {"ipAddressPools": [POOL], "interfaces": [site.lan_interface]},
    }


def address_annotations(address: IPv4Address | None) -> dict[str, str]:
    """Annotations of a Service that shall have this very address; none when it may have any."""
    return {} if address is None else {"metallb.io/loadBalancerIPs": str(address)}
