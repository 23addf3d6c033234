"""When an object counts as ready, by kind: pure judgements over live objects.

Each judgement takes the live object and the objects around it, and returns a `Verdict`. The rules
follow pulumi-kubernetes' awaiters; the fields are those of the Kubernetes API reference.
"""

from __future__ import annotations

from typing import Final

from lab.plugins.kubernetes.objects import (
    SKIP_AWAIT,
    WAIT_FOR,
    Gvk,
    Obj,
    annotation,
    items,
    marked,
    name_of,
    number,
    pluck,
    text,
)
from lab.plugins.kubernetes.verdict import (
    READY,
    Around,
    Verdict,
    Wait,
    condition,
    custom_wait,
    waiting,
)

REVISION: Final = "deployment.kubernetes.io/revision"
SERVICE_NAME: Final = "kubernetes.io/service-name"

REPLICA_SET: Final = Gvk("apps", "v1", "ReplicaSet")
ENDPOINT_SLICE: Final = Gvk("discovery.k8s.io", "v1", "EndpointSlice")
SERVICE: Final = Gvk("", "v1", "Service")
STORAGE_CLASS: Final = Gvk("storage.k8s.io", "v1", "StorageClass")

SETTLE_SECONDS: Final = 10.0
"""How long a Service without any endpoint must stay so to count as one that targets no pods."""


def _observed(live: Obj) -> bool:
    return number(live, "status", "observedGeneration") >= number(live, "metadata", "generation")


def _owned(obj: Obj, owner: Obj) -> bool:
    uid = text(owner, "metadata", "uid")
    return any(
        pluck(reference, "uid") == uid for reference in items(obj, "metadata", "ownerReferences")
    )


