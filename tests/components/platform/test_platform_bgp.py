"""MetalLB's end of the routers' BGP sessions, against the kinds of the real chart."""

from __future__ import annotations

import io
import json
import re
import tarfile
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
import yaml

from components.platform import Platform, metallb
from components.platform.addon import Site
from lab.software import charts
from tests.components import rendered, stacks
from tests.components.mocks import Registered, run_program
from tests.components.platform.platform_args import args
from tests.components.platform.test_platform_values import yaml_of
from tests.golden_files import assert_golden

SECRET = "kubernetes:core/v1:Secret"
KINDS = "kubernetes:metallb.io/"


def site(*, bfd: bool = True) -> Site:
    made = args(stack=stacks.bgp()).site
    if bfd:
        return made
    assert made.peering is not None
    neighbours = tuple(replace(each, bfd=False) for each in made.peering.neighbours)
    return replace(made, peering=replace(made.peering, neighbours=neighbours))


@pytest.mark.parametrize("bfd", [True, False])
def test_the_nodes_end_is_the_golden_file(bfd: bool) -> None:
    addon = metallb.addon(site(bfd=bfd))

    assert_golden(
        f"platform/bgp{'' if bfd else '-without-bfd'}/metallb-objects.yaml",
        "---\n".join(map(yaml_of, [addon.chart_values, *addon.objects.values()])),
    )


def test_each_node_and_router_say_of_their_session_what_the_other_says() -> None:
    peering = rendered.sessions(stacks.bgp())
    assert peering is not None and peering.inside is not None
    objects = metallb.addon(site()).objects.values()
    peers = [each["spec"] for each in objects if each["kind"] == "BGPPeer"]
    assert {each["myASN"] for each in peers} == {64513}

    for router in ("router-a", "router-b"):
        text = rendered.router_files(stacks.bgp(), router)["/etc/frr/frr.conf"]
        own = str(peering.end("lan", router).address)
        (peer,) = [each for each in peers if each["peerAddress"] == own]
        assert f"router bgp {peer['peerASN']}\n" in text
        assert f" neighbor inside remote-as {peer['myASN']}\n" in text
        assert f" neighbor inside update-source {own}\n" in text
        keepalive, hold = (peer[key].removesuffix("s") for key in ("keepaliveTime", "holdTime"))
        assert f" neighbor inside timers {keepalive} {hold}\n" in text
        for node in ("198.18.10.21", "198.18.10.31", "198.18.10.32"):
            assert f" neighbor {node} peer-group inside\n" in text


def kinds() -> dict[tuple[str, str], dict[str, Any]]:
    """The schemas of the chart's kinds, by apiVersion and kind."""
    if not charts.item().ready:
        pytest.skip("the charts are not built: python -m lab.software build")
    version = stacks.lab().platform.metallb.chart.version
    with tarfile.open(charts.item().path / f"metallb-{version}.tgz") as archive:
        member = archive.extractfile("metallb/charts/crds/templates/crds.yaml")
        assert member is not None
        text = io.TextIOWrapper(member, encoding="utf-8").read()
    found = {}
    for each in yaml.safe_load_all(re.sub(r"{{.*?}}", "x", text)):
        if each and each["kind"] == "CustomResourceDefinition":
            spec = each["spec"]
            for one in spec["versions"]:
                key = (f"{spec['group']}/{one['name']}", spec["names"]["kind"])
                found[key] = closed(one["schema"]["openAPIV3Schema"])
    return found


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that refuses what it does not name, as the API server prunes it."""
    if "properties" in schema:
        inner = {name: closed(each) for name, each in schema["properties"].items()}
        return {**schema, "properties": inner, "additionalProperties": False}
    return schema


@pytest.mark.parametrize("bfd", [True, False])
def test_the_charts_kinds_have_every_field(bfd: bool) -> None:
    schemas = kinds()
    for each in metallb.addon(site(bfd=bfd)).objects.values():
        schema = schemas[each["apiVersion"], each["kind"]]
        jsonschema.validate(each["spec"], schema["properties"]["spec"])


def test_a_field_that_the_chart_does_not_know_would_be_seen() -> None:
    (schema,) = [each for key, each in kinds().items() if key[1] == "BFDProfile"]
    with pytest.raises(jsonschema.ValidationError, match="'reciveInterval' was unexpected"):
        jsonschema.validate({"reciveInterval": 300}, schema["properties"]["spec"])


def test_speakers_without_bfd_bring_no_daemon_and_say_nothing_their_own_bgp_has_not() -> None:
    addon = metallb.addon(site(bfd=False))

    assert addon.chart_values["frrk8s"] == {"enabled": False}
    for each in addon.objects.values():
        assert {"bfdProfile", "keepaliveTime"}.isdisjoint(each["spec"])
    assert metallb.addon(site()).chart_values["frrk8s"] == {"enabled": True}


def run() -> Registered:
    given = args(stack=stacks.bgp(), bgp_passwords="provider=hush-1\ninside=hush-2")
    live = {
        "spec": {
            "ports": [
                {"name": "web", "port": 80, "nodePort": 30080},
                {"name": "websecure", "port": 443, "nodePort": 30443},
            ],
            "healthCheckNodePort": 30081,
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "198.18.60.1"}]}},
    }

    def answer(type_: str, name: str, inputs: Any) -> dict[str, Any]:
        return {"stdout": json.dumps(live)} if name == "platform-ingress-service" else {}

    return run_program(lambda: Platform("platform", given), answer=answer)


def test_the_password_is_a_secret_of_the_cluster_before_the_sessions_and_nowhere_else() -> None:
    seen = run()
    secret = seen.one(SECRET, "metallb-routers")

    assert secret.inputs["stringData"] == {"password": "hush-2"}
    assert "stringData" in secret.secret_inputs
    peers = seen.of_type(f"{KINDS}v1beta2:BGPPeer")
    assert [each.inputs["spec"]["passwordSecret"]["name"] for each in peers] == ["routers"] * 2
    assert all(secret.urn in each.dependencies for each in peers)
    others = [each.inputs for each in seen.resources if each.urn != secret.urn]
    assert "hush" not in json.dumps(others, default=str)
