"""Objects against a real API server: create, update, replace, conflict, waits, deletion."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from lab.plugins.kubernetes.client import ApiError
from lab.plugins.kubernetes.objects import Gvk
from lab.plugins.kubernetes.waits import SETTLE_SECONDS
from tests.lab.plugins.harness import UNKNOWN, CallFailed, Harness, Secret
from tests.lab.plugins.kubernetes.conftest import ControlPlane, until

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"
SERVICE = "kubernetes:core/v1:Service"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
NAMESPACE = "kubernetes:core/v1:Namespace"
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"

KIND = {
    kind: Gvk("", "v1", kind) for kind in ("ConfigMap", "Secret", "Service", "Pod", "Namespace")
}
APPS = {kind: Gvk("apps", "v1", kind) for kind in ("Deployment", "ReplicaSet")}


def config_map(data: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(image: str = "registry.test/web:1", replicas: int = 1) -> dict[str, Any]:
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    }


def test_an_object_is_applied_with_a_manager_of_its_own_and_read_back(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    made = kubernetes.create(CONFIG_MAP, config_map({"a": "1"}, name="plain"))
    assert made.id == f"{namespace}/plain"
    live = control_plane.get(KIND["ConfigMap"], namespace, "plain")
    assert live and live["data"] == {"a": "1"}
    managers = [(each["manager"], each["operation"]) for each in live["metadata"]["managedFields"]]
    assert managers == [(made.outputs["__fieldManager"], "Apply")]
    assert made.outputs["metadata"]["uid"] == live["metadata"]["uid"]


def test_the_same_inputs_again_change_nothing(kubernetes: Harness) -> None:
    inputs = config_map({"a": "1"}, name="same", labels={"x": "y"})
    made = kubernetes.create(CONFIG_MAP, inputs)
    assert kubernetes.diff(made, inputs).nothing
    refreshed = kubernetes.read(made)
    assert refreshed and refreshed.inputs == made.inputs
    assert kubernetes.diff(refreshed, inputs).nothing


def test_labels_change_in_place_and_a_removed_one_goes(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    made = kubernetes.create(CONFIG_MAP, config_map({}, name="l", labels={"a": "1", "b": "2"}))
    news = config_map({}, name="l", labels={"b": "3"})
    diff = kubernetes.diff(made, news)
    assert diff.changes == {"metadata.labels.a": "delete", "metadata.labels.b": "update"}
    kubernetes.update(made, news)
    live = control_plane.get(KIND["ConfigMap"], namespace, "l")
    assert live and live["metadata"]["labels"] == {"b": "3"}


def test_changed_data_of_a_config_map_replaces_it_the_old_one_first_when_its_name_is_fixed(
    kubernetes: Harness,
) -> None:
    made = kubernetes.create(CONFIG_MAP, config_map({"a": "1"}, name="fixed"))
    diff = kubernetes.diff(made, config_map({"a": "2"}, name="fixed"))
    assert diff.replaces == ["data.a"]
    assert diff.delete_before_replace
    auto = kubernetes.create(CONFIG_MAP, config_map({"a": "1"}), name="auto")
    diff = kubernetes.diff(auto, config_map({"a": "2"}))
    assert diff.replaces == ["data.a"]
    assert not diff.delete_before_replace


def test_a_generated_name_has_eight_digits_is_marked_and_kept(kubernetes: Harness) -> None:
    inputs = kubernetes.checked(CONFIG_MAP, config_map({"a": "1"}), name="settings")
    prefix, _, digits = inputs["metadata"]["name"].rpartition("-")
    assert prefix == "settings"
    assert len(digits) == 8
    assert set(digits) <= set("0123456789abcdef")
    assert inputs["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    again, failures = kubernetes.check(
        CONFIG_MAP, config_map({"a": "2"}), olds=inputs, name="renamed"
    )
    assert not failures
    assert again["metadata"]["name"] == inputs["metadata"]["name"]


def test_deletion_waits_until_the_object_is_gone_and_again_is_no_error(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    made = kubernetes.create(CONFIG_MAP, config_map({}, name="gone"))
    kubernetes.delete(made)
    assert control_plane.get(KIND["ConfigMap"], namespace, "gone") is None
    kubernetes.delete(made)
    assert kubernetes.read(made) is None


def test_deletion_held_by_a_finalizer_fails_naming_it(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    made = kubernetes.create(CONFIG_MAP, config_map({}, name="held", finalizers=["test.lab/hold"]))
    with pytest.raises(CallFailed, match=r"is still there .* after its deletion") as failed:
        kubernetes.delete(made, timeout=1)
    assert "test.lab/hold" in str(failed.value)


def test_an_object_that_exists_is_not_taken_over_unless_the_provider_says_so(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    kubernetes.create(CONFIG_MAP, config_map({"a": "1"}, name="taken"))
    with pytest.raises(CallFailed, match=r"already exists in the cluster.*upsertExistingObjects"):
        kubernetes.create(CONFIG_MAP, config_map({"b": "2"}, name="taken"), name="other")
    kubernetes.configure(
        kubeconfig=control_plane.kubeconfig, namespace=namespace, upsertExistingObjects=True
    )
    made = kubernetes.create(CONFIG_MAP, config_map({"b": "2"}, name="taken"), name="other")
    assert made.outputs["data"] == {"a": "1", "b": "2"}


def test_a_field_of_another_manager_is_a_conflict_that_names_it_and_patch_force_takes_it(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    made = kubernetes.create(CONFIG_MAP, config_map({"a": "1"}, name="c", labels={"x": "1"}))
    theirs = config_map({}, name="c", namespace=namespace, labels={"x": "theirs"})
    control_plane.cluster.apply(KIND["ConfigMap"], theirs, manager="someone-else", force=True)
    news = config_map({"a": "1"}, name="c", labels={"x": "2"})
    with pytest.raises(CallFailed, match=r'conflict with "someone-else".*labels\.x') as failed:
        kubernetes.update(made, news)
    assert "pulumi.com/patchForce" in str(failed.value)
    news["metadata"]["annotations"] = {"pulumi.com/patchForce": "true"}
    forced = kubernetes.update(made, news)
    assert forced.outputs["metadata"]["labels"] == {"x": "2"}


def test_the_data_of_a_secret_is_secret_in_the_state(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    inputs = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"password": "correct horse"},
    }
    made = kubernetes.create(SECRET, inputs)
    assert isinstance(made.outputs["data"], Secret)
    assert made.outputs["data"].value == {"password": "Y29ycmVjdCBob3JzZQ=="}
    assert isinstance(made.outputs["stringData"], Secret)
    assert isinstance(made.inputs["stringData"], Secret)
    refreshed = kubernetes.read(made)
    assert refreshed and kubernetes.diff(refreshed, inputs).nothing
    assert not any("correct horse" in line for _, line, _ in kubernetes.log)


def test_drift_of_a_written_field_shows_after_a_refresh_and_other_fields_do_not(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    inputs = config_map({"a": "1"}, name="drift", labels={"x": "1"})
    made = kubernetes.create(CONFIG_MAP, inputs)
    theirs = config_map({}, name="drift", namespace=namespace, labels={"x": "2", "new": "1"})
    control_plane.cluster.apply(KIND["ConfigMap"], theirs, manager="someone-else", force=True)
    refreshed = kubernetes.read(made)
    assert refreshed
    assert kubernetes.diff(refreshed, inputs).changes == {"metadata.labels.x": "update"}


def test_a_preview_validates_against_the_server_and_makes_nothing(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    shown = kubernetes.create(CONFIG_MAP, config_map({"a": "1"}, name="dry"), preview=True)
    assert shown.outputs["data"] == {"a": "1"}
    assert shown.outputs["status"] is UNKNOWN
    assert control_plane.get(KIND["ConfigMap"], namespace, "dry") is None
    with pytest.raises(CallFailed, match="a valid config key must consist of"):
        kubernetes.create(CONFIG_MAP, config_map({"a b": "1"}, name="dry"), preview=True)


def test_unknown_inputs_preview_as_they_are(kubernetes: Harness) -> None:
    shown = kubernetes.create(CONFIG_MAP, config_map({"a": UNKNOWN}, name="u"), preview=True)
    assert shown.outputs["data"] == {"a": UNKNOWN}
    made = kubernetes.create(CONFIG_MAP, config_map({"a": "1"}, name="u"))
    diff = kubernetes.diff(made, config_map({"a": UNKNOWN}, name="u"))
    assert diff.changes == {"data.a": "update-replace"}


def test_a_preview_of_an_update_keeps_what_the_server_decided(kubernetes: Harness) -> None:
    def service(port: int) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "np"},
            "spec": {"type": "NodePort", "ports": [{"name": "http", "port": port}]},
        }

    made = kubernetes.create(SERVICE, service(80))
    node_port = made.outputs["spec"]["ports"][0]["nodePort"]
    assert 30000 <= node_port <= 32767
    shown = kubernetes.update(made, service(81), preview=True)
    assert shown.outputs["spec"]["clusterIP"] == made.outputs["spec"]["clusterIP"]
    assert shown.outputs["spec"]["ports"][0]["port"] == 81


def test_an_unknown_property_of_a_typed_kind_is_refused_by_its_name(kubernetes: Harness) -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "spec": {"selectr": {"a": "b"}}}
    _, failures = kubernetes.check(SERVICE, wrong)
    assert list(failures) == ["spec.selectr"]
    assert "selector" in failures["spec.selectr"]


def definition(plural: str) -> dict[str, Any]:
    kind = plural.title().removesuffix("s")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.test.lab"},
        "spec": {
            "group": "test.lab",
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "x_kubernetes_preserve_unknown_fields": True,
                                }
                            },
                        }
                    },
                }
            ],
        },
    }


def custom(kind: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "test.lab/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"size": 3},
    }


def test_a_custom_resource_follows_its_definition_in_the_same_run(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    token = "kubernetes:test.lab/v1:Widget"
    before = kubernetes.create(token, custom("Widget", "w"), preview=True)
    assert before.outputs["spec"] == {"size": 3}
    crd = kubernetes.create(DEFINITION, definition("widgets"))
    assert crd.id == "widgets.test.lab"
    assert {"Established": "True"}.items() <= {
        each["type"]: each["status"] for each in crd.outputs["status"]["conditions"]
    }.items()
    assert kubernetes.diff(crd, definition("widgets")).nothing
    refreshed = kubernetes.read(crd)
    assert refreshed and kubernetes.diff(refreshed, definition("widgets")).nothing
    made = kubernetes.create(token, custom("Widget", "w"))
    assert made.id == f"{namespace}/w"
    kubernetes.delete(crd)
    assert kubernetes.read(made) is None
    kubernetes.delete(made)


def test_a_custom_resource_waits_for_a_definition_that_comes_a_moment_later(
    kubernetes: Harness,
) -> None:
    late = threading.Timer(2.0, lambda: kubernetes.create(DEFINITION, definition("gadgets")))
    late.start()
    made = kubernetes.create("kubernetes:test.lab/v1:Gadget", custom("Gadget", "g"))
    late.join()
    assert made.outputs["spec"] == {"size": 3}


def test_a_kind_that_never_comes_fails_saying_what_to_install(kubernetes: Harness) -> None:
    inputs = custom("Sprocket", "s")
    inputs["metadata"]["annotations"] = {"pulumi.com/timeoutSeconds": "2"}
    with pytest.raises(CallFailed, match=r'no matches for kind "Sprocket".*Definition'):
        kubernetes.create("kubernetes:test.lab/v1:Sprocket", inputs)


def test_a_namespace_is_awaited_and_deleted_with_what_is_in_it(
    kubernetes: Harness, control_plane: ControlPlane
) -> None:
    inputs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {}}
    made = kubernetes.create(NAMESPACE, inputs, name="tmp")
    assert made.outputs["status"]["phase"] == "Active"
    assert "/" not in made.id
    kubernetes.delete(made)
    assert control_plane.get(KIND["Namespace"], "", made.id) is None


def pods_of(control_plane: ControlPlane, namespace: str) -> list[str]:
    listed = control_plane.cluster.list(KIND["Pod"], namespace, labels="app=web")
    return [pod["metadata"]["name"] for pod in listed if "deletionTimestamp" not in pod["metadata"]]


def run_pods(control_plane: ControlPlane, namespace: str, count: int) -> None:
    """Reports the pods ready, as a kubelet would."""
    until(lambda: len(pods_of(control_plane, namespace)) >= count, seconds=30, what=f"{count} pods")
    ready = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")]
    for number, name in enumerate(pods_of(control_plane, namespace)):
        status = {
            "phase": "Running",
            "podIP": f"198.19.0.{number + 1}",
            "podIPs": [{"ip": f"198.19.0.{number + 1}"}],
            "conditions": ready,
        }
        control_plane.bind(namespace, name)
        control_plane.report(KIND["Pod"], namespace, name, status)


def test_a_deployment_is_ready_when_its_pods_are(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    kubelet = threading.Thread(target=run_pods, args=(control_plane, namespace, 2))
    kubelet.start()
    made = kubernetes.create(DEPLOYMENT, deployment(replicas=2), timeout=60)
    kubelet.join()
    assert made.outputs["status"]["readyReplicas"] == 2
    assert kubernetes.diff(made, deployment(replicas=2)).nothing
    changed = deployment(replicas=2)
    changed["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    changed["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    diff = kubernetes.diff(made, changed)
    assert diff.replaces == ["spec.selector.matchLabels.app"]
    assert diff.delete_before_replace
    assert any(line.startswith("waiting for") for _, line, _ in kubernetes.log)


def test_a_deployment_that_does_not_come_up_fails_with_the_containers_words_and_stays_in_the_state(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    def pull_error() -> None:
        until(lambda: bool(pods_of(control_plane, namespace)), seconds=30, what="a pod")
        waiting = {"reason": "ImagePullBackOff", "message": "no such image registry.test/web:1"}
        status = {
            "phase": "Pending",
            "containerStatuses": [
                {
                    "name": "web",
                    "image": "registry.test/web:1",
                    "imageID": "",
                    "ready": False,
                    "restartCount": 0,
                    "state": {"waiting": waiting},
                }
            ],
        }
        control_plane.report(KIND["Pod"], namespace, pods_of(control_plane, namespace)[0], status)

    kubelet = threading.Thread(target=pull_error)
    kubelet.start()
    with pytest.raises(CallFailed) as failed:
        kubernetes.create(DEPLOYMENT, deployment(), timeout=5)
    kubelet.join()
    assert failed.value.id == f"{namespace}/web"
    assert failed.value.outputs["spec"]["replicas"] == 1
    text = "\n".join(failed.value.reasons)
    assert f"Deployment {namespace}/web is not ready after" in text
    assert "0/1 pods ready" in text
    assert "condition Available=False MinimumReplicasUnavailable" in text
    assert "container web waiting: ImagePullBackOff: no such image registry.test/web:1" in text


def test_skip_await_does_not_wait(kubernetes: Harness) -> None:
    inputs = deployment()
    inputs["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    begin = time.monotonic()
    kubernetes.create(DEPLOYMENT, inputs)
    assert time.monotonic() - begin < 5


def test_a_service_waits_for_its_endpoints_and_reads_back_by_id(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    inputs = deployment()
    inputs["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    kubernetes.create(DEPLOYMENT, inputs, name="app")
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    kubelet = threading.Timer(2.0, run_pods, args=(control_plane, namespace, 1))
    kubelet.start()
    begin = time.monotonic()
    made = kubernetes.create(SERVICE, service, timeout=60)
    kubelet.join()
    assert 2 <= time.monotonic() - begin < SETTLE_SECONDS
    made.inputs, made.outputs = {}, {}
    got = kubernetes.read(made)
    assert got and got.outputs["spec"]["ports"][0]["nodePort"] >= 30000
    assert "status" not in got.inputs
    assert "uid" not in got.inputs["metadata"]


def test_a_load_balancer_without_an_address_fails_saying_so(
    kubernetes: Harness, namespace: str
) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "lb"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }
    with pytest.raises(CallFailed, match="waiting for a load balancer's address") as failed:
        kubernetes.create(SERVICE, service, timeout=1)
    assert failed.value.id == f"{namespace}/lb"


def test_cancelling_ends_a_wait_and_keeps_the_object_in_the_state(
    kubernetes: Harness, namespace: str
) -> None:
    stop = threading.Timer(2.0, kubernetes.cancel)
    stop.start()
    with pytest.raises(CallFailed, match="cancelled") as failed:
        kubernetes.create(DEPLOYMENT, deployment())
    stop.join()
    assert failed.value.id == f"{namespace}/web"


def test_an_admission_webhook_that_is_not_up_yet_is_waited_for(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str
) -> None:
    kind = Gvk("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration")
    webhook = {
        "name": "late.test.lab",
        "clientConfig": {"url": "https://127.0.0.1:9/validate"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["configmaps"],
            }
        ],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 1,
    }
    configuration = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": namespace},
        "webhooks": [webhook],
    }
    control_plane.cluster.apply(kind, configuration, manager="test")

    def refused() -> bool:
        obj = {**config_map({}, name="probe", namespace=namespace)}
        try:
            control_plane.cluster.apply(KIND["ConfigMap"], obj, manager="test", dry_run=True)
        except ApiError as wrong:
            return wrong.webhook_not_ready
        return False

    until(refused, seconds=20, what="the webhook")
    up = threading.Timer(
        3.0,
        lambda: control_plane.cluster.delete(kind, "", namespace, propagation="Background", uid=""),
    )
    up.start()
    made = kubernetes.create(CONFIG_MAP, config_map({"a": "1"}, name="late"))
    up.join()
    assert made.outputs["data"] == {"a": "1"}
    assert any(line.startswith("retrying: ") for _, line, _ in kubernetes.log)
