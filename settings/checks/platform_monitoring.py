"""Monitoring: what a stack's values may not undo, and receivers that can be told something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.decided import Decided, off, on, only, undone
from settings.checks.registry import doubts, reads
from settings.models.monitoring import MONITORING_NAMESPACE, Receiver
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_RECEIVERS = "is decided by platform.monitoring.receivers"
_SPEC = ("prometheus", "prometheusSpec")
MONITORING: Final = (
    Decided(keys=("crds", "enabled"), why="leaves Prometheus without its kind", allowed=on),
    Decided(keys=("prometheusOperator", "enabled"), why="leaves nobody to run it", allowed=on),
    Decided(keys=("prometheus", "enabled"), why="leaves nobody to watch", allowed=on),
    Decided(keys=("prometheus", "agentMode"), why="judges no rule", allowed=off),
    Decided(
        keys=(*_SPEC, "hostNetwork"),
        why="reaches no exporter: they answer on the management network, where pods have no way",
        allowed=on,
    ),
    Decided(
        keys=(*_SPEC, "additionalScrapeConfigs"),
        why="takes the place of the machines that the program names",
        right="send a ScrapeConfig object instead, labelled release: kube-prometheus-stack",
    ),
    Decided(
        keys=(*_SPEC, "additionalScrapeConfigsSecret", "enabled"),
        why="takes the place of the machines that the program names",
        allowed=off,
        right="send a ScrapeConfig object instead, labelled release: kube-prometheus-stack",
    ),
    Decided(keys=(*_SPEC, "disableAlerting"), why="tells nobody", allowed=off),
    Decided(
        keys=("additionalPrometheusRulesMap", "layered-cloud"),
        why="takes the place of the rules of this chain",
        right="write yours under another name",
    ),
    Decided(
        keys=("additionalPrometheusRulesMap", "layered-cloud-services"),
        why="takes the place of the alerts of services",
        right="write yours under another name",
    ),
    Decided(keys=("kubeStateMetrics", "enabled"), why="hides nodes that fail", allowed=on),
    Decided(
        keys=("nodeExporter", "enabled"),
        why="wants the port of the exporter that every machine has (access.node_exporter)",
        allowed=off,
    ),
    Decided(keys=("alertmanager", "enabled"), why="tells nobody", allowed=on),
    Decided(keys=("alertmanager", "config", "receivers"), why=_RECEIVERS),
    Decided(keys=("alertmanager", "config", "route"), why=_RECEIVERS),
    Decided(keys=("alertmanager", "stringConfig"), why=_RECEIVERS, allowed=only("")),
    Decided(
        keys=("alertmanager", "alertmanagerSpec", "useExistingSecret"),
        why=_RECEIVERS,
        allowed=off,
    ),
    Decided(keys=("alertmanager", "alertmanagerSpec", "secrets"), why=_RECEIVERS),
    Decided(
        keys=("namespaceOverride",),
        why="is not where its Secrets are",
        allowed=only("", MONITORING_NAMESPACE),
    ),
)
_SUBMISSIONS: Final = 465
_NOBODY: Final = "null"
_OF_MAIL: Final = ("to", "sender", "server")
_FOR_MAIL: Final = (*_OF_MAIL, "port", "username")


@reads("platform")
def monitoring_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """It reaches the machines, judges the rules and tells who is to be told."""
    given = stack.platform.monitoring
    if given is not None:
        yield from undone("platform.monitoring.chart.values", given.chart.values, MONITORING)


@reads("platform")
def receivers_can_be_told(stack: Stack) -> Iterator[Problem]:
    """Each has what its way of telling needs, and a name of its own."""
    given = stack.platform.monitoring
    seen: dict[str, int] = {}
    for index, receiver in enumerate([] if given is None else given.receivers):
        here = f"platform.monitoring.receivers[{index}]"
        if seen.setdefault(receiver.name, index) != index:
            wrong = f"is platform.monitoring.receivers[{seen[receiver.name]}] already"
            yield problem(f"{here}.name", receiver.name, wrong, "call this receiver otherwise")
        if receiver.name == _NOBODY:
            wrong = "is the chart's own receiver, which tells nobody"
            yield problem(f"{here}.name", receiver.name, wrong, "call this receiver otherwise")
        yield from (_mailed if receiver.traits.mails else _not_mailed)(here, receiver)


def _mailed(here: str, receiver: Receiver) -> Iterator[Problem]:
    rights = {
        "to": "write who gets the mail",
        "sender": "write an address that the server takes mail from",
        "server": "write the SMTP server",
    }
    for key in _OF_MAIL:
        if not getattr(receiver, key):
            yield problem(f"{here}.{key}", ABSENT, "is missing: this is mail", rights[key])
    if receiver.port == _SUBMISSIONS:
        wrong = "is where servers speak TLS at once (RFC 8314), and STARTTLS is asked for"
        yield problem(f"{here}.port", receiver.port, wrong, "write 587, or the port with STARTTLS")


def _not_mailed(here: str, receiver: Receiver) -> Iterator[Problem]:
    for key in _FOR_MAIL:
        if key in receiver.model_fields_set and getattr(receiver, key) not in (None, []):
            wrong = f"is of no use to {receiver.kind}"
            yield problem(f"{here}.{key}", ABSENT, wrong, "remove it, or write kind: mail")


@doubts("platform")
def dashboards_are_found(stack: Stack) -> Iterator[Problem]:
    """The chart's Grafana looks for them, and where they are."""
    given = stack.platform.monitoring
    if given is None or not given.shows_dashboards:
        return
    here = "platform.monitoring.chart.values.grafana.sidecar.dashboards"
    right = "remove it, or write platform.monitoring.dashboards: false"
    if off(given.sidecar.get("enabled", True)):
        wrong = "has nobody look for the dashboards of this chain"
        yield problem(f"{here}.enabled", given.sidecar["enabled"], wrong, right)
    searched = given.sidecar.get("searchNamespace") or MONITORING_NAMESPACE
    named = searched.split(",") if isinstance(searched, str) else searched
    if not {"ALL", MONITORING_NAMESPACE} & {str(each).strip() for each in named}:
        wrong = f"leaves out {MONITORING_NAMESPACE}, where the dashboards of this chain are"
        shown = searched if isinstance(searched, str) else ABSENT
        yield problem(f"{here}.searchNamespace", shown, wrong, f"add {MONITORING_NAMESPACE}")


@doubts("platform")
def somebody_is_told(stack: Stack) -> Iterator[Problem]:
    """Alerts that nobody reads."""
    given = stack.platform.monitoring
    if given is not None and not any("critical" in each.severities for each in given.receivers):
        yield problem(
            "platform.monitoring.receivers",
            ABSENT,
            "name nobody who is told of critical alerts",
            "add a receiver, or look at Prometheus' own page",
        )
