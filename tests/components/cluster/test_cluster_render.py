"""The files of a node, whole, and what the real programs say of them."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest
import yaml

from components.cluster import ClusterArgs, render
from components.cluster.verify import verify
from components.host import ApiEndpoint
from components.host.text import merged
from components.loadbalancers.args import api_endpoint
from lab.software import checkers
from settings.models import Cluster, Stack
from tests.components import stacks
from tests.golden_files import assert_golden

API = ApiEndpoint(lan=IPv4Address("198.18.10.10"), management=IPv4Address("198.18.0.10"))
KUBEADM = render.KUBEADM_CONFIG


def args(stack: Stack | None = None, **values: Any) -> ClusterArgs:
    chosen = stack or stacks.lab()
    return ClusterArgs(
        **{
            "cluster": chosen.cluster,
            "networks": chosen.networks,
            "software": chosen.software,
            "control_planes": stacks.machines(chosen, "control_plane"),
            "workers": stacks.machines(chosen, "worker"),
            "api": API,
            **values,
        }
    )


def cluster(**values: Any) -> Cluster:
    return stacks.lab().cluster.model_copy(update=values)


def kubeadm(of: Cluster, api: ApiEndpoint = API) -> str:
    return render.kubeadm_config(
        of,
        stacks.lab().networks,
        api,
        name="cp-1",
        addresses=[IPv4Address("198.18.10.21"), IPv4Address("198.18.0.31")],
        domain="lab.test",
    )


def plain() -> Cluster:
    """A cluster without any extension."""
    empty = Cluster.model_validate(
        {
            "name": "prod",
            "kubernetes_version": "1.36.3",
            "control_planes": [stacks.lab().cluster.control_planes[0].model_dump(mode="json")],
        }
    )
    return empty


def checked(argv: list[str], files: dict[str, str]) -> tuple[int, str, str]:
    """Exit status and words of a real program over files; skips when it is not built."""
    reason = checkers.lacking()
    if reason is not None:
        pytest.skip(reason)
    done = checkers.run_checker(argv, files)
    if done.returncode == 127 or f"failed to run command '{argv[0]}'" in done.stderr:
        pytest.skip(f"{argv[0]} is not built: python -m lab.software build --only {argv[0]}")
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("name", "of"),
    [("plain", plain()), ("lab", stacks.lab().cluster)],
)
def test_the_kubeadm_configuration_is_the_golden_file_and_kubeadm_takes_it(
    name: str, of: Cluster
) -> None:
    text = kubeadm(of)
    assert_golden(f"cluster/{name}/kubeadm-config.yaml", text)
    status, out, err = checked(
        ["kubeadm", "config", "validate", "--config", KUBEADM], {KUBEADM: text}
    )
    assert (status, out.strip()) == (0, "ok"), err


def test_kubeadm_itself_would_refuse_a_wrong_key() -> None:
    text = kubeadm(cluster(cluster_configuration={"nonsense": True}))
    status, _, err = checked(
        ["kubeadm", "config", "validate", "--config", KUBEADM], {KUBEADM: text}
    )
    assert status != 0
    assert "nonsense" in err


def test_the_api_certificate_names_both_vips_and_the_machine() -> None:
    _, configuration, _ = yaml.safe_load_all(kubeadm(plain()))
    assert configuration["apiServer"]["certSANs"] == [
        "198.18.10.10",
        "198.18.0.10",
        "198.18.10.21",
        "198.18.0.31",
        "cp-1",
        "cp-1.lab.test",
    ]
    assert configuration["controlPlaneEndpoint"] == "198.18.10.10:6443"


def test_the_api_certificate_names_the_vips_of_every_group() -> None:
    _, configuration, _ = yaml.safe_load_all(
        kubeadm(plain(), api_endpoint(stacks.two_groups().balancers))
    )
    assert configuration["apiServer"]["certSANs"][:5] == [
        "198.18.10.10",
        "198.18.0.10",
        "198.18.10.13",
        "198.18.0.13",
        "198.18.10.21",
    ]


def test_a_control_plane_keeps_its_taint_unless_it_also_works() -> None:
    init, *_ = yaml.safe_load_all(kubeadm(plain()))
    assert "taints" not in init["nodeRegistration"]
    init, *_ = yaml.safe_load_all(kubeadm(cluster(schedule_on_control_planes=True)))
    assert init["nodeRegistration"]["taints"] == []


def test_there_is_no_kube_proxy() -> None:
    init, configuration, _ = yaml.safe_load_all(kubeadm(plain()))
    assert init["skipPhases"] == ["addon/kube-proxy"]
    assert configuration["proxy"] == {"disabled": True}


def test_extension_keys_are_laid_over_what_is_decided() -> None:
    _, configuration, kubelet = yaml.safe_load_all(
        kubeadm(
            cluster(
                cluster_configuration={
                    "etcd": {"local": {"imageTag": "3.6.14-0"}},
                    "networking": {"dnsDomain": "other.local"},
                }
            )
        )
    )
    assert configuration["etcd"] == {"local": {"imageTag": "3.6.14-0"}}
    assert configuration["networking"]["dnsDomain"] == "other.local"
    assert configuration["networking"]["podSubnet"] == "198.19.0.0/16"
    assert kubelet["cgroupDriver"] == "cgroupfs"


def test_merging_replaces_lists_and_merges_mappings() -> None:
    assert merged({"a": {"b": 1, "c": [1, 2]}, "d": 1}, {"a": {"c": [3]}, "d": {"e": 2}}) == {
        "a": {"b": 1, "c": [3]},
        "d": {"e": 2},
    }


def test_the_containerd_configuration_is_the_golden_file_and_containerd_takes_it() -> None:
    text = render.containerd_config()
    assert_golden("cluster/containerd-config.toml", text)
    status, out, err = checked(
        ["containerd", "config", "dump"], {"/etc/containerd/config.toml": text}
    )
    assert status == 0, err
    assert "SystemdCgroup = true" in out
    assert "config_path = '/etc/containerd/certs.d'" in out


def test_a_snippet_of_the_stack_wins_over_the_containerd_configuration() -> None:
    files = {"/etc/containerd/config.toml": render.containerd_config()}
    for name, snippet in stacks.lab().cluster.containerd.snippets.items():
        files[f"/etc/containerd/conf.d/{name}"] = snippet
    status, out, err = checked(["containerd", "config", "dump"], files)
    assert status == 0, err
    assert "SystemdCgroup = false" in out
    assert "restrict_oom_score_adj = true" in out
    assert "runtime_type = 'io.containerd.runc.v2'" in out


def test_containerd_itself_would_refuse_a_broken_snippet() -> None:
    files = {
        "/etc/containerd/config.toml": render.containerd_config(),
        "/etc/containerd/conf.d/broken.toml": "version = 3\n[plugins\n",
    }
    status, _, err = checked(["containerd", "config", "dump"], files)
    assert status != 0
    assert "broken.toml" in err


def test_the_kernel_settings_are_the_golden_file_and_systemd_takes_them() -> None:
    text = render.sysctl_config({"net.core.somaxconn": "4096"})
    assert_golden("cluster/sysctl.conf", text)
    status, _, err = checked(
        ["/usr/lib/systemd/systemd-sysctl", "--strict", "/etc/sysctl.d/90-kubernetes.conf"],
        {"/etc/sysctl.d/90-kubernetes.conf": text},
    )
    assert status == 0, err


def test_the_kubelet_is_bound_to_the_lan_and_flags_name_their_machine() -> None:
    text = render.kubelet_environment(
        "worker-1", IPv4Address("198.18.10.31"), {"cgroup-root": "/machine/{name}"}
    )
    assert_golden("cluster/kubelet-environment", text)
    assert text.endswith(
        'KUBELET_EXTRA_ARGS="--node-ip=198.18.10.31 --cgroup-root=/machine/worker-1"\n'
    )


def test_modules_are_one_a_line() -> None:
    assert render.modules_config() == "overlay\nbr_netfilter\n"


def test_the_shipped_lab_makes_sense() -> None:
    assert verify(args()) == []


def problems(**values: Any) -> list[str]:
    return verify(args(**values))


def test_a_second_control_plane_is_refused_by_name() -> None:
    (control_plane,) = stacks.machines(stacks.lab(), "control_plane")
    workers = stacks.machines(stacks.lab(), "worker")
    (problem,) = problems(control_planes=[control_plane, workers[0]], workers=workers[1:])
    assert problem.startswith(
        "cluster.control_planes: 2 control planes (cp-1, worker-1); this version makes clusters "
        "with exactly one."
    )


def test_a_cluster_without_a_node_that_takes_pods_is_refused() -> None:
    (problem,) = problems(workers=[], cluster=cluster(schedule_on_control_planes=False))
    assert problem.startswith("cluster.workers: no workers, and control planes take no pods")


def test_a_pod_range_too_small_for_the_nodes_is_refused_with_its_size() -> None:
    (problem,) = problems(cluster=cluster(node_mask=17))
    assert problem.startswith(
        "cluster.node_mask: 198.19.0.0/16 holds 2 shares of /17 for 3 nodes; raise node_mask"
    )


def test_an_api_vip_outside_of_its_network_is_refused() -> None:
    api = ApiEndpoint(lan=IPv4Address("198.18.0.10"), management=IPv4Address("198.18.10.10"))
    assert problems(api=api) == [
        "the API's LAN VIP 198.18.0.10 is not in 198.18.10.0/24",
        "the API's management VIP 198.18.10.10 is not in 198.18.0.0/24",
    ]


@pytest.mark.parametrize(
    ("flag", "value"), [("--v", "2"), ("v", "2 3"), ("v", "$HOME"), ("v", 'a"b')]
)
def test_a_kubelet_flag_that_cannot_stand_in_its_file_is_refused(flag: str, value: str) -> None:
    kubelet = stacks.lab().cluster.kubelet.model_copy(update={"extra_args": {flag: value}})
    (problem,) = problems(cluster=cluster(kubelet=kubelet))
    assert problem.startswith(f"cluster.kubelet.extra_args: {flag}={value!r} cannot stand in")


def test_a_snippet_that_would_not_be_imported_is_refused() -> None:
    containerd = stacks.lab().cluster.containerd.model_copy(update={"snippets": {"lab.conf": ""}})
    (problem,) = problems(cluster=cluster(containerd=containerd))
    assert problem == (
        "cluster.containerd.snippets: lab.conf would not be imported; name it NAME.toml"
    )


def test_a_relative_path_of_a_node_file_is_refused() -> None:
    (problem,) = problems(cluster=cluster(node_files={"etc/x": ""}))
    assert problem == "cluster.node_files: etc/x is not an absolute path"
