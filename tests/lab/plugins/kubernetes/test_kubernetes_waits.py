"""When an object counts as ready: judgements over plain objects."""

from __future__ import annotations

from typing import Any

import pytest

from lab.plugins.kubernetes import verdict, waits
from lab.plugins.kubernetes.objects import Gvk, Obj
from lab.plugins.server import CheckFailed

OWNER: Obj = {"metadata": {"name": "web", "uid": "u1"}}


def deployment(revision: str = "1", **status: Any) -> Obj:
    return {
        "metadata": {
            "name": "web", "uid": "u1", "generation": 2,
            "annotations": {"deployment.kubernetes.io/revision": revision},
        },
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 2, **status},
    }  # fmt: skip


def replica_set(ready: int, revision: str = "1", wanted: int = 2, owner: str = "u1") -> Obj:
    return {
        "metadata": {
            "name": f"web-{revision}",
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"uid": owner}],
        },
        "spec": {"replicas": wanted},
        "status": {"readyReplicas": ready},
    }


AVAILABLE = {"type": "Available", "status": "True"}
COMPLETE = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
ROLLING = {
    "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "message": "1 of 2",
}  # fmt: skip


@pytest.mark.parametrize(
    ("live", "sets", "expected"),
    [
        (deployment(conditions=[AVAILABLE]), [replica_set(2)], ""),
        (deployment(conditions=[AVAILABLE]), [replica_set(1)], "1/2 pods ready"),
        (deployment(conditions=[AVAILABLE]), [], "a ReplicaSet"),
        (deployment(conditions=[AVAILABLE]), [replica_set(2, owner="other")], "a ReplicaSet"),
        (
            deployment(conditions=[{"type": "Available", "status": "False", "message": "too few"}]),
            [replica_set(2)],
            "Available (too few)",
        ),
        (deployment(observedGeneration=1), [replica_set(2)], "the deployment controller"),
        (
            deployment("2", conditions=[AVAILABLE, ROLLING]),
            [replica_set(2, "1"), replica_set(1, "2", wanted=1)],
            "the rollout (1 of 2)",
        ),
        (deployment("2", conditions=[AVAILABLE, COMPLETE]), [replica_set(2, "2")], ""),
        (
            deployment("2", conditions=[AVAILABLE, COMPLETE]),
            [replica_set(2, "1")],
            "a ReplicaSet",
        ),
    ],
)
def test_a_deployment_is_ready_when_its_newest_replica_set_is(
    live: Obj, sets: list[Obj], expected: str
) -> None:
    judged = waits.deployment(live, {waits.REPLICA_SET: sets}, None)
    assert (judged.ready, judged.waiting_for) == (not expected, expected)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"desired": 3, "updated": 3, "available": 3, "ready": 3}, ""),
        ({"desired": 3, "updated": 2, "available": 3, "ready": 3}, "2/3 pods of this revision"),
        ({"desired": 3, "updated": 3, "available": 1, "ready": 2}, "1/3 pods ready"),
        ({"desired": 0, "updated": 0, "available": 0, "ready": 0}, ""),
    ],
)
def test_a_daemon_set_is_ready_when_every_node_has_the_newest_pod(
    status: dict[str, int], expected: str
) -> None:
    live = {
        "metadata": {"generation": 1},
        "status": {
            "observedGeneration": 1,
            "desiredNumberScheduled": status["desired"],
            "updatedNumberScheduled": status["updated"],
            "numberAvailable": status["available"],
            "numberReady": status["ready"],
        },
    }
    judged = waits.daemon_set(live, {}, None)
    assert (judged.ready, judged.waiting_for) == (not expected, expected)


def test_a_daemon_set_its_controller_has_not_seen_is_not_ready() -> None:
    live = {"metadata": {"generation": 2}, "status": {"observedGeneration": 1}}
    assert waits.daemon_set(live, {}, None).waiting_for == "the daemon set controller"


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"replicas": 2}, {"readyReplicas": 2, "replicas": 2}, ""),
        ({"replicas": 2}, {"readyReplicas": 1, "replicas": 2}, "1/2 pods ready"),
        (
            {"replicas": 1},
            {"readyReplicas": 1, "replicas": 1, "currentRevision": "a", "updateRevision": "b"},
            "revision b (it is at a)",
        ),
        (
            {"replicas": 1, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
            {"readyReplicas": 1, "replicas": 1, "currentRevision": "a", "updateRevision": "b"},
            "",
        ),
    ],
)
def test_a_stateful_set_is_ready_at_its_newest_revision(
    spec: Obj, status: Obj, expected: str
) -> None:
    live = {
        "metadata": {"generation": 1},
        "spec": spec,
        "status": {"observedGeneration": 1, **status},
    }
    judged = waits.stateful_set(live, {}, None)
    assert (judged.ready, judged.waiting_for) == (not expected, expected)


def slices(*ready: bool) -> dict[Gvk, list[Obj]]:
    part = {
        "metadata": {"name": "web-x", "labels": {"kubernetes.io/service-name": "web"}},
        "endpoints": [{"conditions": {"ready": each}} for each in ready],
    }
    other = {
        "metadata": {"labels": {"kubernetes.io/service-name": "other"}},
        "endpoints": [{"conditions": {"ready": False}}],
    }
    return {waits.ENDPOINT_SLICE: [part, other]}


