"""A collection of wrong stack files from outside the tree: none passes without a word, none fails
with a traceback, and every line names a key and a remedy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from settings.__main__ import main

ROOT = Path(__file__).parent.parent.parent
CASES = ROOT.parent / "shared" / "cases"
STACKS = sorted((CASES / "stacks").glob("*.yaml"))

ACCEPTED = {"authkey-options", "kubeadm-cm-extraargs", "pve-name-upper"}
"""Sound, and once refused."""

WARNED = {
    "apt-docker-ubuntu",
    "apt-suite-trixie",
    "cert-days-self-signed",
    "ignore-preflight-comma",
    "ignore-preflight-typo",
    "image-arm64",
    "image-other-file",
    "kubelet-cgroupfs",
    "lan-public-typo",
    "record-deep",
    "records-empty",
    "wan-vip-documentation",
}
"""May be meant: a warning alone. What is in neither set is refused."""
REFUSED_BESIDES = {"apt-suite-trixie"}
"""For a second fault: the version that is installed from there is another release's."""

KEYS = {
    "address-as-float": "networks.wan.gateway",
    "advert-ms": "routers.vrrp.advert_interval",
    "api-url-bare": "cdn.api_url",
    "apt-docker-ubuntu": "software.containerd_repository.uris[0]",
    "apt-k8s-legacy": "software.kubernetes_repository.uris[0]",
    "apt-key-one-line": "software.kubernetes_repository.signed_by",
    "apt-key-truncated": "software.kubernetes_repository.signed_by",
    "apt-no-trailing-slash": "software.kubernetes_repository.suites[0]",
    "apt-suite-trixie": "software.containerd_repository.suites[0]",
    "apt-uri-one-string": "software.containerd_repository.uris[0]",
    "authkey-truncated": "access.authorized_keys[0]",
    "balancer-memory-vs-maxconn": "balancers.max_connections",
    "cdn-list-halves": "cdn.range_list",
    "cert-101-names": "balancers.certificate.names",
    "cert-days-self-signed": "balancers.certificate.validity_hours",
    "chart-float": "platform.cilium.version",
    "chart-oci-repository": "platform.ingress.chart.repository",
    "chart-oci-with-repository": "platform.ingress.chart.repository",
    "cilium-cluster-pool": "platform.cilium.values.ipam.mode",
    "cilium-k8shost": "platform.cilium.values.k8sServiceHost",
    "cilium-l2": "platform.cilium.values.l2announcements.enabled",
    "cilium-tunnel": "platform.cilium.values.routingMode",
    "client-header-host": "cdn.client_ip_header",
    "conntrack-below-maxconn": "routers.limits.conntrack_max",
    "conntrack-huge": "routers.limits.conntrack_max",
    "conntrack-overflow": "routers.limits.conntrack_max",
    "containerd-hosts-toml": "cluster.containerd.hosts.docker.io",
    "containerd-latest": "cluster.containerd.version",
    "containerd-no-revision": "cluster.containerd.version",
    "containerd-snippet-v2": "cluster.containerd.snippets.x.toml",
    "containerd-wrong-release": "cluster.containerd.version",
    "datastore-empty": "proxmox.datastores.disks",
    "datastore-path": "proxmox.datastores.images",
    "disk-mib": "cluster.workers[1].disk",
    "disk-worker-4": "cluster.workers[1].disk",
    "endpoint-no-port": "proxmox.endpoint",
    "endpoint-port-bad": "proxmox.endpoint",
    "extra-packages-empty-name": "cluster.extra_packages[0]",
    "extra-packages-one-text": "cluster.extra_packages[0]",
    "extra-packages-own": "cluster.extra_packages[0]",
    "garp-huge": "routers.vrrp.garp_master_refresh",
    "hostname-localhost": "cluster.workers[1].name",
    "hostname-trailing-space": "cluster.workers[1].name",
    "huge-int": "access.epoch",
    "ignore-preflight-comma": "cluster.ignore_preflight_errors[0]",
    "ignore-preflight-typo": "cluster.ignore_preflight_errors[0]",
    "image-arm64": "proxmox.image.url",
    "image-compressed": "proxmox.image.url",
    "image-latest": "proxmox.image.url",
    "image-other-file": "proxmox.image.file_name",
    "k8s-debian": "cluster.kubernetes_version",
    "k8s-float": "cluster.kubernetes_version",
    "k8s-rc": "cluster.kubernetes_version",
    "kubeadm-anonymous": "cluster.cluster_configuration.apiServer.extraArgs[0]",
    "kubeadm-apiversion": "cluster.cluster_configuration.apiVersion",
    "kubeadm-kind": "cluster.cluster_configuration.kind",
    "kubeadm-proxy-on": "cluster.cluster_configuration.proxy.disabled",
    "kubeadm-v1beta3-args": "cluster.cluster_configuration.apiServer.extraArgs",
    "kubelet-cgroupfs": "cluster.kubelet.config.cgroupDriver",
    "kubelet-flag-removed": "cluster.kubelet.extra_args.pod-infra-container-image",
    "kubelet-maxpods-text": "cluster.kubelet.config.maxPods",
    "kubelet-resolvconf-typo": "cluster.kubelet.config.maxpods",
    "lan-public-typo": "networks.lan.cidr",
    "memory-bytes": "cluster.workers[1].memory",
    "memory-gib": "cluster.control_planes[0].memory",
    "metallb-frr": "platform.metallb.chart.values.speaker.frr.enabled",
    "mgmt-source-host": "routers.management_sources[0]",
    "min-tls-float": "cdn.min_tls_version",
    "namespace-typo-required": "layered_cloud:networks",
    "netmask-dotted": "networks.lan.cidr",
    "netmask-wildcard": "networks.pods",
    "node-file-double-slash": "cluster.node_files./etc//cron.d/x",
    "node-file-hosts": "cluster.node_files./etc/hosts",
    "node-file-own": "cluster.node_files./etc/containerd/config.toml",
    "node-file-secret": "cluster.node_files./etc/ssl/private/x.key",
    "ntp-in-pods": "networks.ntp[0]",
    "ntp-is-a-router": "networks.ntp[0]",
    "ntp-trailing-space": "networks.ntp[0]",
    "package-revision-dash": "cluster.package_revision",
    "pool-cidr": "platform.metallb.pool[0]",
    "record-deep": "cdn.records[2]",
    "record-umlaut": "cdn.records[0]",
    "records-empty": "cdn.records",
    "resolver-multicast": "networks.resolvers[0]",
    "resolver-zero": "networks.resolvers[0]",
    "secret-empty": "proxmoxApiToken",
    "sha-unquoted-octalish": "proxmox.image.sha256",
    "ssh-user-empty": "proxmox.ssh_user",
    "ssh-user-realm": "proxmox.ssh_user",
    "sysctl-equals": "cluster.sysctls.vm.max_map_count=262144",
    "sysctl-forwarding-other-name": "cluster.sysctls.net.ipv4.conf.all.forwarding",
    "sysctl-newline": "cluster.sysctls.vm.max_map_count",
    "sysctl-rpfilter": "cluster.sysctls.net.ipv4.conf.all.rp_filter",
    "timeout-tiny": "balancers.timeouts.connect",
    "traefik-cluster": "platform.ingress.chart.values.service.spec.externalTrafficPolicy",
    "traefik-nodeport": "platform.ingress.chart.values.ports.web.nodePort",
    "traefik-trusted": "platform.ingress.chart.values.ports.websecure.proxyProtocol.trustedIPs",
    "vlan-010": "networks.sync.vlan",
    "vlan-08": "networks.sync.vlan",
    "vlan-twice-in-bridge-name": "networks.sync.bridge",
    "vm-id-octal": "cluster.workers[0].vm_id",
    "wan-vip-documentation": "routers.vips[0].wan[0]",
    "yaml-nested-deep": "line 78, column 165 (layered-cloud:platform)",
    "yaml-nul": "line 66, column 13 (layered-cloud:cluster)",
}
"""What each is told about."""

