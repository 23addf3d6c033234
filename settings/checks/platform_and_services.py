"""The platform and public services: releases and namespaces apart, an ingress that serves each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.platform_charts import KUBERNETES, OWN
from settings.checks.platform_ingress import INGRESS
from settings.checks.registry import doubts, reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem


@reads("platform", "services")
def services_are_beside_what_is_installed(stack: Stack) -> Iterator[Problem]:
    """A service's namespace is made for it, under its own name."""
    owners = {own.namespace: own.key for own in OWN.values()}
    owners |= {name: own.key for name, own in OWN.items()}
    for index, chart in enumerate(stack.platform.charts):
        owners.setdefault(chart.namespace, f"platform.charts[{index}].namespace")
        owners.setdefault(chart.name, f"platform.charts[{index}].name")
    owners |= dict.fromkeys(KUBERNETES, "Kubernetes' own")
    for index, each in enumerate(stack.services):
        here = f"services[{index}].name"
        if each.name in owners:
            wrong = f"is the name or namespace of something else ({owners[each.name]})"
            yield problem(here, each.name, wrong, "choose another name")


@reads("platform", "services")
def another_controller_has_its_port(stack: Stack) -> Iterator[Problem]:
    """Who serves a service and where the balancers find it are one thing."""
    ports = stack.platform.ingress.node_ports
    for index, each in enumerate(stack.services):
        here = f"services[{index}]"
        if each.ingress_class is not None and each.node_port is None:
            yield problem(
                f"{here}.ingress_class",
                each.ingress_class,
                "is another ingress controller's, and node_port does not say where it answers",
                "write its NodePort for plain HTTP, or remove this for platform.ingress",
            )
        if each.node_port is not None and each.ingress_class is None:
            yield problem(
                f"{here}.node_port",
                each.node_port,
                "is another ingress controller's, and ingress_class does not say whose",
                "write its class, or remove this for platform.ingress",
            )
        for key in ports.keys_of(each.node_port):
            yield problem(
                f"{here}.node_port",
                each.node_port,
                f"is platform.ingress' own (platform.ingress.node_ports.{key})",
                "write the other controller's",
            )


@reads("platform", "services")
def a_name_is_one_ingress_where_it_must_be(stack: Stack) -> Iterator[Problem]:
    """Of two Ingress objects with one host, some controllers serve the older alone."""
    kind = stack.platform.ingress.kind
    if not INGRESS[kind].one_ingress_a_host:
        return
    taken: dict[str, str] = {}
    demo = stack.platform.demo
    if demo is not None and demo.enabled:
        taken[demo.host] = "platform.demo.host"
    for index, each in enumerate(stack.services):
        if each.ingress_class is not None:
            continue
        for place, host in enumerate(each.hosts):
            here = f"services[{index}].hosts[{place}]"
            earlier = taken.setdefault(host, here)
            if earlier.partition(".")[0] != here.partition(".")[0]:
                yield problem(
                    here,
                    host,
                    f"is {earlier} too, and platform.ingress.kind {kind} serves one of the two "
                    "Ingress objects alone",
                    "give each service a name of its own, or choose another ingress controller",
                )


@doubts("platform", "services")
def somebody_judges_the_alerts(stack: Stack) -> Iterator[Problem]:
    """Without Prometheus an alert is a wish."""
    for index, each in enumerate(stack.services):
        if each.alert is not None and stack.platform.monitoring is None:
            yield problem(
                f"services[{index}].alert",
                ABSENT,
                "is judged by nobody: platform.monitoring is not there",
                "add it, or remove the alert",
            )


_ANNOTATES: Final = {
    "traefik.ingress.kubernetes.io": "traefik",
    "nginx.org": "nginx",
    "haproxy.org": "haproxy",
    "projectcontour.io": "contour",
    "ingress.cilium.io": "cilium",
    "nginx.ingress.kubernetes.io": "ingress-nginx",
}
"""What annotations of an Ingress begin with, by the controller that reads them."""


@doubts("platform", "services")
def somebody_reads_the_annotations(stack: Stack) -> Iterator[Problem]:
    """One controller's annotations say nothing to another."""
    kind = stack.platform.ingress.kind
    for index, each in enumerate(stack.services):
        for key in each.annotations if each.ingress_class is None else ():
            reader = _ANNOTATES.get(key.partition("/")[0], kind)
            if reader != kind:
                yield problem(
                    f"services[{index}].annotations.{key}",
                    ABSENT,
                    f"is read by {reader}, and platform.ingress.kind is {kind}",
                    f"write what {kind} reads, or remove it",
                )
