"""The provider's configuration, and a cluster that does not answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.plugins.kubernetes import kubeconfig, provider
from lab.plugins.kubernetes.kubeconfig import KubeconfigError, MemoryFile
from lab.plugins.kubernetes.provider import KubernetesProvider
from lab.plugins.server import CheckFailed, Context, Secret
from tests.lab.plugins.harness import UNKNOWN, CallFailed, Harness, State, plugin
from tests.lab.plugins.kubernetes.conftest import Authority, config_text

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def config(server: str = "https://198.18.0.10:6443", **user: Any) -> str:
    return yaml.safe_dump(
        {
            "current-context": "a",
            "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": user or {"token": "t"}}],
        }
    )


@pytest.fixture
def dead() -> str:
    """A kubeconfig of an API server that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return config(f"https://127.0.0.1:{port}")


@pytest.fixture
def kubernetes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    monkeypatch.setattr(provider, "FIRST_CONTACT_SECONDS", 0.0)
    with plugin(KubernetesProvider()) as harness:
        yield harness


def diff(olds: dict[str, Any], news: dict[str, Any]) -> list[str]:
    return KubernetesProvider().diff_config(Context(), olds, news).replaces


def test_a_kubeconfig_for_another_cluster_replaces_and_new_credentials_do_not() -> None:
    old = {"kubeconfig": config()}
    assert diff(old, {"kubeconfig": config("https://198.18.0.11:6443")}) == ["kubeconfig"]
    assert diff(old, {"kubeconfig": config(token="other")}) == []


def test_with_a_cluster_identifier_only_that_replaces() -> None:
    old = {"kubeconfig": config(), "clusterIdentifier": "lab"}
    moved = config("https://198.18.0.11:6443")
    assert diff(old, {"kubeconfig": moved, "clusterIdentifier": "lab"}) == []
    assert diff(old, {"kubeconfig": UNKNOWN, "clusterIdentifier": "lab"}) == []
    assert diff(old, {"kubeconfig": config(), "clusterIdentifier": "new"}) == ["clusterIdentifier"]


def test_a_kubeconfig_that_is_not_known_yet_replaces_when_nothing_identifies_the_cluster() -> None:
    assert diff({"kubeconfig": config()}, {"kubeconfig": UNKNOWN}) == ["kubeconfig"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"renderYamlToDirectory": "out"}, "rendering to a directory is not part"),
        ({"enableServerSideApply": False}, "client-side apply is not part"),
        ({"kubeconfig": "a: [\n"}, "kubeconfig: "),
        ({"kubeconfig": "/nonexistent/kubeconfig"}, "neither its contents nor a readable file"),
    ],
)
def test_configuration_that_is_not_supported_is_refused_by_name(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(CheckFailed) as refused:
        KubernetesProvider().check_config(Context(), given)
    assert list(refused.value.reasons) == list(given)
    assert words in next(iter(refused.value.reasons.values()))


def test_a_broken_kubeconfig_is_never_quoted() -> None:
    with pytest.raises(KubeconfigError) as wrong:
        kubeconfig.load("users:\n- token: hunter2\n  - bad: [\n")
    assert "hunter2" not in str(wrong.value)
    assert "line" in str(wrong.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"current-context": ""}, "no current-context"),
        ({"current-context": "b"}, "no context named 'b' (it has: a)"),
        ({"clusters": []}, "no cluster named 'c' (it has: none)"),
    ],
)
def test_what_a_kubeconfig_lacks_is_named(change: dict[str, Any], words: str) -> None:
    loaded = {**kubeconfig.load(config()), **change}
    with pytest.raises(KubeconfigError) as wrong:
        kubeconfig.access(loaded)
    assert words in str(wrong.value)


def test_credentials_that_run_a_program_are_refused() -> None:
    where = kubeconfig.access(kubeconfig.load(config(exec={"command": "aws"})))
    with pytest.raises(KubeconfigError, match="'exec' credentials are not supported"):
        kubeconfig.client_configuration(where)


def test_a_client_key_lives_in_memory_only_and_goes_with_the_client() -> None:
    authority = Authority()
    certificate, key = authority.issue("admin", "system:masters")
    text = config_text("https://127.0.0.1:1", authority.pem, certificate, key)
    configuration, files = kubeconfig.client_configuration(kubeconfig.access(kubeconfig.load(text)))
    path = Path(configuration.key_file)
    assert path.read_bytes() == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert "memfd" in str(path.readlink())
    for file in files:
        file.close()
    assert not path.exists()


