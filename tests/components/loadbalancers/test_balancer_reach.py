"""How requests reach the balancers: what a way makes of each of them and of the routers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from components.host.pair import health
from components.host.pair.keepalived import CONFIG as KEEPALIVED
from components.loadbalancers import announce, haproxy, parts
from components.routers.linux import ways
from settings.models import Stack
from tests.components import checked, rendered, stacks
from tests.components.announced_world import stack_of
from tests.components.certificates import self_signed

BOTH = {"frr": stacks.announced(), "bird": stacks.announced_by_bird()}
AWAY = {f"{daemon}-away": stack_of(daemon, away=("lb-a",)) for daemon in BOTH}
each_daemon = pytest.mark.parametrize("stack", [*BOTH.values(), *AWAY.values()], ids=[*BOTH, *AWAY])


def test_the_first_two_hold_the_apis_addresses_and_all_announce_the_services() -> None:
    model = rendered.base_model(BOTH["frr"])
    made = {each.name: [part.name for part in parts.parts(model, each)] for each in model.members}

    speaking = ["announce", "frr", "bgp-figures"]
    holding = ["haproxy", "legs", "handover", "keepalived", *speaking, "health"]
    assert made == {
        "lb-a": holding,
        "lb-b": holding,
        "lb-c": ["haproxy", *speaking, "health"],
    }


def test_visitors_arrive_at_the_services_addresses_and_the_api_stays_where_it_is() -> None:
    files = rendered.balancer_files(BOTH["frr"], "lb-c")

    assert "bind 198.18.30.1:443 " in files[haproxy.ROUTES]
    assert "198.18.10.10" not in files[haproxy.ROUTES]
    assert "bind 198.18.10.10:6443" in files[haproxy.BASE]
    assert KEEPALIVED not in files


def test_each_believes_the_tables_of_all_others() -> None:
    text = rendered.balancer_files(BOTH["frr"], "lb-b")[haproxy.BASE]

    assert "    peer lb-a 198.18.10.11:8409\n    peer lb-c 198.18.10.13:8409\n" in text
    assert "reject unless { src 198.18.10.11 198.18.10.13 }" in text


def test_a_machine_that_holds_nothing_is_asked_by_none_and_asks_the_first() -> None:
    model = rendered.base_model(BOTH["frr"])
    asked = {each.name: model.asked(each.name) for each in model.members}

    assert {name: each and each.name for name, each in asked.items()} == {
        **{"lb-a": "lb-b", "lb-b": "lb-a"},
        "lb-c": "lb-a",
    }
    assert model.peer("lb-c") is None
    assert [each.name for each in model.rollout()] == ["lb-b", "lb-c", "lb-a"]


def test_both_ends_of_every_session_name_each_other() -> None:
    for stack in BOTH.values():
        sessions = rendered.sessions(stack)
        assert sessions is not None
        group = sessions.balancers
        assert group is not None
        for router in sessions.routers["lan"]:
            ours = "\n".join(rendered.router_files(stack, router.name).values())
            for end in group.members:
                theirs = "\n".join(rendered.balancer_files(stack, end.name).values())
                assert f"neighbor {end.address} " in ours
                assert f"neighbor {router.address} " in theirs


@checked.real
@each_daemon
@pytest.mark.parametrize("machine", ["router-a", "lb-a", "lb-c"])
def test_the_daemons_themselves_judge_every_file(stack: Stack, machine: str) -> None:
    if machine.startswith("router"):
        whole, files = rendered.router_whole(stack, machine), rendered.router_files(stack, machine)
    else:
        whole = rendered.balancer_whole(stack, machine)
        files = rendered.balancer_files(stack, machine)
        files |= {haproxy.CERTIFICATE: self_signed("echo.lab.test")}
    for check in whole.checks:
        said = checked.judge(check.argv, files, whole)
        assert said.returncode == 0, f"{check.name}: {said.stdout}{said.stderr}"


@checked.real
@pytest.mark.parametrize(
    "unit", [announce.UNIT, "haproxy.service", "frr.service", "layered-health.socket"]
)
def test_systemd_takes_the_units_and_drop_ins(unit: str) -> None:
    stack = BOTH["frr"]
    said = checked.judge(
        ("systemd-analyze", "verify", "--man=no", unit),
        rendered.balancer_files(stack, "lb-a"),
        rendered.balancer_whole(stack, "lb-a"),
    )

    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("path", [announce.SCRIPT, haproxy.ENDED, health.SCRIPT, ways.SCRIPT])
def test_the_shell_scripts_pass_shellcheck(path: str, tmp_path: Path) -> None:
    stack = BOTH["frr"]
    texts = rendered.balancer_files(stack, "lb-a") | rendered.router_files(stack, "router-a")
    script = tmp_path / "script"
    script.write_text(
        texts[path] if path == ways.SCRIPT else rendered.balancer_files(stack, "lb-a")[path]
    )

    said = subprocess.run(
        ["shellcheck", "--severity=style", str(script)], capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stdout) == (0, "")
