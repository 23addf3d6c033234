"""What optional addons make in a plan of the whole program, beyond the platform's own layer."""

from __future__ import annotations

import json

from components.cluster import kubelet
from tests import whole

VM = "proxmoxve:index/vmLegacy:VmLegacy"
RELEASE = "kubernetes:helm.sh/v3:Release"
SECRET = "kubernetes:core/v1:Secret"


def test_without_storage_the_program_alone_gives_disks() -> None:
    seen = whole.plan("lab")
    for machine in ("cp-1", "worker-1", "lb-a"):
        vm = seen.registration(VM, machine)
        assert set(vm.ignore_changes) == {"initialization.dns", "disks[0].speed"}


def test_the_region_of_the_nodes_is_the_one_that_the_plugin_is_told() -> None:
    seen = whole.plan("stored")
    release = seen.registration(RELEASE, "proxmox-csi-plugin")
    (cluster,) = release.inputs["values"]["config"]["clusters"]
    every = [part for _, parts in seen.sums for part in parts if part.name == "kubelet"]
    assert len(every) == 3, "a control plane and two workers"
    for text in (part.texts()[kubelet.ENVIRONMENT] for part in every):
        assert f"topology.kubernetes.io/region={cluster['region']}," in text
        assert "topology.kubernetes.io/zone=pve" in text


def test_an_update_leaves_the_disks_of_nodes_alone_and_no_other_machines() -> None:
    seen = whole.plan("stored")
    for machine, path in (("cp-1", "disks"), ("worker-1", "disks"), ("lb-a", "disks[0].speed")):
        vm = seen.registration(VM, machine)
        assert set(vm.ignore_changes) == {"initialization.dns", path}


def test_the_token_is_in_a_secret_and_nowhere_in_the_plan() -> None:
    seen = whole.plan("stored")
    secret = seen.registration(SECRET, "csi-proxmox-token-secret")
    assert "stringData" in secret.secret_inputs
    release = seen.registration(RELEASE, "proxmox-csi-plugin")
    assert secret.urn in release.dependencies
    assert "hush" not in json.dumps(release.inputs["values"])


def test_the_repositorys_secret_has_what_is_no_secret_too() -> None:
    secret = whole.plan("delivered").registration(SECRET, "argocd-repository-secret")
    assert secret.inputs["stringData"] == {
        **{"type": "git", "url": "https://git.lab.test/cloud.git"},
        **{"username": "hush", "password": "hush"},
    }
    assert secret.inputs["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": "repository"}
    assert "stringData" in secret.secret_inputs


def test_the_key_is_in_the_secret_alone() -> None:
    seen = whole.plan("saved")
    secret = seen.registration(SECRET, "velero-store-secret")
    assert set(secret.inputs["stringData"]) == {"cloud"}
    assert "stringData" in secret.secret_inputs
    release = seen.registration(RELEASE, "velero")
    assert secret.urn in release.dependencies


def test_the_meshs_keys_are_secret_and_there_before_its_control_plane() -> None:
    seen = whole.plan("meshed by linkerd")
    release = seen.registration(RELEASE, "linkerd-control-plane")
    pair = seen.registration(SECRET, "linkerd-control-plane-issuer")
    roots = seen.registration("kubernetes:core/v1:ConfigMap", "linkerd-control-plane-roots")
    assert {pair.urn, roots.urn} <= release.dependencies
    assert pair.inputs["type"] == "kubernetes.io/tls"
    assert set(pair.inputs["stringData"]) == {"ca.crt", "tls.crt", "tls.key"}
    assert "stringData" in pair.secret_inputs
    assert set(roots.inputs["data"]) == {"ca-bundle.crt"}
    signed = "tls:index/locallySignedCert:LocallySignedCert"
    issuer = seen.registration(signed, "platform-mesh-issuer")
    assert issuer.inputs["isCaCertificate"] is True
    assert issuer.inputs["earlyRenewalHours"] == 720
    request = seen.registration("tls:index/certRequest:CertRequest", "platform-mesh-issuer-request")
    assert request.inputs["dnsNames"] == ["identity.linkerd.cluster.local"]


def test_what_lets_the_ingress_in_comes_after_the_kinds_and_the_namespace() -> None:
    seen = whole.plan("meshed by istio")
    entrance = seen.registration(
        "kubernetes:security.istio.io/v1:PeerAuthentication", "mesh-entrance-echo"
    )
    namespace = seen.registration("kubernetes:core/v1:Namespace", "echo-namespace")
    assert namespace.urn in entrance.dependencies
    judged = seen.registration("command:remote:Command", "platform-mesh-entrances-webhook")
    assert judged.urn in entrance.dependencies
    pods = seen.registration("kubernetes:apps/v1:DaemonSet", "echo-pods")
    assert seen.registration(RELEASE, "istiod").urn in pods.dependencies
