"""The built plugins' schemas against the Python SDK's classes: both are of one version.

A property that only one of them knows would be refused, ignored, or read back under another name.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from typing import Any

import pytest
from pulumi import _types

from lab.paths import CHECKOUT
from lab.plugins import sdk
from lab.software import versions
from tests.lab.plugins import real

PROXMOX = {
    "proxmoxve:index/vmLegacy:VmLegacy": "pulumi_proxmoxve:VmLegacy",
    "proxmoxve:index/fileLegacy:FileLegacy": "pulumi_proxmoxve:FileLegacy",
    "proxmoxve:download/file:File": "pulumi_proxmoxve.download:File",
}
LATER = {
    "kubernetes:helm.sh/v3:Release": {"takeOwnership"},
    "provider": {"alwaysRender", "enablePatchForce", "upsertExistingObjects"},
}
"""What the Kubernetes SDK has and the module does not: it was published some months before."""
SIMPLE = {"string": str, "boolean": bool, "integer": int, "number": float}


@pytest.fixture(scope="module")
def proxmox(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return real.schema(real.built("proxmoxve"), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return real.schema(real.built("kubernetes"), tmp_path_factory.mktemp("home"))


class Comparison:
    """Goes through a schema's properties and the SDK's types together."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        self.types = types
        self.visited: set[str] = set()
        self.differences: list[str] = []

    def properties(self, given: Mapping[str, Any], have: Mapping[str, Any], at: str) -> None:
        self.differences += [
            f"{at}.{name}: only in the {'schema' if name in given else 'SDK'}"
            for name in sorted(set(given) ^ set(have))
        ]
        for name in sorted(set(given) & set(have)):
            self.one(given[name], have[name], f"{at}.{name}")

    def one(self, spec: Mapping[str, Any], wanted: Any, at: str) -> None:
        option = next(iter(sdk._options(wanted)), None) or _output_type(wanted)
        kind = spec.get("type", "")
        if kind in SIMPLE:
            if option is not SIMPLE[kind]:
                self.differences.append(f"{at}: {kind}, not {option}")
        elif kind == "array":
            self.one(spec["items"], typing.get_args(option)[0], f"{at}[]")
        elif "$ref" in spec:
            token = spec["$ref"].removeprefix("#/types/")
            self.visited.add(token)
            self.nested(self.types[token], option, at)
        else:
            self.one(spec["additionalProperties"], typing.get_args(option)[1], f"{at}.*")

    def nested(self, spec: Mapping[str, Any], cls: type, at: str) -> None:
        if _types.is_input_type(cls):
            have, required = dict(sdk.shape(cls).types), set(sdk.shape(cls).required)
            if required != set(spec.get("required", ())):
                self.differences.append(f"{at}: needs {sorted(required)} in the SDK")
        else:
            have = dict(_types.output_type_types(cls))
        self.properties(spec["properties"], have, at)


def _output_type(wanted: Any) -> Any:
    return next((each for each in typing.get_args(wanted) if each is not type(None)), wanted)


def test_the_proxmox_plugin_has_the_sdks_properties_down_to_the_last(
    proxmox: dict[str, Any],
) -> None:
    assert proxmox["name"] == "proxmoxve"
    assert set(proxmox["resources"]) == set(PROXMOX)
    comparison = Comparison(proxmox["types"])
    for token, reference in PROXMOX.items():
        resource = proxmox["resources"][token]
        shape = sdk.shape(sdk.args_of(reference))
        assert set(resource.get("requiredInputs", ())) == shape.required
        comparison.properties(resource["inputProperties"], shape.types, f"{token} inputs")
        outputs = _types.resource_types(sdk.load(reference))
        comparison.properties(resource["properties"], outputs, f"{token} outputs")
    config = sdk.shape(sdk.args_of("pulumi_proxmoxve:Provider")).types
    comparison.properties(proxmox["provider"]["inputProperties"], config, "configuration")
    assert comparison.differences == []
    # Beside these are the configuration's, which the SDK has as the provider's own inputs.
    config_types = {"proxmoxve:config/ssh:ssh", "proxmoxve:config/sshNode:sshNode"}
    assert comparison.visited | config_types == set(proxmox["types"])
    resources = proxmox["resources"].values()
    assert sum(len(each["inputProperties"]) for each in resources) == 79
    assert sum(len(each["properties"]) for each in resources) == 87
    assert len(proxmox["types"]) == 36


@pytest.mark.parametrize(
    ("token", "reference"),
    [
        ("kubernetes:helm.sh/v3:Release", "pulumi_kubernetes.helm.v3:Release"),
        ("kubernetes:core/v1:Service", "pulumi_kubernetes.core.v1:Service"),
        ("kubernetes:core/v1:Namespace", "pulumi_kubernetes.core.v1:Namespace"),
        ("kubernetes:core/v1:Secret", "pulumi_kubernetes.core.v1:Secret"),
    ],
)
def test_a_kubernetes_resource_has_the_sdks_properties(
    token: str, reference: str, kubernetes: dict[str, Any]
) -> None:
    resource = kubernetes["resources"][token]
    shape = sdk.shape(sdk.args_of(reference))
    later = LATER.get(token, set())
    assert set(shape.types) - set(resource["inputProperties"]) == later
    assert set(resource["inputProperties"]) <= set(shape.types)
    assert set(resource.get("requiredInputs", ())) == shape.required
    outputs = _types.resource_types(sdk.load(reference))
    assert set(outputs) - set(resource["properties"]) == later
    assert set(resource["properties"]) <= set(outputs)


def test_the_kubernetes_plugin_says_the_sdks_version(kubernetes: dict[str, Any]) -> None:
    assert kubernetes["version"] == versions.PLUGIN_KUBERNETES
    config = set(sdk.shape(sdk.args_of("pulumi_kubernetes:Provider")).types)
    given = set(kubernetes["provider"]["inputProperties"])
    assert (config - given, given - config) == (LATER["provider"], set())


@pytest.mark.parametrize("name", sorted(set().union(*LATER.values())))
def test_the_program_uses_nothing_that_the_built_kubernetes_plugin_lacks(name: str) -> None:
    python_name = re.sub("([A-Z])", r"_\1", name).lower()
    users = [
        path for path in (CHECKOUT / "components").rglob("*.py") if python_name in path.read_text()
    ]
    assert users == []
