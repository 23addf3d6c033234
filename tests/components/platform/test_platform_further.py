"""Further charts of a stack: releases in namespaces of their own, in their order, with Secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from components.platform import Platform, secrets
from components.platform.addons import addons, in_order
from settings.models import FurtherChart
from settings.models import Platform as PlatformSettings
from tests.components import stacks
from tests.components.mocks import Registered, run_program
from tests.components.platform.platform_args import args, chart, site

RELEASE = "kubernetes:helm.sh/v3:Release"
SECRET = "kubernetes:core/v1:Secret"
NAMESPACE = "kubernetes:core/v1:Namespace"
LIVE = {
    "spec": {
        "ports": [
            {"name": "web", "nodePort": 30080},
            {"name": "websecure", "nodePort": 30443},
        ],
        "healthCheckNodePort": 30081,
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "198.18.10.200"}]}},
}


def further(**changes: Any) -> PlatformSettings:
    """A platform with a chart that waits for another and for ours, both in one namespace."""
    tools = {
        **chart("tools", "1.2.3"),
        **{"name": "tools", "namespace": "tools", "after": ["store", "metallb"]},
        "secrets": [{"name": "login", "keys": ["token", "user"]}],
        "values": {"login": {"existingSecret": "login"}},
        **changes,
    }
    store = {**chart("store", "0.4.0"), "name": "store", "namespace": "tools"}
    charts = [FurtherChart.model_validate(each) for each in (tools, store)]
    return stacks.lab().platform.model_copy(update={"charts": charts})


def run(settings: PlatformSettings, secret: str | None) -> Registered:
    def answer(_: str, name: str, __: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"stdout": json.dumps(LIVE)} if name == "platform-ingress-service" else {}

    return run_program(lambda: Platform("platform", args(settings, secrets=secret)), answer=answer)


GIVEN = "tools/login/token=a=b c\ntools/login/user=me\n"


def test_a_further_chart_is_a_pinned_release_with_the_stacks_own_values() -> None:
    inputs = run(further(), GIVEN).one(RELEASE, "tools").inputs
    assert (inputs["chart"], inputs["version"], inputs["namespace"]) == ("tools", "1.2.3", "tools")
    assert inputs["repositoryOpts"] == {"repo": "https://charts.example/tools"}
    assert inputs["values"] == {"login": {"existingSecret": "login"}}


def test_it_comes_after_those_it_names_and_after_the_pod_network() -> None:
    seen = run(further(), GIVEN)
    tools, store = seen.one(RELEASE, "tools"), seen.one(RELEASE, "store")
    assert {seen.one(RELEASE, name).urn for name in ("store", "metallb", "cilium")} <= (
        tools.dependencies
    )
    (pool,) = seen.of_type("kubernetes:metallb.io/v1beta1:IPAddressPool")
    assert pool.urn in tools.dependencies
    assert seen.one(RELEASE, "traefik").urn not in tools.dependencies
    assert seen.one(RELEASE, "metallb").urn not in store.dependencies


def test_charts_of_one_namespace_share_it() -> None:
    seen = run(further(), GIVEN)
    namespace = seen.one(NAMESPACE, "tools-namespace")
    for name in ("tools", "store"):
        assert namespace.urn in seen.one(RELEASE, name).dependencies


def test_its_secrets_are_there_before_it_and_shown_nowhere() -> None:
    seen = run(further(), GIVEN)
    secret = seen.one(SECRET, "tools-login-secret")
    assert secret.inputs["metadata"] == {"name": "login", "namespace": "tools"}
    assert secret.inputs["stringData"] == {"token": "a=b c", "user": "me"}
    assert "stringData" in secret.secret_inputs
    assert set(secret.additional_secret_outputs) == {"data", "stringData"}
    assert secret.urn in seen.one(RELEASE, "tools").dependencies
    assert secret.urn not in seen.one(RELEASE, "store").dependencies


def test_a_platform_without_further_charts_makes_no_secret() -> None:
    assert run(stacks.lab().platform, None).of_type(SECRET) == []


def test_each_is_installed_after_those_it_names() -> None:
    names = [each.name for each in in_order(addons(site(further())))]
    assert names[0] == "cilium"
    assert names.index("tools") > max(names.index("store"), names.index("metallb"))
    assert len(names) == 6


def test_a_value_may_hold_what_separates_a_key_from_it() -> None:
    assert secrets.value("a/b/c", "x/y/z=1\na/b/c=p=q/r\n") == "p=q/r"
    with pytest.raises(KeyError):
        secrets.value("a/b/d", "a/b/c=1")
