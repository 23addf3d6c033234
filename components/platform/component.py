"""The layer of the platform: addons side by side, and the ingress' Service read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import metadata
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.helm.v3 import Release, ReleaseArgs, RepositoryOptsArgs

from components.host import HostAction, HostActionArgs
from components.host.errors import LayerError
from components.host.passwords import passwords
from components.platform import cut_off, identity, ports, render, secrets
from components.platform.addon import Addon, Form, Identity, MadeAhead, Object, Webhook
from components.platform.addons import addons, in_order
from components.platform.api import reachable
from components.platform.args import PlatformArgs
from components.platform.ingress import CONTROLLERS
from components.platform.verify import verify
from settings.models import Chart

WEBHOOK_SECONDS = 180

_SDK = metadata.version("pulumi-kubernetes")


class Platform(pulumi.ComponentResource):
    """The addons of a cluster: Helm releases, and objects of their own.

    Promises: no kube-proxy; services answer on the nodes' LAN legs only; the ingress' NodePorts
    and LoadBalancer address are those decided, or the update fails and names both; objects that a
    webhook judges are sent only once it does; only the balancers are believed about a client's
    address; a release whose update was cut off is taken up again by the next; nothing is asked of
    a cluster for which nothing changes; what is in the cluster goes and comes with it.

    Leaves out: network policies, Cilium's Envoy and Hubble
    (all reachable through a chart's `values`), upgrades across a chart's major versions; removing
    a release that left the program (`helm uninstall`).

    Raises `LayerError` when what it is given contradicts itself. On an update the read-back fails
    when the live Service has another port or address than was decided, and names both.
    """

    ports: ports.IngressPorts
    there: pulumi.Output[pulumi.Resource]
    """What comes after the platform waits for: all of it. When nothing answers behind the API, only
    for the ports as they were read back: the provider asks such an API for a minute."""

    def __init__(
        self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:platform:Platform", name, {}, opts)
        site = args.site
        problems = verify(site)
        if problems:
            raise LayerError("platform", problems)
        self._name, self._args = name, args
        self._first: list[pulumi.Resource] = []
        answers = reachable(args.kubeconfig)
        self._before: pulumi.Output[list[pulumi.Resource]] = answers.apply(self._registered_first)
        self._provider = self._make_provider(f"{name}-cluster")
        self._releases: dict[str, Release] = {}
        self._namespaces: dict[str, pulumi.Resource] = {}
        installed = {addon.name: addon for addon in addons(site)}
        # The others wait for the pod network, and for nothing else that they do not name.
        network: list[pulumi.Resource] = []
        there: dict[str, Sequence[pulumi.Resource]] = {}
        for addon in in_order(installed.values()):
            before = [each for name in addon.after for each in there[name]]
            there[addon.name] = made = self._install(addon, [*network, *before])
            network += made if addon.network else []
        controller = CONTROLLERS[args.settings.ingress.kind]
        release = self._releases[controller.release]
        waited: pulumi.Output[Any] = answers.apply(lambda known: release if known else None)
        service = ports.read_back(
            f"{name}-ingress-service",
            args,
            controller,
            installed[controller.release],
            pulumi.ResourceOptions(parent=self, depends_on=[waited]),
        )
        self.ports = ports.seen(args.settings.ingress, controller, service)
        self.there = answers.apply(lambda known: self if known else service)
        self.register_outputs(
            {
                "httpNodePort": self.ports.http,
                "httpsNodePort": self.ports.https,
                "healthCheckNodePort": self.ports.health,
                "loadBalancerIp": self.ports.load_balancer_ip,
            }
        )

    def comes_after(self, *resources: pulumi.Resource) -> None:
        """When nothing answers behind the API, the cluster's objects are looked at after these.

        The engine looks at one resource after the other, so that what comes later in the program
        would wait for the provider, which asks such an API for a minute.
        """
        self._first += resources

    async def _registered_first(self, answers: bool) -> list[pulumi.Resource]:
        """Awaited by the engine's loop, and so read only once the program has said all."""
        return [] if answers else list(self._first)

    def _make_provider(
        self, name: str, depends_on: Sequence[pulumi.Resource] = ()
    ) -> kubernetes.Provider:
        before = self._before.apply(lambda first: [*depends_on, *first])
        return kubernetes.Provider(
            name,
            kubeconfig=pulumi.Output.secret(self._args.kubeconfig),
            # Without it a new kubeconfig looks like another cluster, and replaces everything.
            cluster_identifier=self._args.cluster_identity,
            enable_server_side_apply=True,
            # Never `delete_unreachable`: with it a refresh while the API is out of reach forgets
            # every object.
            opts=pulumi.ResourceOptions(parent=self, depends_on=before),
        )

    def _options(
        self,
        depends_on: Sequence[pulumi.Resource],
        provider: kubernetes.Provider | None = None,
    ) -> pulumi.ResourceOptions:
        # What is in the cluster goes and comes with the machine that holds its etcd. What goes with
        # the machine's lifetime, and is replaced in the step that replaces the lifetime, is asked
        # of nobody: so a dead cluster stops neither the machine's end nor its replacement.
        vm, lifetime = self._args.control_plane.vm, self._args.control_plane.lifetime
        return pulumi.ResourceOptions(
            parent=self,
            provider=provider or self._provider,
            depends_on=list(depends_on),
            delete_before_replace=True,
            deleted_with=vm if lifetime is None else lifetime,
            replace_with=None if vm is None or lifetime is None else [vm],
        )

    def _install(
        self, addon: Addon, before: Sequence[pulumi.Resource]
    ) -> Sequence[pulumi.Resource]:
        """The addon after everything `before`: what others wait for when they wait for it."""
        made: list[pulumi.Resource] = []
        if addon.pod_security is not None:
            made.append(self._namespace(addon))
        for name, manifest in self._secrets(addon).items():
            made.append(self._secret(name, manifest, [*before, *made]))
        if addon.identity is not None:
            made += self._trusted(addon, addon.identity, [*before, *made])
        # Beside the pod network's coming, which no Secret needs.
        made += [self._mint(addon, each, made[:] or before) for each in addon.minted]
        if addon.chart is not None:
            release = self._release(addon, addon.chart, [*before, *made])
            self._releases[addon.name] = release
            made.append(release)
        provider = None
        if addon.webhook is not None:
            judged = self._judged(addon, addon.webhook, made)
            made.append(judged)
            # A provider looks up the kinds a cluster has once: this one does it after the release.
            provider = self._make_provider(f"{self._name}-{addon.name}-kinds", [judged])
        for name, manifest in addon.objects.items():
            made.append(self._object(name, manifest, self._options([*before, *made], provider)))
        for name, manifest in addon.patches.items():
            made.append(self._object(name, manifest, self._options([*before, *made]), "Patch"))
        return made

    def _namespace(self, addon: Addon) -> pulumi.Resource:
        """The addon's namespace; some share one."""
        if addon.namespace not in self._namespaces:
            self._namespaces[addon.namespace] = self._object(
                f"{addon.namespace}-namespace", addon.namespace_object(), self._options([])
            )
        return self._namespaces[addon.namespace]

    def _secrets(self, addon: Addon) -> dict[str, Object]:
        """The Secrets with values of the stack's that it refers to, by their resource names."""
        given = passwords(self._args.bgp_passwords, addon.passwords.values())
        made = {
            f"{addon.name}-{name}": secrets.manifest(
                addon.namespace, name, {"password": given[sessions]}, "kubernetes.io/basic-auth"
            )
            for name, sessions in addon.passwords.items()
        }
        lines = pulumi.Output.secret(self._args.secrets or "")
        for name, keys in addon.secrets.items():
            form = addon.forms.get(name, Form())
            filled = partial(secrets.filled, f"{addon.namespace}/{name}", keys, form)
            words = list(form.texts or keys)
            values = {key: lines.apply(partial(_one, filled, key)) for key in words}
            made[f"{addon.namespace}-{name}-secret"] = secrets.manifest(
                addon.namespace, name, {**form.plain, **values}, labels=form.labels
            )
        return made

    def _trusted(
        self, addon: Addon, wanted: Identity, before: Sequence[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        """The Secret that the addon signs with, and the ConfigMap that its pods believe."""
        pair, roots = identity.made(self._name, wanted, addon.namespace, self)
        return [
            self._secret(f"{addon.name}-issuer", pair, before),
            self._object(f"{addon.name}-roots", roots, self._options(before)),
        ]

    def _secret(
        self, name: str, manifest: Object, depends_on: Sequence[pulumi.Resource]
    ) -> pulumi.Resource:
        # The API answers with the values again, as `data`.
        hidden = pulumi.ResourceOptions(additional_secret_outputs=["data", "stringData"])
        options = pulumi.ResourceOptions.merge(self._options(depends_on), hidden)
        return self._object(name, manifest, options)

    def _release(
        self, addon: Addon, chart: Chart, depends_on: Sequence[pulumi.Resource]
    ) -> Release:
        options = self._options(depends_on)
        # A release cannot be deleted from a cluster that is gone, and another cluster is the only
        # reason for which one of these is ever replaced.
        options.retain_on_delete = True
        ours = cut_off.Release(
            name=addon.name,
            namespace=addon.namespace,
            chart=cut_off.chart_name(chart.chart, chart.version),
            description=f"{pulumi.get_project()}/{pulumi.get_stack()}",
        )
        options.hooks = pulumi.ResourceHookBinding(
            on_error=[cut_off.hook(f"{self._name}-{addon.name}", ours, self._args.kubeconfig)]
        )
        return Release(
            addon.name,
            ReleaseArgs(
                name=addon.name,
                namespace=addon.namespace,
                chart=chart.chart,
                version=chart.version,
                repository_opts=None
                if chart.repository is None
                else RepositoryOptsArgs(repo=chart.repository),
                values=addon.chart_values,
                description=ours.description,
                timeout=chart.timeout,
                cleanup_on_fail=True,
                max_history=5,
            ),
            opts=options,
        )

    def _mint(
        self, addon: Addon, secret: MadeAhead, depends_on: Sequence[pulumi.Resource]
    ) -> HostAction:
        """There once the cluster has the Secret; the value is known to nobody else."""
        return HostAction(
            f"{self._name}-{secret.name}",
            HostActionArgs(
                machine=self._args.control_plane,
                name=secret.name,
                guard=render.minted_guard(addon.namespace, secret),
                do=render.mint(addon.namespace, secret),
                seconds=60,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(depends_on)),
        )

    def _judged(
        self, addon: Addon, webhook: Webhook, depends_on: Sequence[pulumi.Resource]
    ) -> HostAction:
        """There once the webhook accepts the addon's objects."""
        wanted = list(addon.objects.values())
        return HostAction(
            f"{self._name}-{addon.name}-webhook",
            HostActionArgs(
                machine=self._args.control_plane,
                name=f"{addon.name}-webhook",
                guard=render.webhook_guard(wanted),
                do=render.webhook_wait(wanted, webhook, WEBHOOK_SECONDS),
                epoch="1" if addon.chart is None else addon.chart.version,
                seconds=WEBHOOK_SECONDS + 30,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(depends_on)),
        )

    def _object(
        self, name: str, manifest: Object, options: pulumi.ResourceOptions, how: str = ""
    ) -> pulumi.Resource:
        # Any kind that a cluster knows, as its manifest: the SDK's classes are one a kind, and one
        # more, its name with "Patch" behind it, for some fields of an object that somebody made.
        version = manifest["apiVersion"]
        kind = f"{version if '/' in version else f'core/{version}'}:{manifest['kind']}{how}"
        return pulumi.CustomResource(
            f"kubernetes:{kind}",
            name,
            {**manifest},
            pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(version=_SDK)),
        )


def _one(filled: Callable[[str], Mapping[str, str]], key: str, lines: str) -> str:
    return filled(lines)[key]
