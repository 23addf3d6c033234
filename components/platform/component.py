"""The layer of the platform: pod network, load-balancer addresses, ingress, demonstration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.helm.v3 import Release, ReleaseArgs, RepositoryOptsArgs

from components.host import HostAction, HostActionArgs
from components.platform import objects, readback, render, values
from components.platform.args import PlatformArgs
from components.platform.verify import verify
from settings.models import Chart, Demo

WEBHOOK_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class IngressPorts:
    """Where the ingress answers: NodePorts of every node that takes pods, and the LoadBalancer
    address. What was decided is known in a preview; the rest is discovered."""

    http: pulumi.Output[int]
    https: pulumi.Output[int]
    health: pulumi.Output[int]
    load_balancer_ip: pulumi.Output[str]


class Platform(pulumi.ComponentResource):
    """Cilium, MetalLB and Traefik as Helm releases, and the demonstration behind the ingress.

    Promises: no kube-proxy; services answer on the nodes' LAN legs only; the ingress' NodePorts
    and LoadBalancer address are those decided, or the update fails and names both; an address pool
    is sent only once MetalLB's webhook judges it; only the balancers are believed about a client's
    address; what is in the cluster goes and comes with the control plane's machine.

    Leaves out: BGP, network policies, certificates inside the cluster, Cilium's Envoy and Hubble
    (all reachable through a chart's `values`), upgrades across a chart's major versions.
    """

    ports: IngressPorts

    def __init__(
        self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:platform:Platform", name, {}, opts)
        problems = verify(args)
        if problems:
            raise pulumi.RunError("platform:\n" + "\n".join(f"  - {each}" for each in problems))
        self._args = args
        self._provider = self._make_provider(f"{name}-cluster")
        settings = args.settings
        cilium = self._release("cilium", "kube-system", settings.cilium, values.cilium(args), [])
        pool = self._metallb(name, cilium)
        ingress = self._ingress([cilium, *pool])
        self.ports = self._read_back(ingress)
        if settings.demo is not None and settings.demo.enabled:
            self._demo(settings.demo, ingress)
        self.register_outputs(
            {
                "httpNodePort": self.ports.http,
                "httpsNodePort": self.ports.https,
                "healthCheckNodePort": self.ports.health,
                "loadBalancerIp": self.ports.load_balancer_ip,
            }
        )

    def _make_provider(
        self, name: str, depends_on: Sequence[pulumi.Resource] = ()
    ) -> kubernetes.Provider:
        return kubernetes.Provider(
            name,
            kubeconfig=pulumi.Output.secret(self._args.kubeconfig),
            # Without it a new kubeconfig looks like another cluster, and replaces everything.
            cluster_identifier=self._args.cluster_identity,
            enable_server_side_apply=True,
            # A dead cluster must not hold up a destroy.
            delete_unreachable=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(depends_on)),
        )

    def _options(
        self,
        depends_on: Sequence[pulumi.Resource],
        provider: kubernetes.Provider | None = None,
    ) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            provider=provider or self._provider,
            depends_on=list(depends_on),
            delete_before_replace=True,
            # What is in the cluster goes with the machine that holds its etcd. It comes again with
            # another one by the provider's cluster identifier.
            deleted_with=self._args.control_plane.vm,
        )

    def _release(
        self,
        name: str,
        namespace: str,
        chart: Chart,
        chart_values: Mapping[str, Any],
        depends_on: Sequence[pulumi.Resource],
    ) -> Release:
        return Release(
            name,
            ReleaseArgs(
                name=name,
                namespace=namespace,
                chart=chart.chart,
                version=chart.version,
                repository_opts=None
                if chart.repository is None
                else RepositoryOptsArgs(repo=chart.repository),
                values=dict(chart_values),
                timeout=chart.timeout,
                cleanup_on_fail=True,
                max_history=5,
            ),
            opts=pulumi.ResourceOptions.merge(
                self._options(depends_on),
                # A release cannot be deleted from a cluster that is gone (pulumi-kubernetes says
                # so even with deleteUnreachable), and another cluster is the only reason for
                # which one of these is ever replaced.
                pulumi.ResourceOptions(retain_on_delete=True),
            ),
        )

    def _namespace(self, name: str, level: str) -> kubernetes.core.v1.Namespace:
        return kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": name, "labels": objects.pod_security(level)},
            opts=self._options([]),
        )

    def _metallb(self, name: str, cilium: Release) -> list[pulumi.Resource]:
        args = self._args
        chart = args.settings.metallb.chart
        # Speakers use the node's network, which only the privileged standard allows.
        namespace = self._namespace(objects.METALLB_NAMESPACE, "privileged")
        release = self._release(
            "metallb",
            objects.METALLB_NAMESPACE,
            chart,
            values.metallb(args),
            [cilium, namespace],
        )
        wanted = [objects.pool(args), objects.advertisement(args)]
        accepts = HostAction(
            f"{name}-metallb-webhook",
            HostActionArgs(
                machine=args.control_plane,
                name="metallb-webhook",
                guard=render.webhook_guard(wanted),
                do=render.webhook_wait(wanted, WEBHOOK_SECONDS),
                epoch=chart.version,
                seconds=WEBHOOK_SECONDS + 30,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[release]),
        )
        # A provider looks up the kinds a cluster has once: this one does it after the release.
        provider = self._make_provider(f"{name}-metallb-kinds", [accepts])
        made: list[pulumi.Resource] = []
        for each in wanted:
            resource = CustomResource(
                f"metallb-{each['kind']}-{each['metadata']['name']}".lower(),
                api_version=each["apiVersion"],
                kind=each["kind"],
                metadata=each["metadata"],
                spec=each["spec"],
                opts=self._options([release, accepts, *made], provider),
            )
            made.append(resource)
        return made

    def _ingress(self, depends_on: Sequence[pulumi.Resource]) -> Release:
        args = self._args
        namespace = self._namespace(values.INGRESS_NAMESPACE, "baseline")
        return self._release(
            values.INGRESS_NAME,
            values.INGRESS_NAMESPACE,
            args.settings.ingress.chart,
            values.traefik(args),
            [*depends_on, namespace],
        )

    def _read_back(self, ingress: Release) -> IngressPorts:
        where = f"{values.INGRESS_NAMESPACE}/{values.INGRESS_NAME}"
        service = kubernetes.core.v1.Service.get(
            "ingress-service",
            # Unknown until the release exists, so that a preview does not look for it.
            ingress.id.apply(lambda _: where),
            opts=pulumi.ResourceOptions(parent=self, provider=self._provider, depends_on=[ingress]),
        )
        live: pulumi.Output[Mapping[str, Any]] = pulumi.Output.all(
            spec=service.spec, status=service.status
        )
        decided = self._args.settings.ingress.node_ports
        wanted = self._args.settings.ingress.load_balancer_ip
        return IngressPorts(
            http=readback.flows(
                "NodePort for http", decided.http, live.apply(readback.node_port("web"))
            ),
            https=readback.flows(
                "NodePort for https", decided.https, live.apply(readback.node_port("websecure"))
            ),
            health=readback.flows(
                "healthCheckNodePort", decided.health, live.apply(readback.health_port)
            ),
            load_balancer_ip=readback.flows(
                "LoadBalancer address",
                None if wanted is None else str(wanted),
                live.apply(readback.address),
            ),
        )

    def _demo(self, demo: Demo, ingress: Release) -> None:
        namespace = self._namespace(objects.DEMO, "restricted")
        workload = objects.demo_workload(demo)
        kind = kubernetes.apps.v1.DaemonSet if demo.every_node else kubernetes.apps.v1.Deployment
        pods = kind(
            f"{objects.DEMO}-pods",
            metadata=workload["metadata"],
            spec=workload["spec"],
            opts=self._options([namespace, ingress]),
        )
        definition = objects.demo_service()
        service = kubernetes.core.v1.Service(
            f"{objects.DEMO}-service",
            metadata=definition["metadata"],
            spec=definition["spec"],
            opts=self._options([namespace, pods]),
        )
        definition = objects.demo_ingress(demo)
        kubernetes.networking.v1.Ingress(
            f"{objects.DEMO}-ingress",
            metadata=definition["metadata"],
            spec=definition["spec"],
            opts=self._options([namespace, service, ingress]),
        )
