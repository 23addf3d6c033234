"""The container runtime's files, whole, and what containerd says of them."""

from __future__ import annotations

from components.cluster import containerd
from tests.components import stacks
from tests.components.cluster.nodes import checked, cluster, worker
from tests.golden_files import assert_golden


def test_the_containerd_configuration_is_the_golden_file_and_containerd_takes_it() -> None:
    text = containerd.config()
    assert_golden("cluster/containerd-config.toml", text)
    status, out, err = checked(
        ["containerd", "config", "dump"], {"/etc/containerd/config.toml": text}
    )
    assert status == 0, err
    assert "SystemdCgroup = true" in out
    assert "config_path = '/etc/containerd/certs.d'" in out


def test_a_snippet_of_the_stack_wins_over_the_containerd_configuration() -> None:
    files = {"/etc/containerd/config.toml": containerd.config()}
    for name, snippet in stacks.lab().cluster.containerd.snippets.items():
        files[f"/etc/containerd/conf.d/{name}"] = snippet
    status, out, err = checked(["containerd", "config", "dump"], files)
    assert status == 0, err
    assert "SystemdCgroup = false" in out
    assert "restrict_oom_score_adj = true" in out
    assert "runtime_type = 'io.containerd.runc.v2'" in out


def test_containerd_itself_would_refuse_a_broken_snippet() -> None:
    files = {
        "/etc/containerd/config.toml": containerd.config(),
        "/etc/containerd/conf.d/broken.toml": "version = 3\n[plugins\n",
    }
    status, _, err = checked(["containerd", "config", "dump"], files)
    assert status != 0
    assert "broken.toml" in err


def test_a_stack_says_its_package_its_snippets_and_its_mirrors() -> None:
    settings = stacks.lab().cluster.containerd.model_copy(
        update={
            "package": "containerd",
            "version": "2.0.5-1",
            "snippets": {"10-a.toml": "version = 3\n"},
            "hosts": {"_default": 'server = "http://192.0.2.4"\n'},
        }
    )
    made = containerd.part(worker(cluster(containerd=settings)))
    assert [(each.name, each.version, each.hold) for each in made.packages] == [
        ("containerd", "2.0.5-1", True)
    ]
    assert list(made.texts()) == [
        "/etc/containerd/config.toml",
        "/etc/containerd/conf.d/10-a.toml",
        "/etc/containerd/certs.d/_default/hosts.toml",
    ]


def test_a_changed_mirror_restarts_nothing() -> None:
    (service,) = containerd.part(worker()).services
    assert not any("certs.d".startswith(path) or "certs.d" in path for path in service.watches)
