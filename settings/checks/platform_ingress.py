"""The ingress controller's values: what a stack adds leaves the chain as it is, and pods that leave
finish what they serve. Each kind has a row of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from settings.checks.chart_keys import overlooked
from settings.checks.decided import undone
from settings.checks.platform_ingress_cilium import CILIUM
from settings.checks.platform_ingress_contour import CONTOUR
from settings.checks.platform_ingress_haproxy import HAPROXY
from settings.checks.platform_ingress_nginx import NGINX
from settings.checks.platform_ingress_rules import Arguments, IngressRules, Leaving
from settings.checks.platform_ingress_traefik import TRAEFIK
from settings.checks.registry import doubts, reads
from settings.models.stack import Stack
from settings.models.walk import mapping
from settings.problems import ABSENT, Problem, problem

INGRESS: Final[Mapping[str, IngressRules]] = {
    "cilium": CILIUM,
    "contour": CONTOUR,
    "haproxy": HAPROXY,
    "nginx": NGINX,
    "traefik": TRAEFIK,
}
"""By the word of `platform.ingress.kind`."""

_RETIRED: Final = "ingress-nginx"
"""The chart of the community's controller (kubernetes.github.io/ingress-nginx)."""


@reads("platform")
def ingress_chart_is_of_its_kind(stack: Stack) -> Iterator[Problem]:
    """The values are those of one chart; a copy of it under another name is taken as it is."""
    ingress = stack.platform.ingress
    wanted = INGRESS[ingress.kind].chart
    if ingress.chart is None:
        if wanted is not None:
            yield problem(
                "platform.ingress.chart",
                None,
                f"leaves nothing to install for platform.ingress.kind {ingress.kind}",
                f"write chart: {wanted} with its version and repository",
            )
        return
    name = ingress.chart.last_word
    if wanted is None:
        yield problem(
            "platform.ingress.chart.chart",
            ingress.chart.chart,
            f"is not installed with platform.ingress.kind {ingress.kind}, which the release of "
            "platform.cilium brings",
            "remove platform.ingress.chart: what you add to its values goes into "
            "platform.cilium.values",
        )
        return
    here, right = "platform.ingress.chart.chart", f"write {wanted}"
    others = {rules.chart: kind for kind, rules in INGRESS.items() if kind != ingress.kind}
    if name == _RETIRED:
        wrong = "is the community's ingress-nginx, retired in March 2026: nobody mends it any more"
        right = f"write {INGRESS['nginx'].chart}, F5's, with kind nginx, or choose another kind"
        yield problem(here, ingress.chart.chart, wrong, right)
    elif name in others:
        wrong = f"is the chart of kind {others[name]}, not of {ingress.kind}"
        yield problem(here, ingress.chart.chart, wrong, f"{right}, or kind: {others[name]}")


@reads("platform")
def ingress_pods_see_the_balancers(stack: Stack) -> Iterator[Problem]:
    """With the policy Cluster a node that sends on puts its own address in place of the balancers',
    which alone are believed, unless Cilium answers directly (its guide on kube-proxy replacement,
    "Direct Server Return"). No node has a health check of its own then."""
    platform = stack.platform
    if platform.ingress.external_traffic_policy == "Local":
        return
    keeps = INGRESS[platform.ingress.kind].everywhere
    mode = mapping(platform.cilium.values, "loadBalancer").get("mode")
    if not keeps and mode not in ("dsr", "hybrid"):
        yield problem(
            "platform.ingress.external_traffic_policy",
            platform.ingress.external_traffic_policy,
            "hides the balancers' addresses from the ingress, which believes nobody else's headers",
            "write Local, or set platform.cilium.values.loadBalancer.mode to dsr",
        )
    if platform.ingress.node_ports.health is not None:
        yield problem(
            "platform.ingress.node_ports.health",
            platform.ingress.node_ports.health,
            "is of no use while platform.ingress.external_traffic_policy is Cluster",
            "write null",
        )


@reads("platform")
def an_ingress_on_every_node_is_there_by_itself(stack: Stack) -> Iterator[Problem]:
    """Its Service has an endpoint that is on no node, so that with the policy Local MetalLB's
    speakers find none with an endpoint of their own, and nobody announces the address."""
    ingress = stack.platform.ingress
    if not INGRESS[ingress.kind].everywhere:
        return
    of = f"platform.ingress.kind {ingress.kind}"
    if ingress.replicas is not None:
        yield problem(
            "platform.ingress.replicas",
            ingress.replicas,
            f"is not for {of}, which is on every node",
            "write null",
        )
    if ingress.external_traffic_policy == "Local":
        yield problem(
            "platform.ingress.external_traffic_policy",
            ingress.external_traffic_policy,
            f"leaves the address of {of} without a node that announces it",
            "write Cluster, which hides nobody's address with this kind, and node_ports.health: "
            "null",
        )


