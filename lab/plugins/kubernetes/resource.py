"""Any Kubernetes object as a resource: `kubernetes:GROUP/VERSION:Kind` and custom resources."""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

from typing import Any, ClassVar, Final

from lab.plugins.kubernetes import apply, drift, immutable, naming
from lab.plugins.kubernetes.client import ApiError, Cluster, NoSuchKind, Unreachable
from lab.plugins.kubernetes.objects import (
    CLUSTER_WIDE,
    FIELD_MANAGER,
    PATCH_FORCE,
    PROPAGATION,
    REPLACE_UNREADY,
    SERVER_METADATA,
    SKIP_AWAIT,
    Gvk,
    Obj,
    annotation,
    gvk_of,
    marked,
    name_of,
    namespace_of,
    own_fields,
    parse_identifier,
    pluck,
    stored,
    with_default_namespace,
    with_metadata,
)
from lab.plugins.kubernetes.ready import NotReady, time_limit, until_gone, until_ready
from lab.plugins.kubernetes.settings import Settings
from lab.plugins.kubernetes.waits import wait_for
from lab.plugins.server import (
    UNKNOWN,
    CheckFailed,
    Context,
    Created,
    Diff,
    PartialFailure,
    PluginError,
    Properties,
    ReadResult,
    Resource,
    compare,
    has_unknown,
)

MANAGER: Final = "__fieldManager"
INITIAL_VERSION: Final = "__initialApiVersion"
SKIPPABLE_DELETE: Final = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)
"""Kinds whose deletion is not awaited either under `pulumi.com/skipAwait` (as upstream)."""