def namespace(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """Active."""
    phase = text(live, "status", "phase")
    return READY if phase == "Active" else waiting(f"phase Active (it is {phase or 'unset'})")


def deployment(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """Its newest ReplicaSet has all the replicas it asks for ready, and the Deployment is
    Available; past the first revision the rollout must be complete too."""
    if not _observed(live):
        return waiting("the deployment controller")
    revision = annotation(live, REVISION)
    current = next(
        (
            each
            for each in around.get(REPLICA_SET, ())
            if _owned(each, live) and revision and annotation(each, REVISION) == revision
        ),
        None,
    )
    if current is None:
        return waiting("a ReplicaSet")
    wanted = number(current, "spec", "replicas", default=1)
    ready = number(current, "status", "readyReplicas")
    if ready < wanted:
        return waiting(f"{ready}/{wanted} pods ready")
    available = condition(live, "Available")
    if available.get("status") != "True":
        return waiting(f"Available ({available.get('message') or 'not reported'})")
    progressing = condition(live, "Progressing")
    complete = (
        progressing.get("status") == "True"
        and progressing.get("reason") == "NewReplicaSetAvailable"
    )
    if revision != "1" and progressing and not complete:
        return waiting(f"the rollout ({progressing.get('message') or 'in progress'})")
    return READY


def daemon_set(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """Every node that should run the newest pod has it ready."""
    if not _observed(live):
        return waiting("the daemon set controller")
    wanted = number(live, "status", "desiredNumberScheduled")
    updated = number(live, "status", "updatedNumberScheduled")
    available = number(live, "status", "numberAvailable")
    ready = number(live, "status", "numberReady")
    rolling = text(live, "spec", "updateStrategy", "type") != "OnDelete"
    if rolling and updated < wanted:
        return waiting(f"{updated}/{wanted} pods of this revision")
    if available < wanted or ready < wanted:
        return waiting(f"{min(available, ready)}/{wanted} pods ready")
    return READY


def stateful_set(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """All replicas are ready, and of the newest revision."""
    if not _observed(live):
        return waiting("the stateful set controller")
    wanted = number(live, "spec", "replicas", default=1)
    ready = number(live, "status", "readyReplicas")
    if ready < wanted or number(live, "status", "replicas") != wanted:
        return waiting(f"{ready}/{wanted} pods ready")
    partition = number(live, "spec", "updateStrategy", "rollingUpdate", "partition")
    if partition or text(live, "spec", "updateStrategy", "type") == "OnDelete":
        return READY
    current = text(live, "status", "currentRevision")
    update = text(live, "status", "updateRevision")
    return READY if current == update else waiting(f"revision {update} (it is at {current})")


def service(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """It has the load balancer's address if it asks for one, and its endpoints are ready. One
    whose selector finds no pod at all counts as ready when that has settled."""
    type_ = text(live, "spec", "type") or "ClusterIP"
    if type_ == "LoadBalancer" and not items(live, "status", "loadBalancer", "ingress"):
        return waiting("a load balancer's address (is there an allocator with a free pool?)")
    if (
        type_ == "ExternalName"
        or pluck(live, "spec", "clusterIP") == "None"
        or not pluck(live, "spec", "selector")
    ):
        return READY
    endpoints = [
        endpoint
        for part in around.get(ENDPOINT_SLICE, ())
        if text(part, "metadata", "labels", SERVICE_NAME) == name_of(live)
        for endpoint in items(part, "endpoints")
    ]
    if not endpoints:
        return Verdict(waiting_for="endpoints: its selector matches no pod", settles=SETTLE_SECONDS)
    pending = [each for each in endpoints if pluck(each, "conditions", "ready") is False]
    if pending:
        return waiting(f"{len(endpoints) - len(pending)}/{len(endpoints)} endpoints ready")
    return READY


def ingress(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """A controller has written its address into status.loadBalancer."""
    if items(live, "status", "loadBalancer", "ingress"):
        return READY
    wanted = {
        service_name
        for rule in items(live, "spec", "rules")
        for path in items(rule, "http", "paths")
        if (service_name := text(path, "backend", "service", "name"))
    }
    missing = sorted(wanted - {name_of(each) for each in around.get(SERVICE, ())})
    lacking = f"; no service {', '.join(missing)} in its namespace" if missing else ""
    class_ = text(live, "spec", "ingressClassName") or "the default class"
    return waiting(f"an address from the ingress controller of {class_}{lacking}")


def pod(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """Ready, or run to its end."""
    phase = text(live, "status", "phase")
    if phase == "Succeeded" or condition(live, "Ready").get("status") == "True":
        return READY
    if phase == "Failed":
        return Verdict(waiting_for="a pod that does not fail", failed=True)
    reason = condition(live, "PodScheduled").get("message") or condition(live, "Ready").get(
        "message"
    )
    return waiting(f"Ready ({reason or phase or 'not scheduled'})")


def job(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """Complete."""
    if (
        condition(live, "Complete").get("status") == "True"
        or condition(live, "Suspended").get("status") == "True"
    ):
        return READY
    failed = condition(live, "Failed")
    if failed.get("status") == "True":
        reason = failed.get("message") or failed.get("reason") or "it failed"
        return Verdict(waiting_for=f"completion: {reason}", failed=True)
    done = number(live, "status", "succeeded")
    return waiting(f"{done}/{number(live, 'spec', 'completions', default=1)} completions")


def volume_claim(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """Bound, or waiting for its first consumer where its class binds so late."""
    phase = text(live, "status", "phase")
    if phase == "Bound":
        return READY
    class_ = text(live, "spec", "storageClassName")
    late = any(
        name_of(each) == class_ and each.get("volumeBindingMode") == "WaitForFirstConsumer"
        for each in around.get(STORAGE_CLASS, ())
    )
    if late and phase == "Pending" and before is None:
        return READY
    return waiting(f"Bound (it is {phase or 'unset'})")


def volume(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """Available or Bound."""
    phase = text(live, "status", "phase")
    return READY if phase in {"Available", "Bound"} else waiting("Available or Bound")


def definition(live: Obj, around: Around, before: Obj | None) -> Verdict:
    """A CustomResourceDefinition: Established, its names accepted."""
    names = condition(live, "NamesAccepted")
    if names.get("status") == "False":
        return waiting(f"NamesAccepted ({names.get('message')})")
    if condition(live, "Established").get("status") == "True":
        return READY
    return waiting("Established")


WAITS: Final[dict[tuple[str, str], Wait]] = {
    ("", "Namespace"): Wait(namespace),
    ("", "PersistentVolume"): Wait(volume),
    ("", "PersistentVolumeClaim"): Wait(volume_claim, (STORAGE_CLASS,)),
    ("", "Pod"): Wait(pod),
    ("", "Service"): Wait(service, (ENDPOINT_SLICE,)),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Wait(definition),
    ("apps", "DaemonSet"): Wait(daemon_set),
    ("apps", "Deployment"): Wait(deployment, (REPLICA_SET,)),
    ("apps", "StatefulSet"): Wait(stateful_set),
    ("batch", "Job"): Wait(job),
    ("networking.k8s.io", "Ingress"): Wait(ingress, (SERVICE,)),
}


def wait_for(gvk: Gvk, inputs: Obj) -> Wait | None:
    """What to wait for after an object was applied; None for nothing (`pulumi.com/skipAwait`, or a
    kind that is ready when it exists). `pulumi.com/waitFor` overrides the kind's own rule."""
    if marked(inputs, SKIP_AWAIT):
        return None
    custom = annotation(inputs, WAIT_FOR)
    if custom:
        return Wait(custom_wait(custom))
    return WAITS.get((gvk.group, gvk.kind))
