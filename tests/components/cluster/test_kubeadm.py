"""What `kubeadm init` is given, whole, and what kubeadm says of it."""

from __future__ import annotations

import pytest
import yaml

from components.cluster import kubeadm
from components.cluster.model import NodeModel
from components.loadbalancers.args import api_endpoint
from settings.models import Cluster
from tests.components import stacks
from tests.components.cluster.nodes import checked, cluster, control_plane, plain, worker
from tests.golden_files import assert_golden


@pytest.mark.parametrize(
    ("name", "of"),
    [("plain", plain()), ("lab", stacks.lab().cluster)],
)
def test_the_kubeadm_configuration_is_the_golden_file_and_kubeadm_takes_it(
    name: str, of: Cluster
) -> None:
    text = kubeadm.config(control_plane(of))
    assert_golden(f"cluster/{name}/kubeadm-config.yaml", text)
    status, out, err = checked(
        ["kubeadm", "config", "validate", "--config", kubeadm.CONFIG], {kubeadm.CONFIG: text}
    )
    assert (status, out.strip()) == (0, "ok"), err


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("plain/cp-2", control_plane(plain(), name="cp-2")),
        ("lab/cp-2", control_plane(name="cp-2")),
        ("plain/worker-1", worker(plain())),
        ("lab/worker-1", worker()),
    ],
)
def test_what_a_node_joins_with_is_the_golden_file_and_kubeadm_takes_it(
    name: str, node: NodeModel
) -> None:
    path, discovery = "/etc/kubernetes/join.yaml", "/etc/kubernetes/discovery.yaml"
    text = kubeadm.join_config(node, discovery)
    assert_golden(f"cluster/{name}/kubeadm-join.yaml", text)
    status, out, err = checked(
        ["kubeadm", "config", "validate", "--config", path], {path: text, discovery: ""}
    )
    assert (status, out.strip()) == (0, "ok"), err


@pytest.mark.parametrize("of", [plain(), stacks.lab().cluster], ids=("plain", "lab"))
def test_a_control_plane_registers_alike_whether_it_makes_the_cluster_or_joins_it(
    of: Cluster,
) -> None:
    node = control_plane(of)
    init, *_ = yaml.safe_load_all(kubeadm.config(node))
    join = yaml.safe_load(kubeadm.join_config(node, "/discovery"))
    assert init["nodeRegistration"] == join["nodeRegistration"] == kubeadm.registration(node)
    assert init["localAPIEndpoint"] == join["controlPlane"]["localAPIEndpoint"]


def test_a_worker_keeps_what_taints_it_is_given_and_is_no_control_plane() -> None:
    join = yaml.safe_load(kubeadm.join_config(worker(), "/discovery"))
    assert "controlPlane" not in join
    assert "taints" not in join["nodeRegistration"]


def test_kubeadm_itself_would_refuse_a_wrong_key() -> None:
    text = kubeadm.config(control_plane(cluster(cluster_configuration={"nonsense": True})))
    status, _, err = checked(
        ["kubeadm", "config", "validate", "--config", kubeadm.CONFIG], {kubeadm.CONFIG: text}
    )
    assert status != 0
    assert "nonsense" in err


def test_the_api_certificate_names_both_vips_and_the_machine() -> None:
    _, configuration, _ = yaml.safe_load_all(kubeadm.config(control_plane(plain())))
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
        kubeadm.config(control_plane(plain(), api_endpoint(stacks.two_groups().balancers)))
    )
    assert configuration["apiServer"]["certSANs"][:5] == [
        "198.18.10.10",
        "198.18.0.10",
        "198.18.10.13",
        "198.18.0.13",
        "198.18.10.21",
    ]


def test_a_control_plane_keeps_its_taint_unless_it_also_works() -> None:
    init, *_ = yaml.safe_load_all(kubeadm.config(control_plane(plain())))
    assert "taints" not in init["nodeRegistration"]
    works = control_plane(cluster(schedule_on_control_planes=True))
    init, *_ = yaml.safe_load_all(kubeadm.config(works))
    assert init["nodeRegistration"]["taints"] == []


def test_there_is_no_kube_proxy() -> None:
    init, configuration, _ = yaml.safe_load_all(kubeadm.config(control_plane(plain())))
    assert init["skipPhases"] == ["addon/kube-proxy"]
    assert configuration["proxy"] == {"disabled": True}


def test_extension_keys_are_laid_over_what_is_decided() -> None:
    laid_over = {
        "etcd": {"local": {"imageTag": "3.6.14-0"}},
        "networking": {"dnsDomain": "other.local"},
    }
    text = kubeadm.config(control_plane(cluster(cluster_configuration=laid_over)))
    _, configuration, kubelet = yaml.safe_load_all(text)
    assert configuration["etcd"] == {"local": {"imageTag": "3.6.14-0"}}
    assert configuration["networking"]["dnsDomain"] == "other.local"
    assert configuration["networking"]["podSubnet"] == "198.19.0.0/16"
    assert kubelet["cgroupDriver"] == "cgroupfs"


def test_lists_that_are_added_to_keep_what_is_decided() -> None:
    more = {
        "apiServer": {
            "certSANs": ["api.lab.test", "198.18.10.10"],
            "extraArgs": [{"name": "audit-log-maxage", "value": "30"}],
        },
        "controllerManager": {"extraArgs": [{"name": "bind-address", "value": "127.0.0.1"}]},
    }
    text = kubeadm.config(control_plane(cluster(cluster_configuration=more)))
    _, before, _ = yaml.safe_load_all(kubeadm.config(control_plane()))
    _, after, _ = yaml.safe_load_all(text)
    names = before["apiServer"]["certSANs"]

    assert after["apiServer"]["certSANs"] == [*names, "api.lab.test"]
    assert after["apiServer"]["extraArgs"] == [{"name": "audit-log-maxage", "value": "30"}]
    assert after["controllerManager"]["extraArgs"] == [
        {"name": "node-cidr-mask-size", "value": "24"},
        {"name": "bind-address", "value": "127.0.0.1"},
    ]
    status, _, err = checked(
        ["kubeadm", "config", "validate", "--config", kubeadm.CONFIG], {kubeadm.CONFIG: text}
    )
    assert status == 0, err


def test_a_flag_that_is_given_stands_in_place_of_ours() -> None:
    given = {"controllerManager": {"extraArgs": [{"name": "node-cidr-mask-size", "value": "24"}]}}
    _, configuration, _ = yaml.safe_load_all(
        kubeadm.config(control_plane(cluster(cluster_configuration=given)))
    )
    assert configuration["controllerManager"] == given["controllerManager"]


def test_only_a_control_plane_has_a_configuration_and_serves_the_api() -> None:
    one, other = kubeadm.part(control_plane()), kubeadm.part(worker())
    assert [file.path for file in one.files] == [kubeadm.CONFIG]
    assert [check.watches for check in one.checks] == [(kubeadm.CONFIG,)]
    assert [port.number for port in one.ports] == [6443, 2379, 2380]
    assert (other.files, other.checks, other.ports) == ((), (), ())


def test_the_tools_are_pinned_and_held_on_every_node() -> None:
    for node in (control_plane(plain()), worker(plain())):
        packages = kubeadm.part(node).packages
        assert [(each.name, each.version, each.hold) for each in packages] == [
            ("kubeadm", "1.36.3-1.1", True),
            ("kubectl", "1.36.3-1.1", True),
        ]
