"""Creating, changing and deleting objects, with the retries that a starting cluster needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from lab.plugins.kubernetes.client import ApiError, Cluster, NoSuchKind, Unreachable
from lab.plugins.kubernetes.objects import Gvk, Obj, items, name_of, namespace_of, pluck, text
from lab.plugins.kubernetes.ready import pause
from lab.plugins.server import Context, PluginError

Answer = TypeVar("Answer")

KIND_SECONDS = 31.0
"""How long a missing kind or namespace is asked for again (a CRD just created takes a moment)."""
STARTING_SECONDS = 120.0
"""How long an admission webhook or an API server that does not answer yet is waited for."""

_DASHED = {
    f"x_kubernetes_{name.replace('-', '_')}": f"x-kubernetes-{name}"
    for name in (
        "embedded-resource", "int-or-string", "list-map-keys", "list-type", "map-type",
        "preserve-unknown-fields", "validations",
    )
}  # fmt: skip
_UNDERSCORED = {dashed: name for name, dashed in _DASHED.items()}


class AlreadyExists(PluginError):
    """An object that is to be created is there already."""


class Conflict(PluginError):
    """Another manager owns a field that is to be changed."""


def to_server(value: Obj) -> Obj:
    """The object with the `x-kubernetes-` names that the SDKs cannot write."""
    renamed = _renamed(value, _DASHED)
    assert isinstance(renamed, dict)
    return renamed


def from_server(value: Obj) -> Obj:
    """The object with names that the SDKs can read; the inverse of `to_server`."""
    renamed = _renamed(value, _UNDERSCORED)
    assert isinstance(renamed, dict)
    return renamed


def _renamed(value: object, names: dict[str, str]) -> object:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value


def create(
    ctx: Context, cluster: Cluster, gvk: Gvk, obj: Obj, *, manager: str, force: bool,
    upsert: bool, seconds: float,
) -> Obj:  # fmt: skip
    """The created object. Raises AlreadyExists (unless `upsert`), Conflict, ApiError, NoSuchKind,
    Unreachable."""
    metadata = obj["metadata"]
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    doubtful = False

    def attempt() -> Obj:
        nonlocal doubtful
        if not upsert:
            present = cluster.get(gvk, namespace, name)
            # After a lost answer our own first attempt may have made it.
            if present is not None and not (doubtful and _managed_by(present, manager)):
                raise AlreadyExists(already_exists(gvk, namespace, name))
        try:
            return applied(cluster, gvk, obj, manager=manager, force=force)
        except Unreachable:
            doubtful = True
            raise

    return patiently(ctx, attempt, seconds=seconds)


def _managed_by(live: Obj, manager: str) -> bool:
    return any(
        pluck(entry, "manager") == manager for entry in items(live, "metadata", "managedFields")
    )


def already_exists(gvk: Gvk, namespace: str, name: str) -> str:
    where = f"{gvk.kind} {'/'.join(filter(None, [namespace, name]))}"
    return (
        f"{where} already exists in the cluster. If an earlier run made it and was cut off, or it "
        "should be taken over, either `pulumi import` it or set upsertExistingObjects on the "
        "provider; if it was renamed in the program, give the resource an alias"
    )


def update(
    ctx: Context, cluster: Cluster, gvk: Gvk, obj: Obj, *, manager: str, force: bool,
    seconds: float,
) -> Obj:  # fmt: skip
    """The changed object. Raises Conflict, ApiError, NoSuchKind, Unreachable."""
    return patiently(
        ctx, lambda: applied(cluster, gvk, obj, manager=manager, force=force), seconds=seconds
    )


def applied(
    cluster: Cluster, gvk: Gvk, obj: Obj, *, manager: str, force: bool, dry_run: bool = False
) -> Obj:
    """One server-side apply. Raises Conflict naming the owners of the fields in question."""
    try:
        live = cluster.apply(gvk, to_server(obj), manager=manager, force=force, dry_run=dry_run)
    except ApiError as refused:
        if refused.status == 409 and "conflict" in refused.message.lower():
            raise Conflict(
                f"{refused.message}\nfield manager {manager} does not own these fields: leave "
                'them out, or take them over with the annotation pulumi.com/patchForce: "true"'
            ) from None
        raise
    return from_server(live)


def delete(cluster: Cluster, gvk: Gvk, live: Obj, *, policy: str) -> bool:
    """Asks for deletion of a live object; False when it is gone already.

    Children go first (foreground) unless the policy says `background` or `orphan`. Raises
    ApiError, Unreachable.
    """
    propagation = {"orphan": "Orphan", "background": "Background"}.get(policy, "Foreground")
    try:
        cluster.delete(
            gvk, namespace_of(live), name_of(live), propagation=propagation,
            uid=text(live, "metadata", "uid"),
        )  # fmt: skip
    except ApiError as refused:
        if refused.not_found:
            return False
        raise
    return True


def patiently(
    ctx: Context, attempt: Callable[[], Answer], *, seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:  # fmt: skip
    """Repeats an attempt that fails only because the cluster is not that far yet.

    Retried, each for a bounded time and never longer than `seconds`: a kind that discovery does
    not know, a namespace that is not there, an admission webhook that does not answer, an API
    server that is restarting or asks for patience. Anything else is raised at once; what is
    retried is raised when its time is over.
    """
    begin = clock()
    wait = 1.0
    while True:
        try:
            return attempt()
        except (NoSuchKind, ApiError, Unreachable) as wrong:
            limit = min(seconds, _patience(wrong))
            if clock() - begin + wait > limit:
                raise
            ctx.status(f"retrying: {str(wrong).splitlines()[0]}")
        pause(ctx, wait)
        wait = min(wait * 2, 8.0)


def _patience(wrong: NoSuchKind | ApiError | Unreachable) -> float:
    if isinstance(wrong, NoSuchKind):
        return KIND_SECONDS
    if isinstance(wrong, Unreachable) or wrong.webhook_not_ready:
        return STARTING_SECONDS
    if wrong.not_found:
        return KIND_SECONDS
    if wrong.status in {429, 503, 504}:
        return STARTING_SECONDS
    return 0.0
