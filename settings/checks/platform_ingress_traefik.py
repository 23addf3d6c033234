"""Traefik's chart values: what a stack may not undo of them, and how its pods leave."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from settings.checks.decided import Decided, off, on, only
from settings.checks.platform_ingress_rules import (
    Arguments,
    IngressRules,
    Leaving,
    placed,
    traffic_policy,
)
from settings.models.platform import ACCEPT_SECONDS, FINISH_SECONDS, Ingress
from settings.models.walk import mapping

_TRUSTED = "says who may send PROXY headers, which are the balancers alone"
_ANYBODY = "lets anybody send PROXY and forwarded headers"
_MEBIBYTE = 1_048_576
_BY_ADDRESS = "is said by platform.ingress.load_balancer_ip"


def decided(ingress: Ingress) -> tuple[Decided, ...]:
    """What the program decides of Traefik's values."""
    ports = ingress.node_ports
    table = [
        traffic_policy(ingress, "service", "spec", "externalTrafficPolicy"),
        *placed(
            ingress,
            kind=("deployment", "kind"),
            words=("DaemonSet", "Deployment"),
            replicas=("deployment", "replicas"),
        ),
        Decided(
            keys=("service", "spec", "type"),
            why="is not the kind of service the balancers and the pool need",
            allowed=only("LoadBalancer"),
        ),
        Decided(
            keys=("service", "type"),
            why="is not the kind of service the balancers and the pool need",
            allowed=only("LoadBalancer"),
        ),
        Decided(keys=("service", "enabled"), why="leaves nothing to send to", allowed=on),
        Decided(keys=("service", "single"), why="makes two services of one", allowed=on),
        Decided(keys=("service", "spec", "loadBalancerIP"), why=_BY_ADDRESS),
        Decided(keys=("service", "spec", "loadBalancerClass"), why="makes MetalLB pass it over"),
        Decided(keys=("service", "annotations", "metallb.io/loadBalancerIPs"), why=_BY_ADDRESS),
        Decided(
            keys=("service", "annotations", "metallb.universe.tf/loadBalancerIPs"), why=_BY_ADDRESS
        ),
        Decided(
            keys=("service", "spec", "healthCheckNodePort"),
            why=f"is not platform.ingress.node_ports.health ({ports.health})",
            allowed=only(ports.health),
            right="say it there alone",
        ),
        Decided(keys=("deployment", "enabled"), why="leaves no ingress at all", allowed=on),
        Decided(
            keys=("providers", "kubernetesIngress", "enabled"),
            why="leaves Ingress objects unread",
            allowed=on,
        ),
        Decided(
            keys=("ingressClass", "enabled"),
            why="leaves Ingress objects without a class",
            allowed=on,
        ),
        Decided(
            keys=("ingressClass", "name"),
            why="is not the class that Ingress objects here name",
            allowed=only("traefik"),
        ),
    ]
    for name, key, port in (("web", "http", ports.http), ("websecure", "https", ports.https)):
        said = f"platform.ingress.node_ports.{key}"
        table += [
            Decided(
                keys=keys,
                why="redirects what the balancers serve over HTTP: say it in "
                "balancers.redirect_to_https",
            )
            for keys in (
                ("ports", name, "redirections"),
                ("ports", name, "redirectTo"),
                ("ports", name, "http", "redirections"),
            )
        ]
        table += [
            Decided(
                keys=("ports", name, "nodePort"),
                why=f"is not {said} ({port if port is not None else 'null'})",
                allowed=only(port),
                right=f"say it in {said} alone",
            ),
            Decided(keys=("ports", name, "proxyProtocol", "trustedIPs"), why=_TRUSTED),
            *(
                Decided(
                    keys=("ports", name, "transport", "respondingTimeouts", f"{key}Timeout"),
                    why=f"is said by platform.ingress.timeouts.{key}",
                )
                for key in ("read", "idle")
            ),
            Decided(
                keys=("ports", name, "transport", "respondingTimeouts", "writeTimeout"),
                why="ends answers, streams and downloads that last longer",
                allowed=only(0, "0s", "0", None),
                right="remove it",
            ),
            Decided(
                keys=("ports", name, "http", "maxHeaderBytes"),
                why="is less than the balancers may pass on",
                allowed=lambda given: given is None or (type(given) is int and given >= _MEBIBYTE),
                right=f"remove it (Traefik takes {_MEBIBYTE} bytes)",
            ),
            Decided(keys=("ports", name, "proxyProtocol", "insecure"), why=_ANYBODY, allowed=off),
            Decided(keys=("ports", name, "forwardedHeaders", "trustedIPs"), why=_TRUSTED),
            Decided(
                keys=("ports", name, "forwardedHeaders", "insecure"), why=_ANYBODY, allowed=off
            ),
            Decided(
                keys=("ports", name, "expose", "default"),
                why="takes the port out of the service",
                allowed=on,
            ),
        ]
    for keys in (("http", "tls", "enabled"), ("tls", "enabled")):
        table.append(
            Decided(
                keys=("ports", "websecure", *keys),
                why="has HTTPS answered in plain, which the balancers do not send",
                allowed=on,
            )
        )
    return tuple(table)


_ARGUMENT = re.compile(
    r"(?i)--entrypoints\.(web|websecure)\.(address|proxyprotocol|forwardedheaders|http\.tls"
    r"|http\.maxheaderbytes|transport\.respondingtimeouts)\b"
)

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|)")
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}


def promised(values: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """What each entry point gives to those it serves when its pod leaves, in seconds."""
    for name in ("web", "websecure"):
        cycle = mapping(values, "ports", name, "transport", "lifeCycle")
        accepting = _seconds(cycle.get("requestAcceptGraceTimeout"), ACCEPT_SECONDS)
        yield name, accepting + _seconds(cycle.get("graceTimeOut"), FINISH_SECONDS)


def _seconds(given: Any, default: int) -> int:
    """Of a Go duration in one unit, or a number; anything else is left to Traefik."""
    found = _DURATION.fullmatch(str(given))
    return default if found is None else int(found[1]) * _UNITS[found[2]]


TRAEFIK: Final = IngressRules(
    chart="traefik",
    decided=decided,
    arguments=Arguments(keys=("additionalArguments", "globalArguments"), decided=_ARGUMENT),
    leaving=Leaving(
        strategy=("updateStrategy",),
        patience=("deployment", "terminationGracePeriodSeconds"),
        promised=promised,
        default=ACCEPT_SECONDS + FINISH_SECONDS + 10,
        probe=("readinessProbe",),
        every=2,
    ),
    tells_requests=True,
)
