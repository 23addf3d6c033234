"""Waiting: until an object is ready, until it is gone, with the cluster's own words on failure."""

from __future__ import annotations

import time
from collections.abc import Callable

from lab.plugins.kubernetes import trouble
from lab.plugins.kubernetes.client import ApiError, Cluster, NoSuchKind, Unreachable
from lab.plugins.kubernetes.objects import (
    TIMEOUT_SECONDS,
    Gvk,
    Obj,
    annotation,
    items,
    name_of,
    namespace_of,
    pluck,
    text,
)
from lab.plugins.kubernetes.verdict import Verdict, Wait
from lab.plugins.server import Cancelled, Context, PluginError

DEFAULT_SECONDS = 600.0
POLL_SECONDS = 0.5
"""How often the live object is read; grows to `SLOWEST_POLL_SECONDS` while nothing happens."""
SLOWEST_POLL_SECONDS = 2.0

POD = Gvk("", "v1", "Pod")
EVENT = Gvk("", "v1", "Event")
REPLICA_SET = Gvk("apps", "v1", "ReplicaSet")


class NotReady(PluginError):
    """The object exists but is not ready; `reasons` say why, in the cluster's words."""

    def __init__(self, live: Obj, reasons: list[str]) -> None:
        super().__init__("\n".join(reasons))
        self.live = live
        self.reasons = reasons


def time_limit(ctx: Context, obj: Obj) -> float:
    """Seconds an operation may take: the resource's custom timeout, else its annotation
    `pulumi.com/timeoutSeconds`, else 10 minutes."""
    annotated = annotation(obj, TIMEOUT_SECONDS)
    default = float(annotated) if annotated.isdigit() else DEFAULT_SECONDS
    return ctx.remaining(default)


def pause(ctx: Context, seconds: float) -> None:
    """Waits, unless the run is cancelled. Raises Cancelled."""
    if ctx.cancelled.wait(max(0.0, seconds)):
        raise Cancelled(f"{ctx.name or ctx.type}: cancelled")


def until_ready(
    ctx: Context, cluster: Cluster, gvk: Gvk, live: Obj, wait: Wait, *, seconds: float,
    before: Obj | None = None, clock: Callable[[], float] = time.monotonic,
) -> Obj:  # fmt: skip
    """Waits until the object is ready; the object as it is then.

    An API server that cannot be reached is asked again until the time is over. Raises NotReady
    (after `seconds`, or at once when it can never become ready) and Cancelled.
    """
    namespace, name = namespace_of(live), name_of(live)
    end = clock() + seconds
    every = POLL_SECONDS
    verdict = Verdict(waiting_for="its first report")
    since = clock()
    silence = ""
    while True:
        try:
            found = cluster.get(gvk, namespace, name)
            if found is None:
                raise NotReady(live, [f"{gvk.kind} {namespace}/{name} was deleted meanwhile"])
            live, silence = found, ""
            around = {kind: cluster.list(kind, namespace) for kind in wait.needs}
            latest = wait.judge(live, around, before)
            if latest != verdict:
                verdict, since, every = latest, clock(), POLL_SECONDS
                if not verdict.ready:
                    ctx.status(f"waiting for {verdict.waiting_for}")
        except (Unreachable, ApiError) as wrong:
            if isinstance(wrong, ApiError) and wrong.status < 500 and wrong.status != 429:
                raise
            silence = str(wrong)
        settled = verdict.settles is not None and clock() - since >= verdict.settles
        if not silence and (verdict.ready or settled):
            ctx.status("")
            return live
        if verdict.failed or clock() >= end:
            raise NotReady(
                live, _reasons(cluster, gvk, live, verdict, seconds=seconds, silence=silence)
            )
        pause(ctx, min(every, max(0.05, end - clock())))
        every = min(SLOWEST_POLL_SECONDS, every * 1.5)


def until_gone(
    ctx: Context, cluster: Cluster, gvk: Gvk, live: Obj, *, seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> None:  # fmt: skip
    """Waits until the object (this one, by uid) is gone. Raises NotReady with the finalizers that
    hold it, and Cancelled."""
    namespace, name, uid = namespace_of(live), name_of(live), text(live, "metadata", "uid")
    end = clock() + seconds
    every = 0.1
    silence = ""
    while True:
        try:
            found = cluster.get(gvk, namespace, name)
            silence = ""
            if found is None or (uid and text(found, "metadata", "uid") != uid):
                return
            live = found
        except NoSuchKind:
            return
        except (Unreachable, ApiError) as wrong:
            if isinstance(wrong, ApiError) and wrong.status < 500 and wrong.status != 429:
                raise
            silence = str(wrong)
        if clock() >= end:
            raise NotReady(live, _held(gvk, live, seconds, silence))
        held = ", ".join(items(live, "metadata", "finalizers"))
        ctx.status(f"waiting for deletion{f' (finalizers: {held})' if held else ''}")
        pause(ctx, min(every, max(0.05, end - clock())))
        every = min(SLOWEST_POLL_SECONDS, every * 1.5)


def _held(gvk: Gvk, live: Obj, seconds: float, silence: str) -> list[str]:
    where = f"{gvk.kind} {'/'.join(filter(None, [namespace_of(live), name_of(live)]))}"
    lines = [f"{where} is still there {seconds:.0f} s after its deletion was asked for"]
    if silence:
        lines.append(f"the API server does not answer: {silence}")
    finalizers = items(live, "metadata", "finalizers") + items(live, "spec", "finalizers")
    if finalizers:
        lines.append(
            f"held by the finalizers {', '.join(finalizers)}: the controllers that remove them "
            "must run"
        )
    return lines + trouble.conditions(live)


def _reasons(
    cluster: Cluster, gvk: Gvk, live: Obj, verdict: Verdict, *, seconds: float, silence: str
) -> list[str]:
    where = f"{gvk.kind} {'/'.join(filter(None, [namespace_of(live), name_of(live)]))}"
    after = "can not become ready" if verdict.failed else f"is not ready after {seconds:.0f} s"
    lines = [f"{where} {after}: waiting for {verdict.waiting_for}"]
    if silence:
        return [*lines, f"the API server does not answer: {silence}"]
    return lines + trouble.conditions(live) + around(cluster, gvk, live)


def around(cluster: Cluster, gvk: Gvk, live: Obj) -> list[str]:
    """What the pods and events around an object say is wrong; nothing when they cannot be read."""
    namespace = namespace_of(live)
    try:
        if not namespace:
            return trouble.warnings(cluster.list(EVENT, ""), [live])
        pods = cluster.list(POD, namespace)
        sets = cluster.list(REPLICA_SET, namespace) if gvk.kind == "Deployment" else []
        family = trouble.descendants(live, [*sets, *pods])
        if gvk.kind == "Service":
            family += trouble.selected(pods, pluck(live, "spec", "selector"))
        uids = {text(obj, "metadata", "uid") for obj in family}
        own = [pod for pod in pods if text(pod, "metadata", "uid") in uids]
        return trouble.containers(own) + trouble.warnings(cluster.list(EVENT, namespace), family)
    except PluginError as wrong:
        return [f"(pods and events could not be read: {wrong})"]
