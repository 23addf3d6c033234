"""What the routers register with the engine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.host import LayerError
from components.routers import Routers
from components.routers.linux import firewall, frr
from settings.models import Stack
from tests.components import rendered, stacks
from tests.components.mocks import Registered, Registration, run_program

COMMAND = "command:remote:Command"


def run(stack: Stack | None = None, **late: Callable[[], Any]) -> Registered:
    """Register the routers of a stack; `late` makes arguments inside the program, as inputs."""
    args = rendered.routers_args(stack or stacks.lab())
    return run_program(
        lambda: Routers("routers", replace(args, **{key: make() for key, make in late.items()}))
    )


def request(command: Registration) -> dict[str, Any]:
    """The request inside the text that goes to the machine."""
    found: dict[str, Any] = json.loads(command.inputs["stdin"])["request"]
    return found


def test_the_type_is_frozen_and_every_configuration_hangs_below_it() -> None:
    seen = run()
    routers = seen.one("layered-cloud:routers:Routers", "routers")

    pushes = [name for name in seen.names(COMMAND) if name.count("-") == 2]
    assert pushes == ["router-b-routers", "router-a-routers"]
    assert {one.parent for one in seen.of_type(COMMAND)} == {routers.urn}


def test_the_owner_waits_for_its_peer() -> None:
    seen = run()
    first = seen.one(COMMAND, "router-b-routers")
    confirmed = seen.one(COMMAND, "router-b-routers-confirm")
    owner = seen.one(COMMAND, "router-a-routers")

    assert first.urn in confirmed.dependencies
    assert confirmed.urn in owner.dependencies
    assert owner.urn not in first.dependencies


def test_what_the_component_waits_for_its_pushes_wait_for() -> None:
    given = rendered.routers_args(stacks.lab())

    def program() -> None:
        before = pulumi.CustomResource("test:index:Before", "before")
        Routers("routers", given, pulumi.ResourceOptions(depends_on=[before]))

    seen = run_program(program)
    before = seen.one("test:index:Before", "before")

    for name in ("router-a-routers", "router-b-routers"):
        assert before.urn in seen.one(COMMAND, name).dependencies


def test_outputs_are_registered_for_those_who_need_them() -> None:
    seen = run()
    routers = seen.one("layered-cloud:routers:Routers", "routers")

    assert seen.outputs[routers.urn] == {
        "public_vips": ["203.0.113.10"],
        "lan_gateways": ["198.18.10.1"],
        "public_ports": [80, 443],
        "owners": {"edge": "router-a"},
    }


def test_the_machine_gets_exactly_the_rendered_files() -> None:
    wanted = rendered.router_files(stacks.lab(), "router-a")
    sent = request(run().one(COMMAND, "router-a-routers"))["files"]

    assert {path: file["content"] for path, file in sent.items()} == wanted
    assert {path for path, file in sent.items() if file["mode"] == "0755"} == {
        "/etc/keepalived/layered-failover",
        "/etc/keepalived/layered-health",
        "/etc/nftables/layered-guard",
    }


def test_ranges_that_arrive_late_reach_the_firewall() -> None:
    seen = run(cdn_ranges=lambda: pulumi.Output.from_input(["192.0.2.0/26", "198.51.100.0/24"]))
    text = request(seen.one(COMMAND, "router-a-routers"))["files"][firewall.RULES]["content"]

    assert "            192.0.2.0/26,\n            198.51.100.0/24\n" in text


def test_an_empty_list_of_ranges_fails_the_update_before_any_machine_is_touched() -> None:
    with pytest.raises(LayerError, match="the CDN has no ranges; the routers would drop"):
        run(cdn_ranges=lambda: pulumi.Output.from_input([]))


def test_machines_that_cannot_be_routers_fail_before_any_push_all_named_at_once() -> None:
    first, second = rendered.routers_args(stacks.lab()).machines
    blind = [replace(each, addresses={}, interfaces={}) for each in (first, second)]

    with pytest.raises(LayerError) as caught:
        run(machines=lambda: blind)

    assert str(caught.value).startswith("routers:\n  - router-a has no leg on the management")
    assert len(caught.value.problems) == 8


def test_a_mistake_that_cuts_off_management_is_taken_back_in_time() -> None:
    sent = request(run().one(COMMAND, "router-a-routers"))

    assert sent["confirm"] == {"seconds": 75}


def test_the_owner_is_guarded_by_its_peers_own_word() -> None:
    sent = request(run().one(COMMAND, "router-a-routers"))["owner_guard"]

    assert sent["vips"] == ["203.0.113.10", "198.18.10.1"]
    assert sent["probe"][-2:] == ["198.18.20.3", "8406"]


def test_a_single_router_has_no_guard_and_no_conntrackd() -> None:
    seen = run(stacks.single())
    sent = request(seen.one(COMMAND, "router-a-routers"))

    assert sent["owner_guard"] is None
    assert [service["name"] for service in sent["services"]] == [
        "layered-firewall.service",
        "layered-firewall-guard.service",
        "keepalived.service",
    ]
    assert [check["name"] for check in sent["checks"]] == ["nftables", "keepalived"]
    assert "conntrackd" not in json.dumps(sent["packages"])


def test_services_come_up_in_order_and_conntrackd_is_never_reloaded() -> None:
    sent = request(run().one(COMMAND, "router-a-routers"))["services"]

    assert [(service["name"], service["on_change"]) for service in sent] == [
        ("layered-firewall.service", "none"),
        ("layered-firewall-guard.service", "restart"),
        ("conntrackd.service", "restart"),
        ("layered-legs.service", "restart"),
        ("keepalived.service", "reload"),
        ("layered-health.socket", "restart"),
    ]


def test_nothing_about_a_router_is_secret_but_its_connection() -> None:
    for command in run().of_type(COMMAND):
        assert command.secret_inputs == {"connection"}


def test_the_sessions_passwords_are_placeholders_in_what_is_shown_and_secret_where_they_are() -> (
    None
):
    seen = run(stacks.bgp(), bgp_passwords=lambda: "provider=hush-1\ninside=hush-2\n")
    shown = seen.one(COMMAND, "router-a-routers")
    deposit = seen.one(COMMAND, "router-a-routers-secrets")

    text = request(shown)["files"][frr.CONFIG]["content"]
    assert "password @@bgp-provider@@" in text
    assert "password @@bgp-inside@@" in text
    assert "hush" not in shown.inputs["stdin"]
    assert shown.secret_inputs == {"connection"}
    assert deposit.secret_inputs >= {"stdin"}
    assert {"hush-1", "hush-2"} <= set(re.findall(r"hush-\d", deposit.inputs["stdin"]))
    assert "hush" not in json.dumps({**deposit.inputs, "stdin": ""})
