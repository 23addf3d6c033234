"""Cilium's own ingress controller: what a stack may not undo of its values, which are of Cilium's
chart, and what that chart cannot say.

Sources: the chart's values.yaml and templates, 1.17 to 1.20; Envoy's HTTP connection manager
(max_request_headers_kb, idle_timeout); MetalLB's speakers (layer 2, externalTrafficPolicy).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from settings.checks.decided import Decided, off, on, only
from settings.checks.platform_ingress_rules import IngressRules, Leaving, traffic_policy
from settings.checks.registry import reads
from settings.models.platform import Ingress
from settings.models.stack import Stack
from settings.problems import Problem, problem

_TRUSTED = "says who names clients' addresses, which are the balancers alone"
_SERVICE = "is not the kind of service the balancers and the pool need"
_BY_ADDRESS = "is said by platform.ingress.load_balancer_ip"
_SHOWN = "takes the place of what the balancers' checks are shown"
_INGRESS = ("ingressController",)
_ON_THE_SERVICE = (*_INGRESS, "service")
_SINCE: Final = (1, 19)
"""The first release whose chart has all that the program writes: streamIdleTimeoutDurationSeconds
is of an Ingress from 1.19 on, bpf.lbSourceRangeAllTypes there since 1.17."""
_IDLE_SECONDS: Final = 3600
"""How long Envoy keeps an idle connection (idle_timeout), which nothing in the chart changes."""


def decided(ingress: Ingress) -> tuple[Decided, ...]:
    """What the program decides of the chart's values."""
    ports = ingress.node_ports
    table = [
        traffic_policy(ingress, *_ON_THE_SERVICE, "externalTrafficPolicy"),
        Decided(keys=("l7Proxy",), why="leaves no Envoy to serve an Ingress", allowed=on),
        Decided(keys=("bpf", "lbSourceRangeAllTypes"), why=_TRUSTED, allowed=on),
        Decided(
            keys=("envoy", "enabled"),
            why="puts Envoy into Cilium's agent, with which it would be restarted",
            allowed=on,
        ),
        Decided(keys=(*_INGRESS, "enabled"), why="leaves no ingress at all", allowed=on),
        Decided(
            keys=(*_INGRESS, "loadbalancerMode"),
            why="gives each Ingress a Service of its own, which nobody leads to",
            allowed=only("shared"),
        ),
        Decided(
            keys=(*_INGRESS, "hostNetwork", "enabled"),
            why="has Envoys listen on every leg of the nodes, to whoever connects, and leaves the "
            "Service without NodePorts",
            allowed=off,
        ),
        Decided(keys=(*_INGRESS, "enableProxyProtocol"), why=_TRUSTED, allowed=on),
        Decided(keys=(*_INGRESS, "useRemoteAddress"), why=_TRUSTED, allowed=only(True, None)),
        Decided(keys=(*_INGRESS, "xffNumTrustedHops"), why=_TRUSTED, allowed=only(0)),
        Decided(
            keys=(*_INGRESS, "enforceHttps"),
            why="redirects what the balancers serve over HTTP: say it in "
            "balancers.redirect_to_https",
            allowed=off,
        ),
        Decided(keys=(*_INGRESS, "defaultSecretNamespace"), why=_SHOWN),
        Decided(keys=(*_INGRESS, "defaultSecretName"), why=_SHOWN),
        Decided(
            keys=(*_INGRESS, "secretsNamespace", "sync"),
            why="leaves Envoys without certificates",
            allowed=on,
        ),
        Decided(keys=(*_ON_THE_SERVICE, "type"), why=_SERVICE, allowed=only("LoadBalancer")),
        Decided(
            keys=(*_ON_THE_SERVICE, "allocateLoadBalancerNodePorts"),
            why=_SERVICE,
            allowed=only(True, None),
        ),
        Decided(
            keys=(*_ON_THE_SERVICE, "name"),
            why="renames the Service that the program reads",
            allowed=only("cilium-ingress"),
        ),
        Decided(keys=(*_ON_THE_SERVICE, "loadBalancerIP"), why=_BY_ADDRESS, allowed=only("", None)),
        Decided(
            keys=(*_ON_THE_SERVICE, "loadBalancerClass"),
            why="makes MetalLB pass it over",
            allowed=only("", None),
        ),
        *(
            Decided(keys=(*_ON_THE_SERVICE, "annotations", key), why=_BY_ADDRESS)
            for key in ("metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs")
        ),
    ]
    for key, of, port in (
        ("insecureNodePort", "http", ports.http),
        ("secureNodePort", "https", ports.https),
    ):
        said = f"platform.ingress.node_ports.{of}"
        table.append(
            Decided(
                keys=(*_ON_THE_SERVICE, key),
                why=f"is not {said} ({'null' if port is None else port})",
                allowed=only(port),
                right=f"say it in {said} alone",
            )
        )
    return tuple(table)


def promised(_: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Nothing: an Envoy that is stopped ends what it has."""
    yield from ()


_KEYS: Final = {
    "ingressController": "default defaultSecretName defaultSecretNamespace enableProxyProtocol "
    "enabled enforceHttps hostNetwork ingressLBAnnotationPrefixes loadbalancerMode "
    "secretsNamespace service useRemoteAddress xffNumTrustedHops",
    "ingressController.service": "allocateLoadBalancerNodePorts annotations externalTrafficPolicy "
    "insecureNodePort labels loadBalancerClass loadBalancerIP name secureNodePort type",
}

CILIUM: Final = IngressRules(
    chart=None,
    keys=_KEYS,
    decided=decided,
    arguments=None,
    request=60,
    health=False,
    everywhere=True,
    leaving=Leaving(
        strategy=("envoy", "updateStrategy"),
        patience=("envoy", "terminationGracePeriodSeconds"),
        promised=promised,
        default=1,
    ),
)


@reads("platform")
def ciliums_chart_knows_its_ingress(stack: Stack) -> Iterator[Problem]:
    """An older chart would pass over what the program writes, and say nothing."""
    platform = stack.platform
    if platform.ingress.kind != "cilium":
        return
    found = re.match(r"v?(\d+)\.(\d+)", platform.cilium.version)
    if found is not None and (int(found[1]), int(found[2])) < _SINCE:
        yield problem(
            "platform.cilium.version",
            platform.cilium.version,
            "is too old for platform.ingress.kind cilium: its chart cannot keep the NodePorts to "
            "the balancers, nor streams without a limit",
            "write 1.19 or later, or choose another platform.ingress.kind",
        )


@reads("platform")
def ciliums_envoy_waits_as_long_as_it_does(stack: Stack) -> Iterator[Problem]:
    """Its chart has no value for either time."""
    ingress = stack.platform.ingress
    if ingress.kind != "cilium":
        return
    if ingress.timeouts.read is not None:
        yield problem(
            "platform.ingress.timeouts.read",
            ingress.timeouts.read,
            "cannot be said to platform.ingress.kind cilium, which knows no such limit",
            "write null; an Ingress says it by the annotation ingress.cilium.io/request-timeout",
        )
    if ingress.timeouts.idle > _IDLE_SECONDS:
        yield problem(
            "platform.ingress.timeouts.idle",
            ingress.timeouts.idle,
            f"is longer than platform.ingress.kind cilium keeps an idle connection "
            f"({_IDLE_SECONDS} s)",
            f"write at most {_IDLE_SECONDS}, and the timeouts before it to match",
        )
