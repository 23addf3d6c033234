"""Why an object is not ready, in the cluster's own words: conditions, events, containers."""

from __future__ import annotations

from collections.abc import Sequence

from lab.plugins.kubernetes.objects import Obj, items, name_of, namespace_of, pluck, text

LINES = 12
"""At most so many lines of a sort: what is wrong shows in the first, the rest repeats it."""


def conditions(obj: Obj) -> list[str]:
    """The conditions that say something is wrong, one line each."""
    lines = []
    for each in items(obj, "status", "conditions"):
        good = "False" if text(each, "type") in {"Failed", "ReplicaFailure"} else "True"
        if text(each, "status") == good:
            continue
        words = ": ".join(filter(None, [text(each, "reason"), text(each, "message")]))
        lines.append(f"condition {text(each, 'type')}={text(each, 'status')} {words}".rstrip())
    return lines[:LINES]


def containers(pods: Sequence[Obj]) -> list[str]:
    """One line for every container that does not run or is not ready, and for pods that no node
    takes."""
    lines = []
    for pod in pods:
        if text(pod, "status", "phase") == "Succeeded":
            continue
        statuses = [
            *items(pod, "status", "initContainerStatuses"),
            *items(pod, "status", "containerStatuses"),
        ]
        for status in statuses:
            line = _container(status)
            if line:
                lines.append(f"pod {namespace_of(pod)}/{name_of(pod)}: {line}")
        if not statuses:
            for each in items(pod, "status", "conditions"):
                if text(each, "type") == "PodScheduled" and text(each, "status") == "False":
                    lines.append(
                        f"pod {namespace_of(pod)}/{name_of(pod)}: {text(each, 'reason')}: "
                        f"{text(each, 'message')}"
                    )
    return lines[:LINES]


def _container(status: Obj) -> str:
    name, restarts = text(status, "name"), pluck(status, "restartCount") or 0
    last = pluck(status, "lastState", "terminated")
    ended = ""
    if isinstance(last, dict):
        ended = f"; last ended with {_end(last)}"
    tail = f" (restarts: {restarts}{ended})" if restarts else ""
    waiting = pluck(status, "state", "waiting")
    if isinstance(waiting, dict):
        words = ": ".join(filter(None, [text(waiting, "reason"), text(waiting, "message")]))
        return f"container {name} waiting: {words}{tail}"
    terminated = pluck(status, "state", "terminated")
    if isinstance(terminated, dict) and terminated.get("exitCode"):
        return f"container {name} ended with {_end(terminated)}{tail}"
    if pluck(status, "state", "running") is not None and pluck(status, "ready") is False:
        return f"container {name} running, not ready{tail}"
    return ""


def _end(state: Obj) -> str:
    message = text(state, "message").strip()
    words = " ".join(filter(None, [text(state, "reason"), message]))
    return f"exit code {state.get('exitCode')} {words}".rstrip()


def warnings(events: Sequence[Obj], involved: Sequence[Obj]) -> list[str]:
    """The latest Warning events about the objects, newest first, each text once."""
    uids = {text(obj, "metadata", "uid") for obj in involved} - {""}
    about = [
        event
        for event in events
        if text(event, "type") == "Warning" and text(event, "involvedObject", "uid") in uids
    ]
    about.sort(key=_when, reverse=True)
    lines: dict[str, None] = {}
    for event in about:
        object_ = f"{text(event, 'involvedObject', 'kind')} {text(event, 'involvedObject', 'name')}"
        lines[f"event {text(event, 'reason')} on {object_}: {text(event, 'message')}"] = None
    return list(lines)[:LINES]


def _when(event: Obj) -> str:
    return (
        text(event, "series", "lastObservedTime")
        or text(event, "lastTimestamp")
        or text(event, "eventTime")
        or text(event, "metadata", "creationTimestamp")
    )


def descendants(owner: Obj, candidates: Sequence[Obj]) -> list[Obj]:
    """The owner and everything of the candidates that it owns, at any depth."""
    found, uids = [owner], {text(owner, "metadata", "uid")}
    remaining = list(candidates)
    while True:
        children = [
            obj
            for obj in remaining
            if any(pluck(ref, "uid") in uids for ref in items(obj, "metadata", "ownerReferences"))
        ]
        if not children:
            return found
        found += children
        uids |= {text(child, "metadata", "uid") for child in children}
        remaining = [obj for obj in remaining if obj not in children]


def selected(pods: Sequence[Obj], selector: object) -> list[Obj]:
    """The pods whose labels match a plain selector (a Service's)."""
    if not isinstance(selector, dict) or not selector:
        return []
    return [
        pod
        for pod in pods
        if all(text(pod, "metadata", "labels", key) == value for key, value in selector.items())
    ]
