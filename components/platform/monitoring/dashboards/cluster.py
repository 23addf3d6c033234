"""The cluster and its ingress: nodes, pods, the API, etcd, names, lines and backups. Pure.

Sources: kube-state-metrics' documentation of its metrics; Kubernetes' reference of metrics (API
server); CoreDNS' prometheus plugin. etcd itself answers on the node's loopback alone: its times are
those that the API server waits.
"""

from __future__ import annotations

from components.platform.addon import Site
from components.platform.ingress import CONTROLLERS
from components.platform.ingress.controller import Figures
from components.platform.monitoring.dashboards.model import BAD, DOUBTFUL, Dashboard, Panel, Section
from components.platform.promql import growth, quantile, rate

READY = 'kube_node_status_condition{condition="Ready", status="true"}'
WAITING = 'sum(kube_pod_status_phase{phase=~"Pending|Failed|Unknown"})'
API_FAILED = 'apiserver_request_total{code=~"5.."}'
ETCD = quantile(0.99, "etcd_request_duration_seconds_bucket")
_SHORT = 'apiserver_request_duration_seconds_bucket{verb!~"WATCH|CONNECT"}'
"""Those that last as long as somebody looks are left out."""


def page(site: Site) -> Dashboard:
    """Of every cluster; the ingress as far as its kind tells, and lines and backups where the stack
    has them."""
    figures = CONTROLLERS[site.settings.ingress.kind].figures
    return Dashboard(
        name="cluster",
        title="Layered cloud: cluster and ingress",
        about="Nodes, pods, the API with etcd behind it, names, and the ingress.",
        sections=(
            Section(title="Ingress", panels=() if figures is None else ingress(figures)),
            Section(title="Nodes", panels=_nodes()),
            Section(title="Pods", panels=_pods()),
            Section(title="API and etcd", panels=_api()),
            Section(title="Names", panels=_names()),
            Section(title="Lines", panels=_lines(site)),
            Section(title="Backups", panels=backups() if site.backed_up else ()),
        ),
    )


def ingress(figures: Figures) -> tuple[Panel, ...]:
    """What the chosen kind tells: the balancers' checks are among its requests."""
    return (
        Panel(title="Requests", unit="reqps", queries=figures.requests),
        *(
            [Panel(title="Time of an answer", unit="s", queries=figures.seconds)]
            if figures.seconds
            else []
        ),
        Panel(title="Connections", unit="none", queries=figures.connections),
    )


def backups() -> tuple[Panel, ...]:
    """Of `cluster.backups`."""
    last = "layered_cloud_backup_last_success_timestamp_seconds"
    return (
        Panel(
            title="Age of the last backup, by control plane",
            unit="s",
            queries={
                "{{instance}}": f"time() - max by (instance) ({last})",
                "due after": "max(layered_cloud_backup_interval_seconds)",
            },
            width=12,
        ),
    )


def _nodes() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Not ready",
            unit="none",
            queries={"{{node}}": f"max by (node) ({READY}) == 0"},
            shape="names",
            base=BAD,
        ),
        Panel(
            title="Cordoned",
            unit="none",
            queries={"{{node}}": "max by (node) (kube_node_spec_unschedulable) == 1"},
            shape="names",
            base=DOUBTFUL,
        ),
        Panel(
            title="Short of something",
            unit="none",
            queries={
                "{{node}}: {{condition}}": "max by (node, condition) "
                '(kube_node_status_condition{condition!="Ready", status="true"}) == 1'
            },
            shape="names",
            base=BAD,
        ),
        Panel(
            title="Readiness",
            unit="none",
            queries={"{{node}}": f"max by (node) ({READY})"},
            shape="states",
            width=12,
            base=BAD,
            steps=((1, "green"),),
        ),
        Panel(
            title="Requested, of what a node has",
            unit="percentunit",
            queries={
                f"{{{{node}}}} {what}": "sum by (node) "
                f'(kube_pod_container_resource_requests{{resource="{what}"}}) '
                f'/ sum by (node) (kube_node_status_allocatable{{resource="{what}"}})'
                for what in ("cpu", "memory")
            },
            width=12,
            most=1,
        ),
    )


def _pods() -> tuple[Panel, ...]:
    lacking = {
        "{{namespace}}/{{deployment}}": "kube_deployment_status_replicas_unavailable > 0",
        "{{namespace}}/{{daemonset}}": "kube_daemonset_status_number_unavailable > 0",
        "{{namespace}}/{{statefulset}}": "kube_statefulset_replicas "
        "- kube_statefulset_status_replicas_ready > 0",
    }
    return (
        Panel(
            title="Pods ready, running, and waiting",
            unit="none",
            queries={
                "ready": 'sum(kube_pod_status_ready{condition="true"})',
                "running": 'sum(kube_pod_status_phase{phase="Running"})',
                "waiting or failed": WAITING,
            },
        ),
        Panel(
            title="Workloads that lack pods",
            unit="none",
            queries=lacking,
        ),
        Panel(
            title="Restarts within an hour",
            unit="none",
            queries={
                "{{namespace}}/{{pod}}": "topk(10, "
                + growth("kube_pod_container_status_restarts_total", "1h", "namespace", "pod")
                + " > 0)"
            },
        ),
    )


def _api() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Requests to the API, by their answers",
            unit="reqps",
            queries={"{{code}}": rate("apiserver_request_total", "code")},
        ),
        Panel(
            title="API: 99 of 100 within",
            unit="s",
            queries={"{{verb}}": quantile(0.99, _SHORT, "verb")},
            hint="Without watches and what is attached to pods.",
        ),
        Panel(
            title="API: requests under way",
            unit="none",
            queries={
                "{{instance}} {{request_kind}}": "sum by (instance, request_kind) "
                "(apiserver_current_inflight_requests)"
            },
        ),
        Panel(
            title="etcd: 99 of 100 within",
            unit="s",
            queries={
                "{{operation}}": quantile(0.99, "etcd_request_duration_seconds_bucket", "operation")
            },
            hint="As the API server waits for it. A control plane's slow disk is seen here first.",
        ),
        Panel(
            title="etcd: size",
            unit="bytes",
            queries={"{{instance}}": "max by (instance) (apiserver_storage_size_bytes)"},
            hint="At 2 GiB, where nothing else is said, it takes no more.",
        ),
    )


def _names() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Questions for names",
            unit="reqps",
            queries={"{{instance}}": rate("coredns_dns_requests_total", "instance")},
        ),
        Panel(
            title="Answers, by their code",
            unit="reqps",
            queries={"{{rcode}}": rate("coredns_dns_responses_total", "rcode")},
        ),
        Panel(
            title="99 of 100 within",
            unit="s",
            queries={
                "{{instance}}": quantile(
                    0.99, "coredns_dns_request_duration_seconds_bucket", "instance"
                )
            },
        ),
    )


def _lines(site: Site) -> tuple[Panel, ...]:
    given = site.settings.logging
    if given is None:
        return ()
    found = [
        Panel(
            title="Lines of nodes and pods",
            unit="ops",
            queries={"{{instance}}": rate("loki_write_sent_entries_total", "instance")},
        ),
        Panel(
            title="Lines that were thrown away",
            unit="ops",
            queries={
                "{{instance}} {{reason}}": rate(
                    "loki_write_dropped_entries_total", "instance", "reason"
                )
            },
        ),
    ]
    if given.collector is not None:
        found.append(
            Panel(
                title="Lines of routers and balancers",
                unit="ops",
                queries={
                    "{{host}} {{source}}": rate(
                        "layered_cloud_machine_lines_total", "host", "source"
                    )
                },
            )
        )
    return tuple(found)
