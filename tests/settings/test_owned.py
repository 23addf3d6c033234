"""What a stack may not touch on a node is what the layers really write and install there."""

from __future__ import annotations

import pytest

from components.cluster import parts as cluster
from components.host.baseline import parts as baseline
from components.host.packages import Repository
from components.host.part import Part
from settings.files import examine
from tests.components.cluster.nodes import control_plane, plain
from tests.components.host.baseline.test_baseline_parts import ARGS
from tests.settings.fixtures import patched


def layers() -> list[Part]:
    """Every part of a control plane that the program decides all of."""
    model = ARGS.model()
    own = Repository(name="debian", uris=("http://192.0.2.4/debian",), suites=("bookworm",))
    with_sources = type(model)(**{**vars(model), "repositories": (own,)})
    return [
        *cluster.parts(control_plane(plain())),
        *baseline.parts(model),
        *baseline.parts(with_sources),
    ]


FILES = sorted({file.path for part in layers() for file in part.files})
PACKAGES = sorted({package.name for part in layers() for package in part.packages})


def refused(patch: dict[str, object]) -> list[str]:
    return [each.key for each in examine(patched({"set": patch})).problems]


@pytest.mark.parametrize("path", FILES)
def test_a_file_of_the_layers_is_no_node_file(path: str) -> None:
    key = f"layered-cloud:cluster.node_files.{path}"
    assert key in refused({"/cluster/node_files": {path: "x"}})


@pytest.mark.parametrize("path", ["/etc/motd", "/etc/apt/apt.conf.d/90proxy", "/usr/local/bin/x"])
def test_other_files_are_the_stacks(path: str) -> None:
    assert refused({"/cluster/node_files": {path: "x"}}) == []


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_of_the_layers_is_not_added_again(name: str) -> None:
    key = "layered-cloud:cluster.extra_packages[0]"
    assert refused({"/cluster/extra_packages": [name]}) == [key]


def test_the_layers_were_looked_at() -> None:
    assert {"/etc/hosts", "/etc/default/kubelet", "/etc/kubernetes/kubeadm-config.yaml"} <= set(
        FILES
    )
    assert {"kubeadm", "containerd.io", "chrony"} <= set(PACKAGES)