def service(type_: str = "ClusterIP", *, ip: str = "198.18.96.9", **more: Any) -> Obj:
    return {
        "metadata": {"name": "web"},
        "spec": {"type": type_, "clusterIP": ip, "selector": {"app": "web"}, **more},
        "status": {},
    }


def test_a_service_is_ready_when_no_endpoint_is_pending() -> None:
    assert waits.service(service(), slices(True, True), None).ready
    judged = waits.service(service(), slices(True, False), None)
    assert judged.waiting_for == "1/2 endpoints ready"
    assert judged.settles is None


def test_a_service_that_selects_no_pod_is_ready_once_that_has_settled() -> None:
    judged = waits.service(service(), slices(), None)
    assert not judged.ready
    assert judged.settles == waits.SETTLE_SECONDS


@pytest.mark.parametrize(
    "live",
    [service(ip="None"), service("ExternalName", ip=""), service(selector=None)],
    ids=["headless", "external name", "no selector"],
)
def test_services_without_endpoints_of_their_own_are_ready_at_once(live: Obj) -> None:
    assert waits.service(live, slices(False), None).ready


def test_a_load_balancer_needs_an_address() -> None:
    live = service("LoadBalancer", selector=None)
    assert "a load balancer's address" in waits.service(live, {}, None).waiting_for
    live["status"] = {"loadBalancer": {"ingress": [{"ip": "198.18.10.200"}]}}
    assert waits.service(live, {}, None).ready


def test_an_ingress_needs_an_address_and_names_a_service_that_is_missing() -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    live: Obj = {
        "metadata": {"name": "i"},
        "spec": {
            "ingressClassName": "traefik",
            "rules": [{"http": {"paths": [{"backend": backend}]}}],
        },
    }
    assert waits.ingress(live, {waits.SERVICE: []}, None).waiting_for == (
        "an address from the ingress controller of traefik; no service web in its namespace"
    )
    live["status"] = {"loadBalancer": {"ingress": [{"ip": "198.18.10.200"}]}}
    assert waits.ingress(live, {}, None).ready


@pytest.mark.parametrize(
    ("status", "ready", "failed"),
    [
        ({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}, True, False),
        ({"phase": "Succeeded"}, True, False),
        ({"phase": "Failed"}, False, True),
        ({"phase": "Pending"}, False, False),
    ],
)
def test_a_pod_is_ready_or_done_or_failed(status: Obj, ready: bool, failed: bool) -> None:
    judged = waits.pod({"status": status}, {}, None)
    assert (judged.ready, judged.failed) == (ready, failed)


def test_a_failed_job_ends_the_wait_with_its_reason() -> None:
    conditions = [{"type": "Failed", "status": "True", "message": "Job has reached the limit"}]
    judged = waits.job({"status": {"conditions": conditions}}, {}, None)
    assert judged.failed
    assert judged.waiting_for == "completion: Job has reached the limit"
    done = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    assert waits.job(done, {}, None).ready


def test_a_claim_may_wait_for_its_first_consumer_only_when_it_is_new() -> None:
    live = {"spec": {"storageClassName": "late"}, "status": {"phase": "Pending"}}
    classes = {
        waits.STORAGE_CLASS: [
            {"metadata": {"name": "late"}, "volumeBindingMode": "WaitForFirstConsumer"}
        ]
    }
    assert waits.volume_claim(live, classes, None).ready
    assert waits.volume_claim(live, classes, live).waiting_for == "Bound (it is Pending)"
    assert not waits.volume_claim(live, {}, None).ready


def test_a_definition_is_ready_when_established() -> None:
    refused = {"type": "NamesAccepted", "status": "False", "message": "taken by other"}
    live = {"status": {"conditions": [refused]}}
    assert waits.definition(live, {}, None).waiting_for == "NamesAccepted (taken by other)"
    live = {"status": {"conditions": [{"type": "Established", "status": "True"}]}}
    assert waits.definition(live, {}, None).ready


def annotated(**annotations: str) -> Obj:
    return {
        "metadata": {
            "annotations": {f"pulumi.com/{key}": value for key, value in annotations.items()}
        }
    }


def test_annotations_choose_what_is_waited_for() -> None:
    deployments = Gvk("apps", "v1", "Deployment")
    assert waits.wait_for(deployments, annotated(skipAwait="true")) is None
    assert waits.wait_for(Gvk("", "v1", "ConfigMap"), {}) is None
    wait = waits.wait_for(deployments, annotated(waitFor="condition=Synced"))
    assert wait
    judged = wait.judge({"status": {"conditions": []}}, {}, None)
    assert judged.waiting_for == "condition=Synced"
    synced = [{"type": "Synced", "status": "True"}]
    assert wait.judge({"status": {"conditions": synced}}, {}, None).ready


def test_custom_waits_understand_conditions_and_plain_paths_and_refuse_the_rest() -> None:
    judge = verdict.custom_wait('["condition=Ready=False", "jsonpath={.status.phase}=Up"]')
    live: Obj = {"status": {"phase": "Up", "conditions": [{"type": "Ready", "status": "True"}]}}
    assert judge(live, {}, None).waiting_for == "condition=Ready=False"
    live["status"]["conditions"][0]["status"] = "False"
    assert judge(live, {}, None).ready
    assert verdict.custom_wait("jsonpath={.status.ip}")({"status": {"ip": "x"}}, {}, None).ready
    with pytest.raises(CheckFailed, match="is not understood; use"):
        verdict.custom_wait("jsonpath={.items[*].x}")