@reads("platform")
def ingress_health_port_can_be_decided(stack: Stack) -> Iterator[Problem]:
    """Where the chart has no value for it, the API server chooses."""
    ingress = stack.platform.ingress
    rules = INGRESS[ingress.kind]
    if rules.everywhere:
        return
    if not rules.health and ingress.node_ports.health is not None:
        yield problem(
            "platform.ingress.node_ports.health",
            ingress.node_ports.health,
            f"cannot be decided: the chart {rules.chart} has no value for it",
            "write null, which reads it back from the cluster",
        )


@reads("platform")
def ingress_values_are_keys_of_the_chart(stack: Stack) -> Iterator[Problem]:
    """What the chart does not know does nothing, silently."""
    ingress = stack.platform.ingress
    rules = INGRESS[ingress.kind]
    path, values = written(stack)
    yield from overlooked(path, values, rules.chart or "cilium", rules.keys)


@reads("platform")
def ingress_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """Reached by NodePorts, believing the balancers alone; by values or by arguments."""
    ingress = stack.platform.ingress
    rules = INGRESS[ingress.kind]
    path, values = written(stack)
    yield from undone(path, values, rules.decided(ingress))
    if rules.arguments is not None:
        yield from _arguments(path, values, rules.arguments)


def written(stack: Stack) -> tuple[str, Mapping[str, Any]]:
    """What the stack adds to the controller's values, and where it says so."""
    platform = stack.platform
    if INGRESS[platform.ingress.kind].chart is None:
        return "platform.cilium.values", platform.cilium.values
    chart = platform.ingress.chart
    return "platform.ingress.chart.values", {} if chart is None else chart.values


def _arguments(path: str, values: Mapping[str, Any], arguments: Arguments) -> Iterator[Problem]:
    for key in arguments.keys:
        *holder, last = key.split(".")
        given = mapping(values, *holder).get(last, [])
        for index, each in enumerate(given if isinstance(given, list) else []):
            if isinstance(each, str) and arguments.decided.match(each):
                yield problem(
                    f"{path}.{key}[{index}]",
                    each,
                    "sets an entry point that is decided",
                    "remove it",
                )


@doubts("platform")
def ingress_pods_leave_in_good_order(stack: Stack) -> Iterator[Problem]:
    """A successor first, and patience for what a pod that leaves still serves."""
    path, values = written(stack)
    leaving = INGRESS[stack.platform.ingress.kind].leaving
    here, strategy = ".".join((path, *leaving.strategy)), mapping(values, *leaving.strategy)
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        wrong = "leaves old pods in place for ever"
        yield problem(f"{here}.type", _shown(strategy["type"]), wrong, "remove it")
    rolling = mapping(strategy, "rollingUpdate")
    if rolling.get("maxUnavailable", 0) not in (0, "0", "0%", None):
        yield problem(
            f"{here}.rollingUpdate.maxUnavailable",
            _shown(rolling["maxUnavailable"]),
            "lets a pod go before its successor is ready: its node refuses requests meanwhile",
            "remove it",
        )
    for name, needed in leaving.promised(values):
        found = [
            *_killed(path, values, leaving, name, needed),
            *_forgotten(path, values, leaving, name, needed),
        ]
        if found:
            yield from found
            return


def _killed(
    path: str, values: Mapping[str, Any], leaving: Leaving, name: str, needed: int
) -> Iterator[Problem]:
    *holder, key = leaving.patience
    patience = mapping(values, *holder).get(key)
    given = leaving.default if patience is None else patience
    if isinstance(given, int) and given < needed:
        yield problem(
            ".".join((path, *leaving.patience)),
            given,
            f"kills a pod whose {name} has {needed} s for what it serves",
            f"write {needed + 10}",
        )


def _forgotten(
    path: str, values: Mapping[str, Any], leaving: Leaving, name: str, needed: int
) -> Iterator[Problem]:
    """A pod that leaves fails its readiness probe; once that is believed, the network drops the
    connections that it has."""
    if not leaving.probe:
        return
    probe = mapping(values, *leaving.probe)
    every = probe.get("periodSeconds", leaving.every)
    threshold = probe.get("failureThreshold", -(-leaving.default // leaving.every))
    if type(every) is int and type(threshold) is int and 0 < every * threshold < needed:
        yield problem(
            ".".join((path, *leaving.probe, "failureThreshold")),
            threshold,
            f"of {every} s each cut off after {every * threshold} s what a pod that leaves serves, "
            f"whose {name} has {needed} s for it",
            f"write {-(-(needed + 10) // every)}",
        )


def _shown(value: Any) -> Any:
    return ABSENT if isinstance(value, dict | list) else value
