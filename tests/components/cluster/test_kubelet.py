"""The kubelet's environment, whole."""

from __future__ import annotations

from ipaddress import IPv4Address

from components.cluster import kubelet
from tests.components.cluster.nodes import worker
from tests.golden_files import assert_golden


def test_the_kubelet_is_bound_to_the_lan_and_flags_name_their_machine() -> None:
    text = kubelet.environment(
        "worker-1", IPv4Address("198.18.10.31"), {"cgroup-root": "/machine/{name}"}
    )
    assert_golden("cluster/kubelet-environment", text)
    assert text.endswith(
        'KUBELET_EXTRA_ARGS="--node-ip=198.18.10.31 --cgroup-root=/machine/worker-1"\n'
    )


def test_the_kubelet_is_left_to_kubeadm_to_start() -> None:
    (service,) = kubelet.part(worker()).services
    assert service.enable is False
    assert service.on_change == ("systemctl", "try-restart", "kubelet.service")
    assert service.watches == (kubelet.ENVIRONMENT,)
