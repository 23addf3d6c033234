"""Helm releases through the real helm against a real API server."""

from __future__ import annotations

import base64
import http.server
import json
import os
import shlex
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.plugins.kubernetes import helm
from lab.plugins.kubernetes.objects import Gvk
from lab.plugins.server import PluginError
from tests.lab.plugins.harness import UNKNOWN, CallFailed, Harness, Secret
from tests.lab.plugins.kubernetes.conftest import ControlPlane

RELEASE = "kubernetes:helm.sh/v3:Release"
CONFIG_MAP = Gvk("", "v1", "ConfigMap")
PASSWORD = "correct-horse-battery"

SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings
data:
  colour: {{ .Values.colour | quote }}
  {{- if .Values.extra }}
  extra: {{ .Values.extra | quote }}
  {{- end }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-login
stringData:
  password: {{ .Values.password | default "none" | quote }}
"""
NEVER_READY = """\
{{- if .Values.broken }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {matchLabels: {app: broken}}
  template:
    metadata: {labels: {app: broken}}
    spec: {containers: [{name: app, image: registry.test/broken:1}]}
{{- end }}
"""


@pytest.fixture
def helm_binary() -> str:
    try:
        return helm.find()
    except PluginError:
        pytest.skip("helm is not built into the lab's cache yet")


def write_chart(directory: Path, version: str = "1.2.3") -> Path:
    chart = directory / "tiny"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    metadata = {"apiVersion": "v2", "name": "tiny", "version": version, "appVersion": "9.9"}
    (chart / "Chart.yaml").write_text(json.dumps(metadata))
    (chart / "values.yaml").write_text("colour: blue\nextra: default\n")
    (chart / "templates" / "settings.yaml").write_text(SETTINGS)
    (chart / "templates" / "app.yaml").write_text(NEVER_READY)
    return chart


@pytest.fixture
def chart(tmp_path: Path, helm_binary: str) -> Path:
    return write_chart(tmp_path)


def helm_says(binary: str, control_plane: ControlPlane, namespace: str, *argv: str) -> str:
    memory = helm.MemoryFile("kubeconfig", control_plane.kubeconfig)
    try:
        return subprocess.run(
            [binary, *argv, "--namespace", namespace], check=True, capture_output=True, text=True,
            env={**os.environ, "KUBECONFIG": memory.path},
        ).stdout  # fmt: skip
    finally:
        memory.close()


def test_a_release_installs_upgrades_and_goes(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str, chart: Path
) -> None:
    inputs = {"chart": str(chart), "name": "demo", "values": {"colour": "red"}}
    made = kubernetes.create(RELEASE, inputs)
    assert made.id == f"{namespace}/demo"
    assert made.inputs["version"] == "1.2.3"
    assert made.inputs["timeout"] == 300
    assert made.outputs["status"] == {
        "appVersion": "9.9", "chart": "tiny", "name": "demo", "namespace": namespace,
        "revision": 1, "status": "deployed", "version": "1.2.3",
    }  # fmt: skip
    assert made.outputs["resourceNames"] == {
        "ConfigMap/v1": ["demo-settings"], "Secret/v1": ["demo-login"],
    }  # fmt: skip
    assert kubernetes.diff(made, inputs).nothing

    news = {**inputs, "values": {"colour": "green", "extra": None}}
    diff = kubernetes.diff(made, news)
    assert diff.changes == {"values.colour": "update"}
    changed = kubernetes.update(made, news)
    assert changed.outputs["status"]["revision"] == 2
    live = control_plane.get(CONFIG_MAP, namespace, "demo-settings")
    assert live and live["data"] == {"colour": "green"}

    refreshed = kubernetes.read(changed)
    assert refreshed and refreshed.outputs["status"]["status"] == "deployed"
    assert kubernetes.diff(refreshed, news).nothing
    kubernetes.delete(refreshed)
    assert control_plane.get(CONFIG_MAP, namespace, "demo-settings") is None
    assert kubernetes.read(refreshed) is None
    kubernetes.delete(refreshed)


def test_a_new_chart_version_upgrades_and_a_new_name_replaces(
    kubernetes: Harness, chart: Path, tmp_path: Path
) -> None:
    inputs = {"chart": str(chart), "name": "v"}
    made = kubernetes.create(RELEASE, inputs)
    write_chart(tmp_path, "1.3.0")
    assert kubernetes.diff(made, inputs).changes == {"version": "update"}
    assert kubernetes.diff(made, {**inputs, "name": "w"}).replaces == ["name"]
    assert kubernetes.update(made, inputs).outputs["status"]["version"] == "1.3.0"


def test_a_preview_of_a_release_knows_its_inputs_and_leaves_its_status_open(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str, chart: Path
) -> None:
    inputs = {"chart": str(chart), "name": "p", "values": {"colour": UNKNOWN}}
    shown = kubernetes.create(RELEASE, inputs, preview=True)
    assert shown.outputs["status"] is UNKNOWN
    assert shown.outputs["resourceNames"] is UNKNOWN
    assert shown.outputs["values"] == {"colour": UNKNOWN}
    assert control_plane.get(CONFIG_MAP, namespace, "p-settings") is None


@dataclass
class Spy:
    """What helm's processes were given: arguments, environment, and files in its directory."""

    record: Path
    scratch: Path


@pytest.fixture
def spy(tmp_path: Path, helm_binary: str, monkeypatch: pytest.MonkeyPatch) -> Spy:
    record, scratch = tmp_path / "record", tmp_path / "scratch"
    scratch.mkdir()
    wrapper = tmp_path / "helm"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'{{ printf "%s\\n" "$@"; env; grep -r . {scratch}; }} >> {record} 2>&1\n'
        f'exec {shlex.quote(helm_binary)} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("LAYERED_CLOUD_HELM", str(wrapper))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    return Spy(record, scratch)


def test_secret_values_travel_neither_in_arguments_nor_in_files_nor_in_the_environment(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str, chart: Path, spy: Spy
) -> None:
    inputs = {"chart": str(chart), "name": "sec", "values": {"password": Secret(PASSWORD)}}
    made = kubernetes.create(RELEASE, inputs)
    text = spy.record.read_text()
    assert "install" in text and "--values" in text
    key = control_plane.kubeconfig.split("client-key-data: ")[1].split()[0]
    assert PASSWORD not in text
    assert key not in text
    assert base64.b64decode(key).decode().splitlines()[1] not in text
    assert list(spy.scratch.iterdir()) == []
    assert made.outputs["values"]["password"] == Secret(PASSWORD)
    assert PASSWORD not in str(made.outputs)
    login = control_plane.get(Gvk("", "v1", "Secret"), namespace, "sec-login")
    assert login and base64.b64decode(login["data"]["password"]).decode() == PASSWORD


def broken(chart: Path, **more: Any) -> dict[str, Any]:
    return {"chart": str(chart), "name": "b", "timeout": 4, "values": {"broken": True}, **more}


def test_a_failed_install_shows_helms_words_stays_in_the_state_and_the_next_run_repairs_it(
    kubernetes: Harness, namespace: str, chart: Path
) -> None:
    with pytest.raises(CallFailed) as failed:
        kubernetes.create(RELEASE, broken(chart))
    assert failed.value.id == f"{namespace}/b"
    assert failed.value.outputs["status"]["status"] == "failed"
    text = "\n".join(failed.value.reasons)
    assert f"helm install {namespace}/b: " in text
    assert "context deadline exceeded" in text or "timed out" in text
    state = kubernetes.create(RELEASE, broken(chart), preview=True)
    state.id, state.outputs = failed.value.id, failed.value.outputs
    repaired = kubernetes.update(state, broken(chart, values={"broken": False}))
    assert repaired.outputs["status"]["status"] == "deployed"


def test_an_atomic_install_that_fails_leaves_nothing(
    kubernetes: Harness, helm_binary: str, control_plane: ControlPlane, namespace: str, chart: Path
) -> None:
    with pytest.raises(CallFailed) as failed:
        kubernetes.create(RELEASE, broken(chart, atomic=True))
    assert failed.value.id == ""
    assert helm_says(helm_binary, control_plane, namespace, "list", "-aq") == ""


def lock(control_plane: ControlPlane, namespace: str, release: str, status: str) -> None:
    """Marks the newest revision as a helm that was killed leaves it."""
    kind = Gvk("", "v1", "Secret")
    name = f"sh.helm.release.v1.{release}"
    import gzip

    secret = control_plane.get(kind, namespace, name)
    assert secret
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    record = json.loads(gzip.decompress(packed))
    record["info"]["status"] = status
    data = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(record).encode())))
    secret["data"]["release"] = data.decode()
    secret["metadata"]["labels"]["status"] = status
    for field in ("managedFields", "resourceVersion"):
        secret["metadata"].pop(field)
    control_plane.cluster.apply(kind, secret, manager="killed", force=True)