def test_a_memory_file_is_closed_once() -> None:
    file = MemoryFile("x", "text")
    file.close()
    file.close()


def test_with_an_unknown_kubeconfig_previews_show_their_inputs(kubernetes: Harness) -> None:
    kubernetes.configure(kubeconfig=UNKNOWN_TEXT)
    shown = kubernetes.create(CONFIG_MAP, {"metadata": {"name": "x"}}, preview=True)
    assert shown.outputs["metadata"] == {"name": "x", "namespace": "default"}
    assert shown.outputs["status"] is UNKNOWN


UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def test_a_cluster_that_does_not_answer_is_a_warning_in_a_preview_and_an_error_in_an_update(
    kubernetes: Harness, dead: str
) -> None:
    kubernetes.configure(kubeconfig=Secret(dead))
    inputs = {"metadata": {"name": "x"}, "data": {"a": "1"}}
    shown = kubernetes.create(CONFIG_MAP, inputs, preview=True)
    assert shown.outputs["data"] == {"a": "1"}
    warnings = [line for severity, line, _ in kubernetes.log if severity == "warning"]
    assert warnings and "configured Kubernetes cluster is unreachable" in warnings[0]
    with pytest.raises(CallFailed, match=r"cluster is unreachable.*127\.0\.0\.1") as failed:
        kubernetes.create(CONFIG_MAP, inputs)
    assert "check that the API server runs" in str(failed.value)


def stored(**outputs: Any) -> State:
    metadata = {"name": "x", "namespace": "default"}
    return State(CONFIG_MAP, "x", "default/x", {"metadata": metadata}, {"metadata": metadata})


def test_resources_of_a_dead_cluster_are_kept_unless_delete_unreachable_drops_them(
    kubernetes: Harness, dead: str
) -> None:
    kubernetes.configure(kubeconfig=dead)
    with pytest.raises(CallFailed, match="set deleteUnreachable on the provider"):
        kubernetes.delete(stored())
    with pytest.raises(CallFailed, match="failed to read resource state"):
        kubernetes.read(stored())
    kubernetes.configure(kubeconfig=dead, deleteUnreachable=True)
    kubernetes.delete(stored())
    assert kubernetes.read(stored()) is None


def test_skip_update_unreachable_keeps_the_state(kubernetes: Harness, dead: str) -> None:
    kubernetes.configure(kubeconfig=dead, skipUpdateUnreachable=True)
    kept = kubernetes.read(stored())
    assert kept and kept.outputs == stored().outputs


def test_the_environment_says_what_the_program_does_not(
    kubernetes: Harness, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubernetes.configure(kubeconfig=dead)
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert kubernetes.read(stored()) is None


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("kubernetes:helm.sh/v4:Chart", "use kubernetes:helm.sh/v3:Release"),
        ("kubernetes:kustomize/v2:Directory", "write its resources as typed resources"),
        ("kubernetes:yaml/v2:ConfigGroup", "write its resources as typed resources"),
        ("kubernetes:core/v1:ServicePatch", "patch resources are refused"),
        ("kubernetes:core/v1:ServiceList", "list resources exist for compatibility"),
    ],
)
def test_what_the_stand_in_lacks_is_refused_by_name(
    kubernetes: Harness, dead: str, token: str, words: str
) -> None:
    kubernetes.configure(kubeconfig=dead)
    with pytest.raises(CallFailed, match=words) as failed:
        kubernetes.check(token, {})
    assert token in str(failed.value)


def test_a_component_the_stand_in_lacks_is_refused_by_name(kubernetes: Harness, dead: str) -> None:
    kubernetes.configure(kubeconfig=dead)
    words = r"kubernetes:helm\.sh/v4:Chart is refused by this stand-in: use .*v3:Release"
    with pytest.raises(CallFailed, match=words):
        kubernetes.construct("kubernetes:helm.sh/v4:Chart")


def test_the_kubeconfig_is_secret_in_the_checked_configuration(kubernetes: Harness) -> None:
    kubernetes.configure(kubeconfig=config(), deleteUnreachable=json.loads("true"))
    assert not any("token" in line for _, line, _ in kubernetes.log)
    assert "kubeconfig" in KubernetesProvider.config_secrets