pytestmark = pytest.mark.skipif(not STACKS, reason=f"{CASES} is not there")


def told(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    status = main(["check", str(path)])
    captured = capsys.readouterr()
    lines = (captured.out + captured.err).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines), lines
    return status, [line.removeprefix(f"{path}: ") for line in lines]


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.stem)
def test_a_wrong_stack_is_told_by_key(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = told(path, capsys)
    if path.stem in ACCEPTED:
        assert status == 0
        return
    key = KEYS.get(path.stem)
    assert key is not None, f"{path.name} has no expected key: {lines}"
    whole = key if ":" in key or key.startswith("line ") else f"layered-cloud:{key}"
    about = [line for line in lines if line.removeprefix("warning: ").startswith(f"{whole}: ")]
    assert about, lines
    assert all(re.search(r"; \S", line) for line in lines), lines
    warned = all(line.startswith("warning: ") for line in about)
    assert warned == (path.stem in WARNED), about
    assert status == (0 if path.stem in WARNED - REFUSED_BESIDES else 1), lines


def test_what_is_sound_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    for path in STACKS:
        if path.stem in ACCEPTED:
            status, lines = told(path, capsys)
            assert status == 0
            assert not [line for line in lines if "authorized_keys" in line or ".hosts[" in line]


def test_all_at_once_as_a_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-B", "-m", "settings", "check", *map(str, STACKS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stdout + ran.stderr