def test_a_pending_upgrade_of_a_killed_run_is_rolled_back_and_upgraded(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str, chart: Path
) -> None:
    inputs = {"chart": str(chart), "name": "lock", "values": {"colour": "red"}}
    made = kubernetes.create(RELEASE, inputs)
    made = kubernetes.update(made, {**inputs, "values": {"colour": "pink"}})
    lock(control_plane, namespace, "lock.v2", "pending-upgrade")
    again = kubernetes.update(made, {**inputs, "values": {"colour": "gold"}})
    assert again.outputs["status"]["status"] == "deployed"
    live = control_plane.get(CONFIG_MAP, namespace, "lock-settings")
    assert live and live["data"]["colour"] == "gold"
    assert any("rolling the pending-upgrade release" in line for _, line, _ in kubernetes.log)


def test_a_pending_install_of_a_killed_run_is_removed_and_installed_again(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str, chart: Path
) -> None:
    inputs = {"chart": str(chart), "name": "half"}
    kubernetes.create(RELEASE, inputs)
    lock(control_plane, namespace, "half.v1", "pending-install")
    made = kubernetes.create(RELEASE, inputs)
    assert made.outputs["status"]["status"] == "deployed"
    assert made.outputs["status"]["revision"] == 1


def test_a_working_release_that_is_not_in_the_state_is_not_overwritten(
    kubernetes: Harness, chart: Path
) -> None:
    inputs = {"chart": str(chart), "name": "theirs"}
    kubernetes.create(RELEASE, inputs)
    with pytest.raises(CallFailed, match=r"exists already .deployed, revision 1.*pulumi import"):
        kubernetes.create(RELEASE, inputs, name="second")


