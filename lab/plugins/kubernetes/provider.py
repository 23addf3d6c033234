"""The provider: its configuration, the one cluster it talks to, its resource types."""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lab.plugins.kubernetes import kubeconfig
from lab.plugins.kubernetes.client import ApiError, Cluster, Unreachable
from lab.plugins.kubernetes.kubeconfig import Access, KubeconfigError
from lab.plugins.kubernetes.objects import gvk_of_token, sdk_class
from lab.plugins.kubernetes.ready import pause
from lab.plugins.kubernetes.release import ReleaseResource
from lab.plugins.kubernetes.resource import ObjectResource, object_resource
from lab.plugins.server import (
    UNKNOWN,
    CheckFailed,
    Context,
    Diff,
    PluginError,
    Properties,
    Provider,
    ReadResult,
    Resource,
    compare,
)

FIRST_CONTACT_SECONDS: Final = 15.0
"""How long an update waits for an API server that does not answer at first."""
FORGET_SECONDS: Final = 30.0
"""How long an API server that did not answer is taken to be unreachable without asking again."""

UNSUPPORTED_CONFIG: Final = {
    "alwaysRender": "rendering to a directory is not part of this stand-in",
    "renderYamlToDirectory": "rendering to a directory is not part of this stand-in",
    "helmReleaseSettings": "helm runs with a home of its own here",
    "kubeClientSettings": "the client's rate is not limited here",
}
ENVIRONMENT: Final = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
}
"""Flags that an environment variable sets when the program does not (as upstream)."""

REFUSED: Final = {
    "kubernetes:helm.sh/v3:Chart": "use kubernetes:helm.sh/v3:Release (real Helm, with hooks)",
    "kubernetes:helm.sh/v4:Chart": "use kubernetes:helm.sh/v3:Release (real Helm, with hooks)",
    "kubernetes:kustomize:Directory": "write its resources as typed resources",
    "kubernetes:kustomize/v2:Directory": "write its resources as typed resources",
    "kubernetes:yaml:ConfigFile": "write its resources as typed resources",
    "kubernetes:yaml:ConfigGroup": "write its resources as typed resources",
    "kubernetes:yaml/v2:ConfigFile": "write its resources as typed resources",
    "kubernetes:yaml/v2:ConfigGroup": "write its resources as typed resources",
}