class ObjectResource(Resource):
    """One kind of object, by server-side apply. Subclasses made by `object_resource` say which."""

    gvk: ClassVar[Gvk]
    computed = frozenset({"status", MANAGER, INITIAL_VERSION})

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    # -- inputs

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        if marked(news, REPLACE_UNREADY):
            path = f'metadata.annotations["{REPLACE_UNREADY}"]'
            raise CheckFailed({path: "is not supported by this stand-in"})
        wait_for(self.gvk, news)
        news = {"apiVersion": self.gvk.api_version, "kind": self.gvk.kind, **news}
        metadata = news.get("metadata")
        if metadata is not UNKNOWN:
            kept = {k: v for k, v in (metadata or {}).items() if k not in SERVER_METADATA}
            news["metadata"] = kept
        name = ctx.name or ctx.urn.rsplit("::", 1)[-1]
        news = naming.assign(news, olds, name, ctx.random_seed)
        if pluck(news, "metadata", "namespace") is None and self._namespaced(ctx):
            news = with_metadata(news, namespace=self._settings.default_namespace)
        return news

    def _namespaced(self, ctx: Context) -> bool:
        """Whether the kind has a namespace; a kind nobody knows yet is taken to have one."""
        if (self.gvk.group, self.gvk.kind) in CLUSTER_WIDE:
            return False
        if self._settings.unreachable(ctx, patient=False):
            return True
        try:
            return self._settings.cluster(ctx).kind(self.gvk).namespaced
        except PluginError:
            return True

    def diff(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Diff:
        replacing = immutable.replace_on(
            self.gvk, news,
            mutable_config_maps=self._settings.flag("enableConfigMapMutable"),
            mutable_secrets=self._settings.flag("enableSecretMutable"),
        )  # fmt: skip
        olds, news = dict(olds), dict(news)
        if not self._namespaced(ctx):
            olds, news = with_metadata(olds, namespace=None), with_metadata(news, namespace=None)
        else:
            olds, news = with_default_namespace(olds), with_default_namespace(news)
        diff = compare(olds, news, replace_on=replacing)
        namespace, name = parse_identifier(id)
        diff.delete_before_replace = (
            bool(diff.replaces)
            and not naming.is_autonamed(news)
            and name_of(news) == name
            and (namespace_of(news) or "default") == (namespace or "default")
        )
        return diff

    # -- previews

    def preview_create(self, ctx: Context, inputs: Properties) -> Properties:
        """Nothing beyond the inputs; the API server validates them by a dry run where it can."""
        if self._dry_run(ctx, inputs, manager="pulumi-kubernetes-preview", fresh=True) is None:
            return {}
        return {MANAGER: UNKNOWN}

    def preview_update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        manager = str(state.get(MANAGER) or "pulumi-kubernetes-preview")
        live = self._dry_run(ctx, news, manager=manager, fresh=False)
        return {**live, "status": state.get("status")} if live else {}

    def _dry_run(
        self, ctx: Context, inputs: Properties, *, manager: str, fresh: bool
    ) -> Obj | None:
        """The object a real run would give, None when that cannot be told. Raises the API server's
        refusal of the object itself."""
        if has_unknown(inputs):
            return None
        reason = self._settings.unreachable(ctx)
        if reason:
            if self._settings.flag("kubeconfigKnown"):
                ctx.log(f"configured Kubernetes cluster is unreachable: {reason}", "warning")
            return None
        cluster, gvk = self._settings.cluster(ctx), gvk_of(inputs, self.gvk)
        namespace, name = namespace_of(inputs), name_of(inputs)
        try:
            if fresh and cluster.get(gvk, namespace, name) is not None:
                return None  # It is about to be replaced, or will be refused by the real run.
            return apply.applied(
                cluster, gvk, inputs, manager=manager, dry_run=True,
                force=fresh or self._force(inputs),
            )  # fmt: skip
        except (NoSuchKind, Unreachable):
            return None
        except ApiError as refused:
            # Not there yet: a namespace, a webhook. Not for us: no right to a dry run.
            if refused.status in {403, 404, 503, 504} or refused.webhook_not_ready:
                return None
            raise

    # -- the real thing

    def create(self, ctx: Context, inputs: Properties) -> Created:
        cluster, gvk = self._settings.cluster(ctx), gvk_of(inputs, self.gvk)
        seconds = time_limit(ctx, inputs)
        manager = annotation(inputs, FIELD_MANAGER) or naming.unique_name("pulumi-kubernetes", b"")
        live = apply.create(
            ctx, cluster, gvk, inputs, manager=manager, force=self._force(inputs),
            upsert=self._settings.flag("upsertExistingObjects"), seconds=seconds,
        )  # fmt: skip
        extra = {MANAGER: manager, INITIAL_VERSION: gvk.api_version}
        live = self._awaited(ctx, cluster, gvk, inputs, live, extra=extra, before=None)
        return Created(id=drift.id_of(live), outputs={**live, **extra})

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        cluster, gvk = self._settings.cluster(ctx), gvk_of(news, self.gvk)
        seconds = time_limit(ctx, news)
        before = stored(state)
        manager = (
            annotation(news, FIELD_MANAGER)
            or str(state.get(MANAGER) or "")
            or naming.unique_name("pulumi-kubernetes", b"")
        )
        live = apply.update(
            ctx, cluster, gvk, news, manager=manager, force=self._force(news), seconds=seconds
        )
        extra = {MANAGER: manager, INITIAL_VERSION: state.get(INITIAL_VERSION) or gvk.api_version}
        live = self._awaited(ctx, cluster, gvk, news, live, extra=extra, before=before)
        return {**live, **extra}

    def _awaited(
        self, ctx: Context, cluster: Cluster, gvk: Gvk, inputs: Obj, live: Obj, *,
        extra: Properties, before: Obj | None,
    ) -> Obj:  # fmt: skip
        wait = wait_for(gvk, inputs)
        if wait is None:
            return live
        seconds = time_limit(ctx, inputs)
        try:
            ready = until_ready(ctx, cluster, gvk, live, wait, seconds=seconds, before=before)
            return apply.from_server(ready)
        except PluginError as wrong:
            # It exists: whatever ended the wait, the state must keep it.
            latest = wrong.live if isinstance(wrong, NotReady) else live
            reasons = wrong.reasons if isinstance(wrong, NotReady) else [str(wrong)]
            outputs = {**apply.from_server(latest), **extra}
            raise PartialFailure(drift.id_of(latest), outputs, reasons) from None

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        reason = self._settings.unreachable(ctx)
        if reason:
            return self._settings.read_unreachable(ctx, id, state, inputs, reason)
        cluster, gvk = self._settings.cluster(ctx), gvk_of(inputs or state, self.gvk)
        namespace, name = parse_identifier(id)
        if not namespace and self._namespaced(ctx):
            namespace = "default"
        try:
            live = cluster.get(gvk, namespace, name)
        except NoSuchKind:
            return None
        if live is None:
            return None
        live = apply.from_server(live)
        extra = {key: state[key] for key in (MANAGER, INITIAL_VERSION) if state.get(key)}
        if not inputs:
            return ReadResult(id=id, outputs={**live, **extra}, inputs=own_fields(live))
        return ReadResult(id=id, outputs={**live, **extra}, inputs=drift.seen(inputs, live))

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        reason = self._settings.unreachable(ctx)
        if reason:
            ctx.log(f"configured Kubernetes cluster is unreachable: {reason}", "warning")
            if self._settings.delete_unreachable:
                ctx.log("deleteUnreachable is set: dropped from the state, not deleted")
                return
            raise PluginError(
                f"configured Kubernetes cluster is unreachable: {reason}\nif the cluster is gone "
                "for good, set deleteUnreachable on the provider (or "
                "PULUMI_K8S_DELETE_UNREACHABLE=true) to drop its resources from the state"
            )
        cluster, gvk = self._settings.cluster(ctx), gvk_of(state or inputs, self.gvk)
        namespace, name = parse_identifier(id)
        policy = annotation(inputs, PROPAGATION).lower()

        def attempt() -> Obj | None:
            """The object whose deletion was asked for, None when there is none."""
            live = cluster.get(gvk, namespace, name)
            return live if live and apply.delete(cluster, gvk, live, policy=policy) else None

        seconds = time_limit(ctx, inputs)
        try:
            going = apply.patiently(ctx, attempt, seconds=seconds)
        except NoSuchKind:
            return
        if going is None or (marked(inputs, SKIP_AWAIT) and gvk.kind in SKIPPABLE_DELETE):
            return
        try:
            until_gone(ctx, cluster, gvk, going, seconds=time_limit(ctx, inputs))
        except NotReady as wrong:
            raise PluginError(str(wrong)) from None

    def _force(self, inputs: Obj) -> bool:
        return marked(inputs, PATCH_FORCE) or self._settings.flag("enablePatchForce")


class SecretResource(ObjectResource):
    """A Secret: its data is secret whether or not the program said so."""

    secrets = frozenset({"data", "stringData"})


def object_resource(token: str, gvk: Gvk, sdk: str | None, settings: Settings) -> ObjectResource:
    """The resource type of one token."""
    secret = (gvk.group, gvk.kind) == ("", "Secret")
    members: dict[str, Any] = {"token": token, "gvk": gvk, "sdk": sdk}
    made = type(f"{gvk.kind}Object", (SecretResource if secret else ObjectResource,), members)
    resource: ObjectResource = made(settings)
    return resource
