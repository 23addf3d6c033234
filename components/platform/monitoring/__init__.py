"""Prometheus and Alertmanager over the whole chain: kube-prometheus-stack.

Sources: the chart's values.yaml, 88; Prometheus' and Alertmanager's configuration pages.
"""

from __future__ import annotations

from components.platform.addon import Addon, Site, Values
from components.platform.logging import loki
from components.platform.monitoring import alerts, budgets, dashboards, rules, scrape
from settings.models import MONITORING_NAMESPACE, Monitoring

NAME = "kube-prometheus-stack"


def addon(site: Site) -> Addon | None:
    """Prometheus, its operator, Alertmanager and kube-state-metrics; Grafana where the stack's
    values turn it on, with dashboards of this chain.

    The namespace is privileged since Prometheus uses the node's network: exporters answer on the
    management network alone, and Cilium masquerades what pods send on the LAN legs alone.
    """
    given = site.settings.monitoring
    if given is None:
        return None
    return Addon(
        name=NAME,
        namespace=MONITORING_NAMESPACE,
        pod_security="privileged",
        chart=given.chart,
        values=values(site, given),
        secrets={each.secret: each.secret_keys() for each in given.receivers if each.secret_keys()},
        objects=dashboards.objects(site, given),
    )


def values(site: Site, given: Monitoring) -> Values:
    """What the program decides for the chart.

    Off is what would only ever be told to be down: kube-proxy, which the cluster does without, and
    what kubeadm binds to loopback. The chart's own node exporter is every machine's.
    """
    absent = ("kubeProxy", "kubeEtcd", "kubeScheduler", "kubeControllerManager", "nodeExporter")
    return {
        **{name: {"enabled": False} for name in absent},
        "grafana": {"enabled": False, **_sources(site)},
        "prometheus": {
            "prometheusSpec": {
                "hostNetwork": True,
                "dnsPolicy": "ClusterFirstWithHostNet",
                "scrapeInterval": scrape.INTERVAL,
                "evaluationInterval": scrape.INTERVAL,
                "additionalScrapeConfigs": scrape.read_of(site),
            },
        },
        "additionalPrometheusRulesMap": _rules(site),
        "alertmanager": {
            "config": alerts.config(given.receivers),
            "alertmanagerSpec": {
                "secrets": [each.secret for each in given.receivers if each.secret_keys()],
            },
        },
    }


def _sources(site: Site) -> Values:
    """What a Grafana that the stack turns on can be asked for beside figures: lines."""
    if site.settings.logging is None:
        return {}
    found = {"name": "Loki", "type": "loki", "uid": "loki", "access": "proxy", "url": loki.URL}
    return {"additionalDataSources": [found]}


def _rules(site: Site) -> Values:
    """The chart makes a PrometheusRule of each."""
    ours = [rules.facts(site), *rules.senders(site), *rules.groups()]
    made: Values = {"layered-cloud": {"groups": ours}}
    of_services = budgets.groups(site.services)
    if of_services:
        made[budgets.RULES] = {"groups": of_services}
    return made
