"""Which of Helm's records go, and how they are reached: a fake API on the loopback."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.platform import api as cluster_api
from components.platform import cut_off
from components.platform.api import ApiRefused
from components.platform.cut_off import Record, Release
from tests.components.platform.fake_api import FakeApi

CILIUM = Release(
    name="cilium", namespace="kube-system", chart="cilium", description="layered-cloud/lab"
)
IN_USE = "cannot re-use a name that is still in use"
IN_PROGRESS = "another operation (install/upgrade/rollback) is in progress"
CREATE_FAILED = f"creating urn:…: 1 error occurred:\n\t* {IN_USE}"
UPDATE_FAILED = f"updating urn:…: 1 error occurred:\n\t* {IN_PROGRESS}"


def secret(
    revision: int, status: str, description: str = "Install complete", chart: str = "cilium"
) -> dict[str, Any]:
    """A record as Helm writes it and the API gives it."""
    content = {
        "name": "cilium",
        "version": revision,
        "info": {"status": status, "description": description},
        "chart": {"metadata": {"name": chart, "version": "1.20.2"}},
    }
    packed = base64.b64encode(gzip.compress(json.dumps(content).encode()))
    return {
        "metadata": {
            "name": f"sh.helm.release.v1.cilium.v{revision}",
            "uid": f"uid-{revision}",
            "resourceVersion": str(100 + revision),
            "labels": {
                **{"owner": "helm", "name": "cilium"},
                **{"status": status, "version": str(revision)},
            },
        },
        "type": "helm.sh/release.v1",
        "data": {"release": base64.b64encode(packed).decode()},
    }


def record(
    revision: int, status: str, description: str = "Install complete", chart: str = "cilium"
) -> Record:
    return cut_off.record(secret(revision, status, description, chart))


OURS = CILIUM.description


@pytest.mark.parametrize(
    ("operation", "records", "gone"),
    [
        ("create", [record(1, "pending-install", "Initial install underway")], ["1"]),
        ("create", [record(1, "failed", 'Release "cilium" failed: context canceled')], ["1"]),
        ("create", [record(1, "deployed", OURS)], ["1"]),
        ("create", [record(10, "deployed", OURS), record(9, "superseded", OURS)], ["9", "10"]),
        (
            "create",
            [record(2, "pending-upgrade", "Preparing upgrade"), record(1, "deployed", OURS)],
            ["1", "2"],
        ),
        ("create", [record(1, "deployed")], []),
        ("create", [record(1, "deployed", "other/lab")], []),
        ("create", [record(1, "uninstalled", "Uninstallation complete")], []),
        ("create", [record(1, "pending-install", "Initial install underway", "nginx")], []),
        (
            "create",
            [record(2, "pending-upgrade", "Preparing upgrade"), record(1, "deployed")],
            [],
        ),
        ("create", [], []),
        (
            "update",
            [record(3, "pending-upgrade", "Preparing upgrade"), record(2, "deployed", OURS)],
            ["3"],
        ),
        (
            "update",
            [record(3, "pending-rollback"), record(2, "failed"), record(1, "deployed")],
            "3",
        ),
        ("update", [record(2, "deployed", OURS), record(1, "superseded")], []),
    ],
)
def test_what_a_cut_off_update_left_goes_and_a_strangers_release_stays(
    operation: str, records: list[Record], gone: list[str]
) -> None:
    assert [each.revision for each in cut_off.stale(records, operation, CILIUM)] == list(gone)


@pytest.mark.parametrize(
    ("operation", "errors", "asked"),
    [
        ("create", [CREATE_FAILED], True),
        ("update", [UPDATE_FAILED], True),
        ("update", [UPDATE_FAILED, "another", "one"], True),
        ("update", [UPDATE_FAILED] * 4, False),
        ("create", ["timed out waiting for the condition", CREATE_FAILED], False),
        ("create", [UPDATE_FAILED], False),
        ("delete", [IN_PROGRESS], False),
        ("create", [], False),
    ],
)
def test_only_helms_two_refusals_are_looked_into(
    operation: str, errors: list[str], asked: bool
) -> None:
    assert cut_off.refused(operation, errors) is asked


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("cilium", "cilium"),
        ("oci://registry.example/charts/traefik", "traefik"),
        ("/srv/charts/metallb-0.15.2.tgz", "metallb"),
        ("./charts/metallb/", "metallb"),
    ],
)
def test_a_charts_own_name_is_known_from_any_reference(given: str, name: str) -> None:
    assert cut_off.chart_name(given, "0.15.2") == name


def test_a_record_that_cannot_be_read_is_a_strangers() -> None:
    broken = secret(1, "deployed", OURS)
    broken["data"]["release"] = base64.b64encode(b"not a release").decode()
    read = cut_off.record(broken)
    assert (read.status, read.description) == ("deployed", "")
    assert cut_off.stale([read], "create", CILIUM) == []


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    # What the environment says of certificates is no business of this cluster's.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    fake = FakeApi(tmp_path)
    yield fake
    fake.server.shutdown()
    fake.server.server_close()
    assert list(scratch.iterdir()) == [], "a key was left behind"


PATH = "/api/v1/namespaces/kube-system/secrets"


def test_stale_records_are_deleted_as_they_were_judged(api: FakeApi) -> None:
    api.secrets = [secret(3, "pending-upgrade"), secret(2, "deployed", OURS)]
    found = cut_off.clear(api.kubeconfig, "update", CILIUM)
    assert [each.revision for each in found] == ["3"]
    assert api.seen[1:] == [("DELETE", f"{PATH}/sh.helm.release.v1.cilium.v3")]
    assert api.bodies == [{"preconditions": {"uid": "uid-3", "resourceVersion": "103"}}]


def test_a_strangers_release_is_only_looked_at(api: FakeApi) -> None:
    api.secrets = [secret(1, "deployed")]
    assert cut_off.clear(api.kubeconfig, "create", CILIUM) == []
    assert [method for method, _ in api.seen] == ["GET"]


def test_the_key_is_readable_by_nobody_else_meanwhile(api: FakeApi) -> None:
    with cluster_api.api(api.kubeconfig):
        (directory,) = Path(tempfile.gettempdir()).iterdir()
        modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}
        assert directory.stat().st_mode & 0o777 == 0o700
    assert modes == {
        "certificate-authority": 0o600,
        "client-certificate": 0o600,
        "client-key": 0o600,
    }


def test_an_api_that_refuses_is_quoted(api: FakeApi) -> None:
    api.answer = 403
    with pytest.raises(ApiRefused, match=r"secrets: 403 .*secrets is forbidden"):
        cut_off.clear(api.kubeconfig, "create", CILIUM)


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", found.append)
    return found


def asked(kubeconfig: str, operation: str, error: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """What the hook answers to the engine."""
    monkeypatch.setattr("pulumi.resource_hooks.register_error_hook", lambda hook: None)

    async def answer() -> bool:
        hook = cut_off.hook("platform-cilium", CILIUM, kubeconfig)
        given = pulumi.ErrorHookArgs(
            urn="urn", id="", name="cilium", type="", failed_operation=operation, errors=[error]
        )
        made = hook(given)
        assert not isinstance(made, bool)
        return await made

    return asyncio.run(answer())


def test_the_engine_tries_again_once_the_records_are_gone(
    api: FakeApi, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api.secrets = [secret(1, "pending-install", "Initial install underway")]
    assert asked(api.kubeconfig, "create", CREATE_FAILED, monkeypatch) is True
    assert warned == [
        "Helm release kube-system/cilium: an update was cut off; its record of revision 1 "
        "(pending-install) was taken away, and the release is tried again"
    ]


def test_an_upgrade_that_has_finished_meanwhile_is_tried_again(
    api: FakeApi, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api.secrets = [secret(2, "deployed", OURS)]
    assert asked(api.kubeconfig, "update", UPDATE_FAILED, monkeypatch) is True
    assert warned == []


def test_helms_words_stand_for_a_strangers_release(
    api: FakeApi, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api.secrets = [secret(1, "deployed")]
    assert asked(api.kubeconfig, "create", CREATE_FAILED, monkeypatch) is False
    assert warned == ["Helm release kube-system/cilium: it may be a stranger's, and was left alone"]


def test_another_failure_asks_nobody(
    api: FakeApi, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(api.kubeconfig, "create", "timed out waiting", monkeypatch) is False
    assert (api.seen, warned) == ([], [])


def test_an_api_out_of_reach_leaves_helms_words_standing(
    warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked("{}", "create", CREATE_FAILED, monkeypatch) is False
    assert warned[0].startswith(
        "Helm release kube-system/cilium: what a cut-off update left could not be read:"
    )
