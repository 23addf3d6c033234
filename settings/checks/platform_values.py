"""Chart values: what a stack adds may not undo what the chain stands on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from settings.checks.decided import Decided, off, on, only, undone
from settings.checks.registry import doubts, reads
from settings.models.charts import Chart, FurtherChart
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import ABSENT, Problem, problem

_SAID_BY_BALANCERS = "is the balancers' VIP, which the program writes"
_TWO_ANNOUNCERS = "announces addresses beside MetalLB: two would answer for one"

CILIUM: Final = (
    Decided(
        keys=("kubeProxyReplacement",),
        why="leaves nobody to serve NodePorts: kubeadm installs no kube-proxy",
        allowed=on,
        right="remove it or write true",
    ),
    Decided(keys=("k8sServiceHost",), why=_SAID_BY_BALANCERS),
    Decided(keys=("k8sServicePort",), why=_SAID_BY_BALANCERS),
    Decided(
        keys=("routingMode",),
        why="is not how the pods are routed: natively, over one LAN",
        allowed=only("native"),
        right="remove it or write native",
    ),
    Decided(keys=("tunnel",), why="is not how the pods are routed", allowed=off),
    Decided(keys=("autoDirectNodeRoutes",), why="leaves nodes without routes", allowed=on),
    Decided(keys=("ipv4NativeRoutingCIDR",), why="is networks.pods, which the program writes"),
    Decided(
        keys=("ipam", "mode"),
        why="gives pods other addresses than networks.pods, Cilium's 10.0.0.0/8 for one",
        allowed=only("kubernetes"),
        right="remove it or write kubernetes",
    ),
    Decided(keys=("devices",), why="is the nodes' LAN leg, which the program writes"),
    Decided(keys=("l2announcements", "enabled"), why=_TWO_ANNOUNCERS, allowed=off),
    Decided(keys=("bgpControlPlane", "enabled"), why=_TWO_ANNOUNCERS, allowed=off),
    Decided(keys=("bgp", "enabled"), why=_TWO_ANNOUNCERS, allowed=off),
    Decided(keys=("ipv4", "enabled"), why="leaves pods no address", allowed=on),
    Decided(keys=("ipv6", "enabled"), why="needs IPv6, which the routers drop", allowed=off),
    Decided(keys=("nodePort", "enabled"), why="leaves nobody to serve NodePorts", allowed=on),
    Decided(
        keys=("enableIPv4Masquerade",),
        why="sends pods' own addresses out, which nothing outside routes back",
        allowed=on,
    ),
)
_IN_CONFIG: Final[dict[str, Callable[[Any], bool]]] = {
    "auto-direct-node-routes": on,
    "bgp-announce-lb-ip": off,
    "cluster-pool-ipv4-cidr": off,
    "devices": off,
    "enable-bgp-control-plane": off,
    "enable-ipv4": on,
    "enable-ipv4-masquerade": on,
    "enable-ipv6": off,
    "enable-l2-announcements": off,
    "enable-node-port": on,
    "ipam": only("kubernetes"),
    "ipv4-native-routing-cidr": off,
    "kube-proxy-replacement": on,
    "routing-mode": only("native"),
    "tunnel": off,
}
"""The same by their names in the agent's own configuration."""
METALLB_L2: Final = (
    Decided(
        keys=("frrk8s", "enabled"),
        why="starts a BGP daemon, and the pool is announced by ARP (L2)",
        allowed=off,
        right="remove it or write false",
    ),
    Decided(
        keys=("speaker", "frr", "enabled"),
        why="starts a BGP daemon in the speakers, and the pool is announced by ARP (L2)",
        allowed=off,
        right="remove it or write false",
    ),
)
METALLB_BGP: Final = (
    Decided(keys=("frrk8s", "enabled"), why="follows routers.bgp.inside.bfd"),
    Decided(
        keys=("speaker", "frr", "enabled"),
        why="starts a second BGP daemon in the speakers",
        allowed=off,
        right="remove it or write false",
    ),
)
"""By the mode."""
METALLB: Final = (
    Decided(keys=("speaker", "enabled"), why="leaves nobody to announce the pool", allowed=on),
    Decided(keys=("speaker", "ignoreExcludeLB"), why="follows schedule_on_control_planes"),
    Decided(keys=("speaker", "tolerateMaster"), why="keeps speakers off nodes", allowed=on),
    Decided(keys=("controller", "enabled"), why="leaves nobody to give addresses", allowed=on),
    Decided(keys=("crds", "enabled"), why="leaves the pool without its kind", allowed=on),
    Decided(keys=("configInline",), why="is no configuration since 0.13: the pool is an object"),
    Decided(keys=("loadBalancerClass",), why="makes MetalLB pass the ingress over"),
)


@reads("platform")
def cilium_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """The pod network, in place of kube-proxy."""
    path, values = "platform.cilium.values", stack.platform.cilium.values
    yield from undone(path, values, CILIUM)
    why = "is decided by the program, under another name"
    table = [
        Decided(keys=("extraConfig", key), why=why, allowed=allowed)
        for key, allowed in _IN_CONFIG.items()
    ]
    yield from undone(path, values, table)
    given = values.get("extraArgs", [])
    for index, each in enumerate(given if isinstance(given, list) else []):
        name, _, value = str(each).lstrip("-").partition("=")
        if name in _IN_CONFIG and not _IN_CONFIG[name](value):
            yield problem(f"{path}.extraArgs[{index}]", each, "sets what is decided", "remove it")


@reads("platform")
def metallb_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """Who announces addresses, and how."""
    metallb = stack.platform.metallb
    table = (*(METALLB_BGP if metallb.mode == "bgp" else METALLB_L2), *METALLB)
    yield from undone("platform.metallb.chart.values", metallb.chart.values, table)


_SECRET = re.compile(r"(?i)(^|[_a-z-])(password|passwd|secret_?key|token|api_?key|private_?key)$")


@doubts("platform")
def values_hold_no_secrets(stack: Stack) -> Iterator[Problem]:
    """A chart's values stand in the stack file and in the release, in clear."""
    for path, chart in walk(stack, Chart):
        if isinstance(chart, FurtherChart):
            continue
        for here in likely_secrets(f"{path}.values", chart.values):
            yield problem(
                here,
                ABSENT,
                "reads like a secret, in clear text",
                "name a Secret of the cluster instead, if the chart can",
            )


def likely_secrets(path: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Where in these values something reads like a secret."""
    for here, key, value in _leaves(path, values):
        if _SECRET.search(key) and isinstance(value, str) and value and "{{" not in value:
            yield here


def _leaves(path: str, value: Any, key: str = "") -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _leaves(f"{path}.{name}", each, str(name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _leaves(f"{path}[{index}]", each, key)
    else:
        yield path, key, value
