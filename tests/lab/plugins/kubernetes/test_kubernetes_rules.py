"""What replaces, what is drift, names, tokens and the words about trouble: pure functions."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.plugins.kubernetes import drift, immutable, naming, objects, releases, trouble
from lab.plugins.kubernetes.apply import from_server, to_server
from lab.plugins.kubernetes.objects import Gvk, Obj
from lab.plugins.server import UNKNOWN, CheckFailed, compare


def replaces(gvk: Gvk, olds: Obj, news: Obj, **mutable: bool) -> list[str]:
    return compare(olds, news, replace_on=immutable.replace_on(gvk, news, **mutable)).replaces


CORE = {
    kind: Gvk("", "v1", kind) for kind in ("Secret", "Service", "ConfigMap", "Pod", "Namespace")
}


@pytest.mark.parametrize(
    ("gvk", "path"),
    [
        (CORE["Namespace"], "metadata.name"),
        (CORE["Service"], "metadata.namespace"),
        (CORE["Service"], "spec.clusterIP"),
        (CORE["Secret"], "type"),
        (CORE["Secret"], "stringData.password"),
        (CORE["ConfigMap"], "data.key"),
        (CORE["ConfigMap"], "binaryData.key"),
        (CORE["Pod"], "spec.nodeName"),
        (Gvk("apps", "v1", "Deployment"), "spec.selector.matchLabels.app"),
        (Gvk("apps", "v1", "DaemonSet"), "spec.selector.matchLabels.app"),
        (Gvk("apps", "v1", "StatefulSet"), "spec.serviceName"),
        (Gvk("batch", "v1", "Job"), "spec.template.spec.restartPolicy"),
        (Gvk("", "v1", "PersistentVolumeClaim"), "spec.storageClassName"),
        (Gvk("storage.k8s.io", "v1", "StorageClass"), "provisioner"),
        (Gvk("rbac.authorization.k8s.io", "v1", "RoleBinding"), "roleRef.name"),
    ],
)
def test_a_change_the_server_refuses_in_place_replaces(gvk: Gvk, path: str) -> None:
    assert replaces(gvk, nested(path, "old"), nested(path, "new")) == [path]


@pytest.mark.parametrize(
    ("gvk", "path"),
    [
        (CORE["Service"], "spec.type"),
        (CORE["Service"], "metadata.labels.app"),
        (Gvk("apps", "v1", "Deployment"), "spec.template.spec.hostNetwork"),
        (Gvk("", "v1", "PersistentVolumeClaim"), "spec.resources.requests.storage"),
        (Gvk("metallb.io", "v1beta1", "IPAddressPool"), "spec.addresses"),
    ],
)
def test_any_other_change_is_made_in_place(gvk: Gvk, path: str) -> None:
    assert replaces(gvk, nested(path, "old"), nested(path, "new")) == []


def nested(path: str, value: Any) -> Obj:
    for part in reversed(path.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value


def test_a_container_of_a_pod_is_replaced_by_its_index() -> None:
    def pod(image: str) -> Obj:
        return {"spec": {"containers": [{"name": "a"}, {"name": "b", "image": image}]}}

    assert replaces(CORE["Pod"], pod("x:1"), pod("x:2")) == ["spec.containers[1].image"]


@pytest.mark.parametrize(
    ("kind", "flag", "path"),
    [
        ("ConfigMap", "mutable_config_maps", "data.key"),
        ("Secret", "mutable_secrets", "stringData.key"),
    ],
)
def test_data_changes_in_place_only_when_the_provider_says_so_and_it_is_not_immutable(
    kind: str, flag: str, path: str
) -> None:
    olds, news = nested(path, "old"), nested(path, "new")
    assert replaces(CORE[kind], olds, news, **{flag: True}) == []
    assert replaces(CORE[kind], olds, {**news, "immutable": True}, **{flag: True}) == [path]
    assert replaces(CORE[kind], olds, news) == [path]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("250m", "0.25"), ("1", "1"), (2, "2"), ("1Gi", "1073741824"), ("1e3", "1000"),
        ("0.5", "0.5"), ("1k", "1000"),
    ],
)  # fmt: skip
def test_a_quantity_is_read_as_the_api_reads_it(text: object, number: str) -> None:
    assert drift.quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", True, None, "1Mb", "-"])
def test_what_is_no_quantity_has_no_number(text: object) -> None:
    assert drift.quantity(text) is None


def test_only_written_fields_are_seen_and_a_quantity_in_another_form_is_no_drift() -> None:
    wrote: Obj = {
        "metadata": {"labels": {"a": "1", "b": "1"}, "finalizers": []},
        "spec": {"resources": {"limits": {"cpu": "1000m"}}, "ports": [{"port": 80}]},
    }
    live: Obj = {
        "metadata": {"labels": {"a": "2", "c": "3"}, "uid": "u"},
        "spec": {
            "resources": {"limits": {"cpu": "1"}},
            "ports": [{"port": 80, "nodePort": 30080}],
            "clusterIP": "198.18.96.1",
        },
    }
    assert drift.seen(wrote, live) == {
        "metadata": {"labels": {"a": "2"}, "finalizers": []},
        "spec": {"resources": {"limits": {"cpu": "1000m"}}, "ports": [{"port": 80}]},
    }


def test_a_label_that_reads_like_a_quantity_drifts_all_the_same() -> None:
    wrote, live = {"labels": {"v": "1"}}, {"labels": {"v": "1000m"}}
    assert drift.seen(wrote, live) == live


def test_an_entry_appended_to_a_plain_list_is_drift() -> None:
    assert drift.seen({"a": ["x"]}, {"a": ["x", "y"]}) == {"a": ["x", "y"]}


def test_string_data_of_a_secret_is_compared_with_its_data() -> None:
    wrote: Obj = {"kind": "Secret", "stringData": {"a": "one", "b": "two"}}
    live: Obj = {"kind": "Secret", "data": {"a": base64.b64encode(b"one").decode()}}
    assert drift.seen(wrote, live) == {"kind": "Secret", "stringData": {"a": "one"}}


json_values = st.recursive(
    st.booleans() | st.integers(1, 9) | st.text(min_size=1, max_size=3),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=3), inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["spec", "rules", "labels"]), json_values))
def test_an_object_seen_as_it_was_written_has_no_drift(wrote: Obj) -> None:
    assert drift.seen(wrote, {**wrote, "status": {}}) == wrote


def test_names_that_an_sdk_cannot_write_are_translated_both_ways() -> None:
    written: Obj = {"schema": [{"x_kubernetes_list_type": "set", "x_kubernetes_other": 1}]}
    sent = to_server(written)
    assert sent == {"schema": [{"x-kubernetes-list-type": "set", "x_kubernetes_other": 1}]}
    assert from_server(sent) == written


def test_generate_name_is_refused() -> None:
    with pytest.raises(CheckFailed, match="not supported in server-side apply"):
        naming.assign({"metadata": {"generateName": "x-"}}, {}, "r", b"seed")


def test_a_name_that_is_not_known_yet_is_a_name() -> None:
    news: Obj = {"metadata": {"name": UNKNOWN}}
    assert naming.assign(news, {}, "r", b"seed") == news
    assert naming.assign({"metadata": UNKNOWN}, {}, "r", b"seed") == {"metadata": UNKNOWN}


def test_a_generated_name_depends_on_the_seed_alone() -> None:
    assert naming.unique_name("web", b"a") == naming.unique_name("web", b"a")
    assert naming.unique_name("web", b"a") != naming.unique_name("web", b"b")
    assert naming.unique_name("web", b"") != naming.unique_name("web", b"")


@pytest.mark.parametrize(
    ("token", "gvk", "sdk"),
    [
        (
            "kubernetes:core/v1:Service",
            Gvk("", "v1", "Service"),
            "pulumi_kubernetes.core.v1:Service",
        ),
        (
            "kubernetes:networking.k8s.io/v1:Ingress",
            Gvk("networking.k8s.io", "v1", "Ingress"),
            "pulumi_kubernetes.networking.v1:Ingress",
        ),
        (
            "kubernetes:metallb.io/v1beta1:IPAddressPool",
            Gvk("metallb.io", "v1beta1", "IPAddressPool"),
            None,
        ),
    ],
)
def test_a_token_names_a_kind_and_perhaps_a_class_of_the_sdk(
    token: str, gvk: Gvk, sdk: str | None
) -> None:
    assert objects.gvk_of_token(token) == gvk
    assert objects.sdk_class(gvk) == sdk


@pytest.mark.parametrize("token", ["kubernetes:v1:Pod", "other:core/v1:Pod", "kubernetes:core/v1:"])
def test_what_is_no_such_token_is_no_kind(token: str) -> None:
    assert objects.gvk_of_token(token) is None


def test_warnings_come_newest_first_each_once_and_only_those_of_the_objects() -> None:
    def event(uid: str, message: str, when: str, type_: str = "Warning") -> Obj:
        return {
            "type": type_, "reason": "Failed", "message": message, "lastTimestamp": when,
            "involvedObject": {"uid": uid, "kind": "Pod", "name": "p"},
        }  # fmt: skip

    events = [
        event("1", "older", "2026-01-01T00:00:01Z"),
        event("1", "newer", "2026-01-01T00:00:02Z"),
        event("1", "newer", "2026-01-01T00:00:03Z"),
        event("1", "fine", "2026-01-01T00:00:04Z", "Normal"),
        event("2", "another", "2026-01-01T00:00:05Z"),
    ]
    assert trouble.warnings(events, [{"metadata": {"uid": "1"}}]) == [
        "event Failed on Pod p: newer",
        "event Failed on Pod p: older",
    ]


def test_a_crashed_container_is_told_with_its_last_words() -> None:
    pod: Obj = {
        "metadata": {"namespace": "n", "name": "p"},
        "status": {
            "containerStatuses": [
                {
                    "name": "app",
                    "restartCount": 3,
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
                    "lastState": {
                        "terminated": {"exitCode": 1, "reason": "Error", "message": "no config\n"}
                    },
                },
                {"name": "ok", "ready": True, "state": {"running": {}}},
            ]
        },
    }
    assert trouble.containers([pod]) == [
        "pod n/p: container app waiting: CrashLoopBackOff: back-off 40s "
        "(restarts: 3; last ended with exit code 1 Error no config)"
    ]


def test_a_pod_no_node_takes_says_why() -> None:
    condition = {
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available",
    }  # fmt: skip
    pod: Obj = {
        "metadata": {"namespace": "n", "name": "p"},
        "status": {"conditions": [condition]},
    }
    assert trouble.containers([pod]) == ["pod n/p: Unschedulable: 0/3 nodes are available"]


def test_the_family_of_an_object_reaches_its_grandchildren() -> None:
    def child(uid: str, owner: str) -> Obj:
        return {"metadata": {"uid": uid, "ownerReferences": [{"uid": owner}]}}

    family = trouble.descendants(
        {"metadata": {"uid": "1"}}, [child("3", "2"), child("2", "1"), child("9", "8")]
    )
    assert [each["metadata"]["uid"] for each in family] == ["1", "2", "3"]


def release(**inputs: Any) -> releases.Release:
    return releases.Release({"name": "r", "namespace": "n", "chart": "c", **inputs})


def test_the_arguments_of_an_install_carry_the_options_and_no_values() -> None:
    arguments = release(
        timeout=60, atomic=True, createNamespace=True, waitForJobs=True, values={"secret": "x"}
    ).install("/c.tgz")
    assert arguments == [
        "install", "r", "/c.tgz", "--namespace", "n", "--values", "-", "--timeout", "60s",
        "--wait", "--wait-for-jobs", "--atomic", "--create-namespace",
    ]  # fmt: skip


def test_skip_await_leaves_out_the_wait_and_an_upgrade_resets_values_unless_they_are_reused() -> (
    None
):
    arguments = release(skipAwait=True, cleanupOnFail=True, maxHistory=3).upgrade("c")
    assert "--wait" not in arguments
    assert "--cleanup-on-fail" in arguments
    assert arguments[-3:] == ["--reset-values", "--history-max", "3"]
    assert "--reset-values" not in release(reuseValues=True).upgrade("c")


def test_a_release_has_upstreams_defaults() -> None:
    checked = releases.checked(
        {"chart": "c", "compat": "true", "resourceNames": {}}, {}, namespace="d", new_name="c-1"
    )
    assert checked == {"chart": "c", "name": "c-1", "namespace": "d", "timeout": 300}
    again = releases.checked({"chart": "c"}, {"name": "old"}, namespace="d", new_name="c-2")
    assert again["name"] == "old"
    skipping = releases.checked(
        {"chart": "c", "skipAwait": True}, {}, namespace="d", new_name="c-1"
    )
    assert "timeout" not in skipping


def test_what_the_stand_in_does_not_do_for_a_release_is_refused_by_name() -> None:
    with pytest.raises(CheckFailed) as refused:
        releases.checked({"postrender": "x"}, {}, namespace="d", new_name="n")
    assert set(refused.value.reasons) == {"postrender", "chart"}


def test_a_value_set_to_null_is_a_change_of_a_release() -> None:
    olds, news = {"values": {"a": 1}}, {"values": {"a": 1, "b": None}}
    assert releases.difference(olds, news).changes == {"values": "update"}
    assert releases.difference(news, news).changes == {}


def test_resource_names_are_grouped_by_kind_and_version() -> None:
    manifest = (
        "---\n# Source: x\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b, namespace: n}"
        "\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n---\n---\n"
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
    )
    assert releases.resource_names(manifest) == {
        "Deployment.apps/apps/v1": ["a", "n/b"],
        "Service/v1": ["s"],
    }


@pytest.mark.parametrize(
    ("repo", "chart", "expected", "url"),
    [
        ("http://198.18.0.4/charts", "traefik", "traefik", "http://198.18.0.4/charts"),
        ("depot", "traefik", "depot/traefik", ""),
        ("", "oci://198.18.0.4/charts/traefik", "oci://198.18.0.4/charts/traefik", ""),
    ],
)
def test_a_chart_is_named_with_its_repository(
    repo: str, chart: str, expected: str, url: str
) -> None:
    made = release(chart=chart, repositoryOpts={"repo": repo})
    assert (made.chart, made.repository.url) == (expected, url)
