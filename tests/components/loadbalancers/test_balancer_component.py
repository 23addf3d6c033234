"""What the balancers register with the engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.host import LayerError
from components.loadbalancers import BalancersBase, BalancersRoutes, certbot, haproxy
from settings.models import Stack
from tests.components import rendered, stacks
from tests.components.mocks import Registered, Registration, run_program

COMMAND = "command:remote:Command"


def run_base(stack: Stack | None = None, **late: Callable[[], Any]) -> Registered:
    """Register the base; `late` makes arguments inside the program, as inputs."""
    args = rendered.base_args(stack or stacks.lab())
    return run_program(
        lambda: BalancersBase("balancers", replace(args, **{k: make() for k, make in late.items()}))
    )


def run_routes(stack: Stack | None = None, **late: Callable[[], Any]) -> Registered:
    """Register the routes; `late` makes arguments inside the program, as inputs."""
    args = rendered.routes_args(stack or stacks.lab())
    return run_program(
        lambda: BalancersRoutes("routes", replace(args, **{k: make() for k, make in late.items()}))
    )


def request(command: Registration) -> dict[str, Any]:
    """The request inside the text that goes to the machine."""
    found: dict[str, Any] = json.loads(command.inputs["stdin"])["request"]
    return found


def pushes(seen: Registered) -> list[str]:
    """The commands that push, without those that carry secrets or confirm."""
    return [name for name in seen.names(COMMAND) if name.count("-") == 2]


def test_the_types_are_frozen_and_every_configuration_hangs_below_them() -> None:
    base, routes = run_base(), run_routes()

    assert pushes(base) == ["lb-b-base", "lb-a-base"]
    assert {one.parent for one in base.of_type(COMMAND)} == {
        base.one("layered-cloud:loadbalancers:Base", "balancers").urn
    }
    assert pushes(routes) == ["lb-b-routes", "lb-a-routes"]
    assert {one.parent for one in routes.of_type(COMMAND)} == {
        routes.one("layered-cloud:loadbalancers:Routes", "routes").urn
    }


@pytest.mark.parametrize("layer", ["base", "routes"])
def test_the_owner_waits_for_its_peer(layer: str) -> None:
    seen = run_base() if layer == "base" else run_routes()
    first, owner = seen.one(COMMAND, f"lb-b-{layer}"), seen.one(COMMAND, f"lb-a-{layer}")

    assert first.urn in owner.dependencies
    assert owner.urn not in first.dependencies


def test_what_the_components_wait_for_their_pushes_wait_for() -> None:
    base, routes = rendered.base_args(stacks.lab()), rendered.routes_args(stacks.lab())

    def program() -> None:
        before = pulumi.CustomResource("test:index:Before", "before")
        after = pulumi.ResourceOptions(depends_on=[before])
        BalancersBase("balancers", base, after)
        BalancersRoutes("routes", routes, after)

    seen = run_program(program)
    before = seen.one("test:index:Before", "before")

    for name in ("lb-a-base", "lb-b-base", "lb-a-routes", "lb-b-routes"):
        assert before.urn in seen.one(COMMAND, name).dependencies


def test_outputs_are_registered_for_those_who_need_them() -> None:
    base, routes = run_base(), run_routes()

    assert base.outputs[base.one("layered-cloud:loadbalancers:Base", "balancers").urn] == {
        "api_endpoint": "198.18.10.10:6443",
        "api_management_endpoint": "198.18.0.10:6443",
        "lan_vips": ["198.18.10.10"],
        "management_vips": ["198.18.0.10"],
        "exporters": {
            "lb-a": ["http://198.18.0.21:8404/metrics"],
            "lb-b": ["http://198.18.0.22:8404/metrics"],
        },
        "owners": {"front": "lb-a"},
    }
    routes_urn = routes.one("layered-cloud:loadbalancers:Routes", "routes").urn
    assert routes.outputs[routes_urn] == {}


def test_each_push_owns_its_own_files_and_together_they_are_all() -> None:
    wanted = rendered.balancer_files(stacks.lab(), "lb-a")
    base = request(run_base().one(COMMAND, "lb-a-base"))["files"]
    routes = request(run_routes().one(COMMAND, "lb-a-routes"))["files"]

    assert set(routes) == {haproxy.ROUTES, haproxy.CDN, haproxy.CERTIFICATE}
    assert not set(base) & set(routes)
    for path, text in wanted.items():
        assert (base | routes)[path]["content"] == text


def test_the_key_travels_apart_and_the_rest_of_the_certificate_stays_readable() -> None:
    seen = run_routes(
        certificate=lambda: pulumi.Output.secret(rendered.CERTIFICATE),
        key=lambda: pulumi.Output.secret(rendered.KEY),
    )
    push, deposit = seen.one(COMMAND, "lb-a-routes"), seen.one(COMMAND, "lb-a-routes-secrets")
    file = request(push)["files"][haproxy.CERTIFICATE]

    assert "stdin" not in push.secret_inputs
    assert "stdin" in deposit.secret_inputs
    assert file["mode"] == "0600"
    assert file["content"] == (
        "-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n@@key@@\n"
    )
    assert rendered.KEY not in push.inputs["stdin"]
    assert "BEGIN PRIVATE KEY" in deposit.inputs["stdin"]


def test_who_signs_the_clients_certificates_is_pushed_only_where_they_show_some() -> None:
    seen = run_routes(stacks.proven())
    files = request(seen.one(COMMAND, "lb-a-routes"))["files"]

    assert files[haproxy.AUTHORITIES]["content"] == rendered.AUTHORITIES
    assert f"ca-file {haproxy.AUTHORITIES} verify required\n" in files[haproxy.ROUTES]["content"]


def test_nobody_is_believed_about_a_clients_address_where_no_cdn_stands_in_front() -> None:
    seen = run_routes(stacks.straight())

    assert request(seen.one(COMMAND, "lb-a-routes"))["files"][haproxy.CDN]["content"] == ""


def test_a_further_certificate_travels_with_its_key_apart() -> None:
    block = "-----BEGIN {0}-----\nof {1}\n-----END {0}-----\n"
    certificate, key = block.format("CERTIFICATE", "shops"), block.format("PRIVATE KEY", "shops")
    other = block.format("CERTIFICATE", "other") + block.format("EC PRIVATE KEY", "other")
    config = stacks.lab_config()
    config["balancers"]["certificate"]["further"] = [
        {"name": name, "names": [f"{name}.lab.test"]} for name in ("shops", "other")
    ]
    text = pulumi.Output.secret
    seen = run_routes(
        Stack.model_validate(config), further=lambda: text(f"{certificate}\n{key}{other}")
    )
    push, deposit = seen.one(COMMAND, "lb-a-routes"), seen.one(COMMAND, "lb-a-routes-secrets")
    path = haproxy.FURTHER.format(name="shops")

    assert request(push)["files"][path]["content"] == "@@further_shops@@\n"
    assert request(push)["files"][path]["mode"] == "0600"
    assert "PRIVATE KEY" not in push.inputs["stdin"]
    bundle = json.dumps(f"{certificate}{key}".rstrip())
    assert f'"{path}#further_shops": {bundle}' in deposit.inputs["stdin"]


def test_the_token_of_an_ordered_certificate_travels_apart() -> None:
    secret = pulumi.Output.secret
    seen = run_routes(stacks.ordered_by_records(), acme_token=lambda: secret("a-token"))
    push, deposit = seen.one(COMMAND, "lb-a-routes"), seen.one(COMMAND, "lb-a-routes-secrets")

    files = request(push)["files"]
    assert files[certbot.CREDENTIALS]["mode"] == "0600"
    assert "a-token" not in push.inputs["stdin"]
    assert f'"{certbot.CREDENTIALS}#{certbot.TOKEN}": "a-token"' in deposit.inputs["stdin"]
    assert files[haproxy.PLACEHOLDER]["mode"] == "0600"
    assert haproxy.CERTIFICATE not in files


def test_ports_that_arrive_late_reach_the_servers() -> None:
    seen = run_routes(
        http_port=lambda: pulumi.Output.from_input(31234),
        https_port=lambda: pulumi.Output.from_input(31236),
    )
    text = request(seen.one(COMMAND, "lb-a-routes"))["files"][haproxy.ROUTES]["content"]

    assert "    server worker-1 198.18.10.31:31234\n" in text
    assert "    server worker-1 198.18.10.31:31236\n" in text


def test_an_address_that_arrives_late_is_the_server() -> None:
    seen = run_routes(
        stacks.address_of_its_own(),
        load_balancer_ip=lambda: pulumi.Output.from_input("198.18.10.207"),
    )
    text = request(seen.one(COMMAND, "lb-a-routes"))["files"][haproxy.ROUTES]["content"]

    assert "    server ingress 198.18.10.207:443\n" in text


def test_an_address_that_is_not_used_and_not_known_hides_nothing() -> None:
    def unknown() -> pulumi.Output[str]:
        value: asyncio.Future[Any] = asyncio.Future()
        value.set_result(None)
        known: asyncio.Future[bool] = asyncio.Future()
        known.set_result(False)
        return pulumi.Output(set(), value, known)

    seen = run_routes(load_balancer_ip=unknown)

    assert haproxy.ROUTES in request(seen.one(COMMAND, "lb-a-routes"))["files"]


def test_routes_that_lead_nowhere_fail_the_update() -> None:
    with pytest.raises(LayerError, match=r"the ingress has no NodePort for HTTP$"):
        run_routes(http_port=int)


def test_an_empty_list_of_ranges_fails_the_update() -> None:
    with pytest.raises(LayerError, match="the CDN has no ranges; every request"):
        run_routes(cdn_ranges=list)


def test_machines_that_cannot_be_balancers_fail_before_any_push_all_named_at_once() -> None:
    blind = [
        replace(each, addresses={}, interfaces={})
        for each in rendered.base_args(stacks.lab()).machines
    ]

    with pytest.raises(LayerError) as caught:
        run_base(machines=lambda: blind)

    assert str(caught.value).startswith("balancers:\n  - lb-a has no leg on the management")
    assert len(caught.value.problems) == 4


def test_the_union_of_base_and_routes_is_checked_by_both_pushes() -> None:
    for command in (run_base().one(COMMAND, "lb-a-base"), run_routes().one(COMMAND, "lb-a-routes")):
        (check,) = (one for one in request(command)["checks"] if one["name"] == "haproxy")
        assert check["argv"] == ["/usr/sbin/haproxy", "-c", "-f", "/etc/haproxy/layered"]


def test_a_reload_is_awaited_and_the_unit_belongs_to_the_base() -> None:
    base = request(run_base().one(COMMAND, "lb-a-base"))["services"]
    (routes,) = request(run_routes().one(COMMAND, "lb-a-routes"))["services"]

    assert [(one["name"], one["on_change"]) for one in base] == [
        ("haproxy.service", [haproxy.RELOAD]),
        ("layered-legs.service", "restart"),
        ("layered-handover.service", "restart"),
        ("keepalived.service", "reload"),
        ("layered-health.socket", "restart"),
    ]
    assert (routes["name"], routes["on_change"]) == ("haproxy.service", [haproxy.RELOAD])
    assert base[0]["enable"]
    assert not routes["enable"]


@pytest.mark.parametrize("layer", ["base", "routes"])
def test_the_owner_is_guarded_by_its_peers_own_word(layer: str) -> None:
    seen = run_base() if layer == "base" else run_routes()
    guard = request(seen.one(COMMAND, f"lb-a-{layer}"))["owner_guard"]

    assert guard["vips"] == ["198.18.10.10", "198.18.0.10"]
    assert guard["probe"][-2:] == ["198.18.10.12", "8406"]


def test_a_single_balancer_has_no_guard() -> None:
    seen = run_base(stacks.single())

    assert request(seen.one(COMMAND, "lb-a-base"))["owner_guard"] is None
