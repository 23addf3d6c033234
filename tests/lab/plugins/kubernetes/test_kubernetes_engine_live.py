"""The plugin under the real engine: a program with a namespace, a CRD and its CR, a release."""

from __future__ import annotations

import base64
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
import pytest
from pulumi import automation

from lab.paths import CHECKOUT
from lab.plugins.kubernetes.objects import Gvk
from tests.lab.plugins.kubernetes.conftest import ControlPlane, program
from tests.lab.plugins.kubernetes.test_kubernetes_releases_live import write_chart

PASSWORD = "correct-horse-battery"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., automation.Stack]:
    """Makes a stack of a program, with a backend, a home and plugins of the test's own."""
    engine = Path(program("pulumi"))
    program("helm")
    plugins, state, work = tmp_path / "plugins", tmp_path / "state", tmp_path / "work"
    for directory in (plugins, state, work):
        directory.mkdir()
    launcher = plugins / "pulumi-resource-kubernetes"
    launcher.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={shlex.quote(str(CHECKOUT))} PYTHONDONTWRITEBYTECODE=1\n"
        f'exec {shlex.quote(sys.executable)} -m lab.plugins.kubernetes "$@"\n'
    )
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", f"{plugins}:{engine.parent}:{os.environ['PATH']}")

    def make(body: Callable[[], None]) -> automation.Stack:
        options = automation.LocalWorkspaceOptions(
            work_dir=str(work),
            env_vars={
                "PULUMI_BACKEND_URL": state.as_uri(),
                "PULUMI_CONFIG_PASSPHRASE": "test",
                "PULUMI_HOME": str(tmp_path / "home"),
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "LAYERED_CLOUD_HELM": program("helm"),
            },
        )
        return automation.create_or_select_stack("test", "test", program=body, opts=options)

    return make


def test_a_program_goes_up_changes_nothing_again_and_goes_down(
    stack: Callable[..., automation.Stack], control_plane: ControlPlane, tmp_path: Path
) -> None:
    chart = write_chart(tmp_path)

    def body() -> None:
        provider = k8s.Provider(
            "cluster",
            kubeconfig=pulumi.Output.secret(control_plane.kubeconfig),
            cluster_identifier="test",
            delete_unreachable=True,
        )
        opts = pulumi.ResourceOptions(provider=provider)
        namespace = k8s.core.v1.Namespace(
            "apps", metadata=k8s.meta.v1.ObjectMetaArgs(name="engine-apps"), opts=opts
        )
        config = k8s.core.v1.ConfigMap(
            "settings",
            metadata=k8s.meta.v1.ObjectMetaArgs(namespace=namespace.metadata.name),
            data={"colour": "red"},
            opts=opts,
        )
        login = k8s.core.v1.Secret(
            "login",
            metadata=k8s.meta.v1.ObjectMetaArgs(namespace=namespace.metadata.name),
            string_data={"password": PASSWORD},
            opts=opts,
        )
        release = k8s.helm.v3.Release(
            "tiny",
            k8s.helm.v3.ReleaseArgs(
                chart=str(chart),
                name="tiny",
                namespace=namespace.metadata.name,
                values={"colour": "blue", "password": pulumi.Output.secret(PASSWORD)},
            ),
            opts=opts,
        )
        exposed = k8s.core.v1.Service(
            "exposed",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="exposed", namespace=namespace.metadata.name),
            spec=k8s.core.v1.ServiceSpecArgs(
                type="NodePort", ports=[k8s.core.v1.ServicePortArgs(port=80, node_port=30999)]
            ),
            opts=opts,
        )
        seen = k8s.core.v1.Service.get("seen", exposed.id, opts=opts)
        crd = k8s.apiextensions.v1.CustomResourceDefinition(
            "things",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="things.engine.lab"),
            spec=k8s.apiextensions.v1.CustomResourceDefinitionSpecArgs(
                group="engine.lab",
                scope="Namespaced",
                names=k8s.apiextensions.v1.CustomResourceDefinitionNamesArgs(
                    plural="things", singular="thing", kind="Thing"
                ),
                versions=[
                    k8s.apiextensions.v1.CustomResourceDefinitionVersionArgs(
                        name="v1",
                        served=True,
                        storage=True,
                        schema=k8s.apiextensions.v1.CustomResourceValidationArgs(
                            open_apiv3_schema=k8s.apiextensions.v1.JSONSchemaPropsArgs(
                                type="object", x_kubernetes_preserve_unknown_fields=True
                            )
                        ),
                    )
                ],
            ),
            opts=opts,
        )
        thing = k8s.apiextensions.CustomResource(
            "thing",
            api_version="engine.lab/v1",
            kind="Thing",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="thing", namespace=namespace.metadata.name),
            spec={"size": 3},
            opts=pulumi.ResourceOptions(provider=provider, depends_on=[crd]),
        )
        pulumi.export("config", config.metadata.name)
        pulumi.export("release", release.status.status)
        pulumi.export("port", seen.spec.apply(lambda spec: spec.ports[0].node_port))
        pulumi.export("password", login.data.apply(lambda data: (data or {}).get("password")))
        pulumi.export("thing", thing.id)

    made = stack(body)
    made.preview()
    first = made.up()
    assert first.summary.result == "succeeded"
    outputs = first.outputs
    assert outputs["release"].value == "deployed"
    assert outputs["port"].value == 30999
    assert outputs["thing"].value == "engine-apps/thing"
    assert outputs["config"].value.startswith("settings-")
    assert outputs["password"].secret
    again = made.up()
    assert set(again.summary.resource_changes or {}) == {"same"}, again.stdout
    made.refresh()
    assert set(made.up().summary.resource_changes or {}) == {"same"}
    stored = [file for file in (tmp_path / "state").rglob("*") if file.is_file()]
    assert any("engine-apps" in file.read_text() for file in stored)
    key = control_plane.kubeconfig.split("client-key-data: ")[1].split()[0]
    encoded = base64.b64encode(PASSWORD.encode()).decode()
    for text in [first.stdout, *(file.read_text() for file in stored)]:
        assert not {secret for secret in (PASSWORD, encoded, key) if secret in text}
    made.destroy()
    assert control_plane.get(Gvk("", "v1", "Namespace"), "", "engine-apps") is None
