"""The resource `kubernetes:helm.sh/v3:Release`: real Helm releases."""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from lab.plugins.kubernetes import helm, releases, trouble
from lab.plugins.kubernetes.helm import GRACE_SECONDS, Helm, HelmError
from lab.plugins.kubernetes.naming import unique_name
from lab.plugins.kubernetes.objects import parse_identifier
from lab.plugins.kubernetes.ready import EVENT, POD
from lab.plugins.kubernetes.releases import Release
from lab.plugins.kubernetes.settings import Settings
from lab.plugins.server import (
    CheckFailed,
    Context,
    Created,
    Diff,
    PartialFailure,
    PluginError,
    Properties,
    ReadResult,
    Resource,
    has_unknown,
)

PENDING: Final = frozenset({"pending-install", "pending-upgrade", "pending-rollback"})
"""States that lock a release: a helm that was cut off leaves them behind."""


class ReleaseResource(Resource):
    """A Helm release. Its inputs keep the chart's resolved version, so that a constraint upgrades
    when the repository has something newer."""

    token = "kubernetes:helm.sh/v3:Release"  # noqa: S105 (a type token)
    sdk = "pulumi_kubernetes.helm.v3:Release"
    computed = frozenset({"status", "resourceNames"})
    volatile = frozenset({"status", "resourceNames"})

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        inputs = releases.checked(
            news, olds, namespace=self._settings.default_namespace,
            new_name=unique_name(ctx.name or ctx.urn.rsplit("::", 1)[-1], ctx.random_seed),
        )  # fmt: skip
        if has_unknown(inputs):
            return inputs
        release = Release(inputs)
        try:
            with helm.session(ctx) as offline:
                _, chart = offline.chart(
                    release.chart, release.version, release.repository, release.pull_options
                )
        except HelmError as wrong:
            reason = f"{wrong}; check the chart name and repository configuration."
            raise CheckFailed({"chart": reason}) from None
        if chart.get("type", "application") not in {"", "application"}:
            raise CheckFailed({"chart": f"{chart['type']} charts are not installable"})
        return {**inputs, "version": str(chart.get("version", ""))}

    def diff(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Diff:
        return releases.difference(olds, news)

    def create(self, ctx: Context, inputs: Properties) -> Created:
        release = Release(inputs)
        with self._session(ctx) as session:
            self._clear_the_way(ctx, session, release)
            self._carry_out(ctx, session, release, "install")
            return Created(id=release.id, outputs=_outputs(session, release))

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        release = Release(news)
        with self._session(ctx) as session:
            self._carry_out(ctx, session, release, self._unlock(ctx, session, release))
            return _outputs(session, release)

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        reason = self._settings.unreachable(ctx)
        if reason:
            return self._settings.read_unreachable(ctx, id, state, inputs, reason)
        namespace, name = parse_identifier(id)
        release = Release({"namespace": namespace, "name": name})
        with self._session(ctx) as session:
            metadata = _metadata(session, release)
            if metadata is None:
                return None
            found = _outputs(session, release)
            if inputs:
                return ReadResult(id=id, outputs={**state, **found})
            where = ["--namespace", release.namespace]
            values = session.json(["get", "values", name, *where]) or {}
        imported = {
            "name": name,
            "namespace": release.namespace,
            "chart": found["status"]["chart"],
            "version": found["status"]["version"],
            "values": values,
            "timeout": releases.DEFAULT_TIMEOUT,
        }
        return ReadResult(id=release.id, outputs=found, inputs=imported)

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        reason = self._settings.unreachable(ctx)
        if reason:
            # As upstream: deleteUnreachable drops a release on refresh only.
            raise PluginError(
                f"can't delete Helm Release with unreachable cluster: {reason}\n"
                "if the cluster is gone for good, `pulumi refresh` with deleteUnreachable set on "
                "the provider removes the release from the state"
            )
        namespace, name = parse_identifier(id)
        release = Release({**state, **inputs, "namespace": namespace, "name": name})
        with self._session(ctx) as session:
            ctx.status("helm uninstall")
            try:
                session.run(release.uninstall(), seconds=release.timeout + GRACE_SECONDS)
            except HelmError as wrong:
                raise PluginError(
                    "\n".join([f"helm uninstall: {wrong}", *self._trouble(ctx, release)])
                ) from None

    @contextmanager
    def _session(self, ctx: Context) -> Iterator[Helm]:
        self._settings.cluster(ctx)
        with helm.session(ctx, self._settings.kubeconfig, self._settings.context) as session:
            yield session

    def _clear_the_way(self, ctx: Context, session: Helm, release: Release) -> None:
        """Before an install: a release that an earlier, failed or cut-off install left is removed;
        one that works is not ours to overwrite."""
        metadata = _metadata(session, release)
        if metadata is None or release.inputs.get("replace"):
            return
        status = str(metadata.get("status"))
        if releases.last_good(_history(session, release)) is not None:
            raise PluginError(
                f"helm release {release.id} exists already ({status}, revision "
                f"{metadata.get('revision')}): cannot re-use a name that is still in use. "
                f"`pulumi import kubernetes:helm.sh/v3:Release {ctx.name} {release.id}` takes it "
                f"over; `helm uninstall --namespace {release.namespace} {release.name}` removes it"
            )
        ctx.log(f"removing the {status} release {release.id} of an earlier run", "warning")
        session.run([*release.uninstall()], seconds=release.timeout + GRACE_SECONDS)

    def _unlock(self, ctx: Context, session: Helm, release: Release) -> str:
        """Before an upgrade: makes it possible, and says whether to `upgrade` or to `install`."""
        metadata = _metadata(session, release)
        if metadata is None:
            return "install"
        status = str(metadata.get("status"))
        if status not in PENDING and status != "uninstalling":
            return "upgrade"
        good = releases.last_good(_history(session, release))
        if good is None or status == "uninstalling":
            ctx.log(f"removing the {status} release {release.id} of an earlier run", "warning")
            session.run(release.uninstall(), seconds=release.timeout + GRACE_SECONDS)
            return "install"
        ctx.log(f"rolling the {status} release {release.id} back to revision {good}", "warning")
        session.run(["rollback", release.name, str(good), "--namespace", release.namespace])
        return "upgrade"

    def _carry_out(self, ctx: Context, session: Helm, release: Release, action: str) -> None:
        chart, _ = session.chart(
            release.chart, release.version, release.repository, release.pull_options
        )
        arguments = getattr(release, action)(str(chart))
        ctx.status(f"helm {action}: waiting up to {release.timeout} s")
        try:
            session.run(
                arguments, stdin=json.dumps(release.values),
                seconds=ctx.remaining(release.timeout + GRACE_SECONDS),
            )  # fmt: skip
        except HelmError as wrong:
            said = str(wrong)
            reasons = [f"helm {action} {release.id}: {said}", *self._trouble(ctx, release)]
            left = _metadata(session, release)
            if left is None or (release.inputs.get("atomic") and action == "install"):
                raise PluginError("\n".join(reasons)) from None
            raise PartialFailure(release.id, _outputs(session, release), reasons) from None
        ctx.status("")

    def _trouble(self, ctx: Context, release: Release) -> list[str]:
        """What the namespace's pods and events say, after helm failed."""
        try:
            cluster = self._settings.cluster(ctx)
            pods = cluster.list(POD, release.namespace)
            events = cluster.list(EVENT, release.namespace)
        except PluginError as wrong:
            return [f"(pods and events could not be read: {wrong})"]
        involved = [{"metadata": {"uid": event["involvedObject"].get("uid")}} for event in events]
        return trouble.containers(pods) + trouble.warnings(events, involved)


def _metadata(session: Helm, release: Release) -> dict[str, Any] | None:
    """`helm get metadata`, None when there is no such release."""
    try:
        answer = session.json(["get", "metadata", release.name, "--namespace", release.namespace])
    except HelmError as wrong:
        if "release: not found" in str(wrong):
            return None
        raise
    return dict(answer)


def _history(session: Helm, release: Release) -> list[dict[str, Any]]:
    return list(session.json(["history", release.name, "--namespace", release.namespace]))


def _outputs(session: Helm, release: Release) -> Properties:
    where = ["--namespace", release.namespace]
    metadata = _metadata(session, release) or {}
    return releases.outputs(metadata, session.run(["get", "manifest", release.name, *where]))