def test_a_release_is_imported_by_its_id(kubernetes: Harness, chart: Path) -> None:
    made = kubernetes.create(
        RELEASE, {"chart": str(chart), "name": "imp", "values": {"colour": "red"}}
    )
    made.inputs, made.outputs = {}, {}
    found = kubernetes.read(made)
    assert found
    assert found.inputs["chart"] == "tiny"
    assert found.inputs["values"] == {"colour": "red"}
    assert found.outputs["status"]["status"] == "deployed"


def test_a_namespace_is_created_when_asked_for(
    kubernetes: Harness, control_plane: ControlPlane, namespace: str, chart: Path
) -> None:
    inputs = {
        "chart": str(chart), "name": "n", "namespace": f"{namespace}-new", "createNamespace": True
    }  # fmt: skip
    made = kubernetes.create(RELEASE, inputs)
    assert made.id == f"{namespace}-new/n"
    assert control_plane.get(Gvk("", "v1", "Namespace"), "", f"{namespace}-new")


class Depot(http.server.SimpleHTTPRequestHandler):
    """A chart repository that wants a password."""

    directory_served = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, directory=self.directory_served, **kwargs)

    def do_GET(self) -> None:
        expected = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self.send_error(401)
            return
        super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def depot(chart: Path, helm_binary: str, tmp_path: Path) -> Iterator[str]:
    served = tmp_path / "served"
    served.mkdir()
    subprocess.run([helm_binary, "package", chart, "-d", served], check=True, capture_output=True)
    subprocess.run([helm_binary, "repo", "index", served], check=True, capture_output=True)
    handler = type("Served", (Depot,), {"directory_served": str(served)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_chart_comes_from_a_repository_with_a_password_that_is_in_no_argument(
    kubernetes: Harness, depot: str, spy: Spy
) -> None:
    options = {"repo": depot, "username": "me", "password": Secret(PASSWORD)}
    made = kubernetes.create(
        RELEASE,
        {"chart": "tiny", "name": "repo", "version": "~1.2.0", "repositoryOpts": options},
    )
    assert made.inputs["version"] == "1.2.3"
    assert made.inputs["repositoryOpts"]["password"] == Secret(PASSWORD)
    lines = [line for line in spy.record.read_text().splitlines() if PASSWORD in line]
    # Helm's own list of repositories, in a directory of this command's own, is the one place.
    assert lines and all("/config/repositories.yaml:" in line for line in lines)
    assert list(spy.scratch.iterdir()) == []


def test_a_chart_that_is_not_there_fails_the_check_with_helms_words(
    kubernetes: Harness, tmp_path: Path, helm_binary: str
) -> None:
    _, failures = kubernetes.check(RELEASE, {"chart": str(tmp_path / "none"), "name": "x"})
    assert "not found" in failures["chart"]
    assert "check the chart name and repository configuration" in failures["chart"]