class KubernetesProvider(Provider):
    """One provider instance: one cluster."""

    name = "kubernetes"
    version = "4.34.2"
    config_sdk = "pulumi_kubernetes:Provider"
    config_secrets = frozenset({"kubeconfig"})

    def __init__(self) -> None:
        super().__init__()
        self._kinds = threading.Lock()
        self._by_kind: dict[str, Resource] = {}
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None
        self._silence = _Silence()
        self._access: Access | None = None
        self._broken = "it is not configured"
        self._loaded: Mapping[str, Any] | None = None

    # -- resource types

    def resource(self, token: str) -> Resource | None:
        with self._kinds:
            if token not in self._by_kind:
                made = self._make(token)
                if made is None:
                    return None
                self._by_kind[token] = made
            return self._by_kind[token]

    def _make(self, token: str) -> Resource | None:
        if token == ReleaseResource.token:
            return ReleaseResource(self)
        if token in REFUSED:
            raise PluginError(f"{token} is refused by this stand-in: {REFUSED[token]}")
        gvk = gvk_of_token(token)
        if gvk is None:
            return None
        sdk = sdk_class(gvk)
        if sdk and gvk.kind.endswith("Patch"):
            raise PluginError(
                f"{token}: patch resources are refused by this stand-in: let the resource that "
                "owns the object write the field"
            )
        if sdk and gvk.kind.endswith("List"):
            raise PluginError(
                f"{token}: list resources exist for compatibility with YAML manifests and cannot "
                "be created directly; use the underlying resource type"
            )
        resource: ObjectResource = object_resource(token, gvk, sdk, self)
        return resource

    # -- configuration

    def check_config(self, ctx: Context, news: Properties) -> Properties:
        wrong = {name: why for name, why in UNSUPPORTED_CONFIG.items() if news.get(name)}
        if news.get("enableServerSideApply") is False:
            wrong["enableServerSideApply"] = (
                "client-side apply is not part of this stand-in; leave it out or set it to true"
            )
        config = news.get("kubeconfig")
        if isinstance(config, str) and config and not wrong:
            try:
                kubeconfig.load(config)
            except KubeconfigError as error:
                wrong["kubeconfig"] = str(error)
        if wrong:
            raise CheckFailed(wrong)
        return news

    def diff_config(self, ctx: Context, olds: Properties, news: Properties) -> Diff:
        """With a `clusterIdentifier` that stays, nothing replaces; one that changes does. Without
        one, a kubeconfig that points at another cluster, or is not known yet, replaces."""
        old_id, new_id = olds.get("clusterIdentifier"), news.get("clusterIdentifier")
        if old_id is not None and new_id is not None:
            return compare(olds, news, replace_on={"clusterIdentifier"})
        places = ("kubeconfig", "context", "cluster")
        unknown = [name for name in places if news.get(name) is UNKNOWN]
        if unknown:
            return compare(olds, news, replace_on=set(unknown))
        before, after = _active_cluster(olds), _active_cluster(news)
        moved = before is not None and after is not None and before != after
        return compare(olds, news, replace_on=set(places) if moved else set())

    def configure(self, ctx: Context, config: Properties) -> None:
        self.close()
        self.config = config
        self._access, self._loaded, self._broken, self._silence = None, None, "", _Silence()
        contents = config.get("kubeconfig")
        if contents is UNKNOWN:
            self._broken = "its kubeconfig is not known before the update"
            return
        try:
            self._loaded = kubeconfig.load(contents or _ambient())
            self._access = kubeconfig.access(
                self._loaded,
                context=config.get("context") or "",
                cluster=config.get("cluster") or "",
            )
        except KubeconfigError as error:
            self._broken = str(error)

    def flag(self, name: str) -> bool:
        """A boolean of the configuration, or of the environment variable that stands for it;
        `kubeconfigKnown` says whether the kubeconfig is."""
        if name == "kubeconfigKnown":
            return self.config.get("kubeconfig") is not UNKNOWN
        value = self.config.get(name)
        if value is None:
            return os.environ.get(ENVIRONMENT.get(name, "")) == "true"
        return value is True

    @property
    def delete_unreachable(self) -> bool:
        return self.flag("deleteUnreachable")

    @property
    def default_namespace(self) -> str:
        configured = self.config.get("namespace")
        if isinstance(configured, str) and configured:
            return configured
        return (self._access.namespace if self._access else "") or "default"

    @property
    def kubeconfig(self) -> Mapping[str, Any] | None:
        return self._loaded

    @property
    def context(self) -> str:
        return self._access.context if self._access else ""

    # -- the cluster

    def cluster(self, ctx: Context) -> Cluster:
        """The cluster. Raises PluginError when it cannot be reached."""
        reason = self.unreachable(ctx)
        if reason or self._cluster is None:
            raise PluginError(
                f"configured Kubernetes cluster is unreachable: {reason}\ncheck that the API "
                "server runs and that this machine reaches the address in the kubeconfig"
            )
        return self._cluster

    def unreachable(self, ctx: Context, *, patient: bool = True) -> str:
        """Why the cluster cannot be used, "" when it can.

        A patient update asks for `FIRST_CONTACT_SECONDS`, everything else once; an answer that
        did not come is remembered for `FORGET_SECONDS`.
        """
        patient = patient and not ctx.preview
        if self._broken or self._access is None:
            return self._broken
        with self._lock:
            if self._cluster is not None:
                return ""
            if self._silence.holds(patient):
                return self._silence.reason
            try:
                candidate = Cluster(self._access)
            except KubeconfigError as error:
                self._broken = str(error)
                return self._broken
            reason = _contact(ctx, candidate, FIRST_CONTACT_SECONDS if patient else 0.0)
            if reason:
                candidate.close()
                self._silence = _Silence(reason, patient, time.monotonic())
            else:
                self._cluster = candidate
            return reason

    def read_unreachable(
        self, ctx: Context, id: str, state: Properties, inputs: Properties, reason: str
    ) -> ReadResult | None:
        """The answer to a read of a cluster that does not answer: drop it (deleteUnreachable), keep
        the state (skipUpdateUnreachable), else PluginError."""
        ctx.log(f"configured Kubernetes cluster is unreachable: {reason}", "warning")
        if self.delete_unreachable:
            ctx.log("deleteUnreachable is set: dropped from the state")
            return None
        if self.flag("skipUpdateUnreachable"):
            ctx.log("skipUpdateUnreachable is set: the state may differ from the cluster")
            return ReadResult(id=id, outputs=state, inputs=inputs)
        raise PluginError(
            f"failed to read resource state due to unreachable cluster: {reason}\nif the cluster "
            "is gone for good, set deleteUnreachable on the provider (or "
            "PULUMI_K8S_DELETE_UNREACHABLE=true) to drop its resources from the state"
        )

    def close(self) -> None:
        with self._lock:
            if self._cluster:
                self._cluster.close()
                self._cluster = None


@dataclass(frozen=True)
class _Silence:
    """An API server that did not answer: why, whether it was asked patiently, and when."""

    reason: str = ""
    patient: bool = False
    at: float = 0.0

    def holds(self, patient: bool) -> bool:
        """Whether that is answer enough, for one who would (not) ask patiently."""
        fresh = time.monotonic() - self.at < FORGET_SECONDS
        return bool(self.reason) and fresh and (self.patient or not patient)


def _contact(ctx: Context, cluster: Cluster, seconds: float) -> str:
    end = time.monotonic() + seconds
    while True:
        try:
            cluster.version()
            return ""
        except ApiError as refused:
            if refused.status in {401, 403}:
                return f"{cluster.where.cluster.get('server')}: {refused.message}"
            reason = str(refused)
        except Unreachable as wrong:
            reason = str(wrong)
        if time.monotonic() >= end:
            return reason
        pause(ctx, 1.0)


def _active_cluster(config: Properties) -> Mapping[str, Any] | None:
    contents = config.get("kubeconfig")
    if not isinstance(contents, str) or not contents:
        return None
    try:
        loaded = kubeconfig.load(contents)
    except KubeconfigError:
        return None
    return kubeconfig.active_cluster(
        loaded, context=config.get("context") or "", cluster=config.get("cluster") or ""
    )


def _ambient() -> str:
    """The kubeconfig of the environment, when the program gives none."""
    return os.environ.get("KUBECONFIG") or "~/.kube/config"
