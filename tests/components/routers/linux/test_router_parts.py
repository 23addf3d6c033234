"""All parts of a Linux router together: whole rendered files, judged by the daemons themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from components.host.pair import health, watch
from components.host.pair.keepalived import CONFIG, DROP_IN
from components.host.speakers import figures
from components.routers.linux import bird, conntrackd, firewall, frr, keepalived, parts
from settings.models import Stack
from tests.components import checked, rendered, stacks
from tests.golden_files import assert_golden

CASES = [("lab", "router-a"), ("lab", "router-b"), ("single", "router-a")]
CASES += [("two-groups", "router-a"), ("two-groups", "router-b"), ("straight", "router-a")]
CASES += [("bgp", "router-a"), ("bgp", "router-b"), ("bird", "router-a")]
CASES += [("both-families", "router-a"), ("both-families", "router-b")]
CASES += [("outbound", "router-a"), ("maintained", "router-a")]
CASES += [("announced", "router-a"), ("announced-by-bird", "router-a")]
ALONE = [("forwards", "router-a"), ("one-address", "router-a"), ("one-address", "router-b")]
"""Of these, what differs from the lab's: most files would lie there once more."""


@pytest.mark.parametrize(("stack", "router"), CASES)
def test_every_file_of_a_router_is_what_was_read_and_agreed(stack: str, router: str) -> None:
    for path, text in rendered.router_files(stacks.NAMED[stack](), router).items():
        if not path.startswith((watch.PROGRAM, figures.PROGRAM)):  # pushed as they stand
            assert_golden(f"routers/{stack}/{router}{path}", text)


@pytest.mark.parametrize(("stack", "router"), ALONE)
def test_every_file_that_a_stack_has_otherwise_was_read_and_agreed(stack: str, router: str) -> None:
    ordinary = rendered.router_files(stacks.lab(), router)
    own = rendered.router_files(stacks.NAMED[stack](), router)
    different = {path: text for path, text in own.items() if text != ordinary.get(path)}
    assert different
    for path, text in different.items():
        assert_golden(f"routers/{stack}/{router}{path}", text)


def test_a_pair_has_five_parts_and_their_units_in_the_order_they_need_each_other() -> None:
    model = rendered.routers_model(stacks.lab())
    made = parts.parts(model, model.member("router-a"))

    assert [part.name for part in made] == [
        *("firewall", "conntrackd", "legs", "keepalived", "health"),
    ]
    assert [service.name for part in made for service in part.services] == [
        "layered-firewall.service",
        "layered-firewall-guard.service",
        "conntrackd.service",
        "layered-legs.service",
        "keepalived.service",
        "layered-health.socket",
    ]


def test_a_single_router_has_no_conntrackd_and_no_peer() -> None:
    model = rendered.routers_model(stacks.single())
    files = rendered.router_files(stacks.single(), "router-a")

    assert [part.name for part in parts.parts(model, model.member("router-a"))] == [
        "firewall",
        "keepalived",
    ]
    assert conntrackd.CONFIG not in files
    assert health.SOCKET not in files
    assert watch.CONFIG not in files
    assert "unicast_peer" not in files[CONFIG]
    assert "notify_master" not in files[CONFIG]
    assert "ip protocol 112 accept" not in files[firewall.RULES]
    assert "conntrackd" not in files[DROP_IN]


def test_the_peer_is_told_about_every_daemon_a_takeover_needs() -> None:
    script = rendered.router_files(stacks.lab(), "router-a")[health.SCRIPT]

    assert (
        "for unit in layered-firewall.service layered-firewall-guard.service conntrackd.service "
        "keepalived.service;" in script
    )
    assert script.index("table is not loaded") < script.index("for interface in eth2 eth1;")


@checked.real
@pytest.mark.parametrize(("stack", "router"), [*CASES, *ALONE])
def test_every_checker_takes_what_is_rendered_and_says_nothing(stack: str, router: str) -> None:
    whole = rendered.router_whole(stacks.NAMED[stack](), router)
    files = rendered.router_files(stacks.NAMED[stack](), router)

    for check in whole.checks:
        said = checked.judge(check.argv, files, whole)
        assert (check.name, said.returncode, said.stdout + said.stderr) == (check.name, 0, "")


@checked.real
@pytest.mark.parametrize("alone", [True, False])
def test_every_checker_takes_both_families_without_a_peer_and_without_a_cdn(alone: bool) -> None:
    both = stacks.both_families()
    routers = both.routers.model_copy(update={"machines": both.routers.machines[: 2 - alone]})
    straight = both.cdn.model_copy(update={"kind": "none"})
    stack = both.model_copy(update={"routers": routers, "cdn": straight})
    whole, files = (
        rendered.router_whole(stack, "router-a"),
        rendered.router_files(stack, "router-a"),
    )

    assert "::/0" in files[firewall.RULES]
    for check in whole.checks:
        said = checked.judge(check.argv, files, whole)
        assert (check.name, said.returncode, said.stdout + said.stderr) == (check.name, 0, "")


@checked.real
@pytest.mark.parametrize(
    "names",
    [
        *(["static"], ["reject"], ["ip"], ["primary"], ["announced"], ["a" * 40]),
        *(["x", "x-in"], ["x", "x-out"], ["x", "x-1"], ["in", "out"], ["a-b", "a--b"]),
    ],
    ids="-and-".join,
)
@pytest.mark.parametrize("daemon", ["frr", "bird"])
def test_a_provider_may_be_called_like_a_word_of_the_daemons_own(
    daemon: str, names: list[str]
) -> None:
    config = stacks.lab_config()
    upstream = [
        {"name": name, "address": f"203.0.113.{last}", "asn": 64500}
        for last, name in enumerate(names, 101)
    ]
    config["routers"]["bgp"] = {"daemon": daemon, "asn": 64512, "upstream": upstream}
    stack = Stack.model_validate(config)
    files = rendered.router_files(stack, "router-a")
    whole = rendered.router_whole(stack, "router-a")

    for check in whole.checks:
        said = checked.judge(check.argv, files, whole)
        assert (check.name, said.returncode, said.stdout + said.stderr) == (check.name, 0, "")


@checked.real
@pytest.mark.parametrize(
    "unit",
    [
        firewall.UNIT_FILE,
        firewall.GUARD_FILE,
        watch.UNIT_FILE,
        health.SOCKET,
        health.SERVICE,
        "conntrackd.service",
        "keepalived.service",
        frr.UNIT,
    ],
)
def test_systemd_takes_the_units_and_drop_ins(unit: str) -> None:
    whole = rendered.router_whole(stacks.bgp(), "router-a")
    files = rendered.router_files(stacks.bgp(), "router-a")

    said = checked.judge(("systemd-analyze", "verify", "--man=no", unit), files, whole)

    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize(
    ("path", "stack"),
    [
        (keepalived.FAILOVER, stacks.bgp),
        (health.SCRIPT, stacks.bgp),
        (firewall.GUARD_SCRIPT, stacks.bgp),
        (frr.DRAIN, stacks.bgp),
        (bird.DRAIN, stacks.bird),
    ],
)
def test_the_scripts_pass_shellcheck(path: str, stack: Callable[[], Stack], tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(rendered.router_files(stack(), "router-a")[path])

    said = subprocess.run(
        ["shellcheck", "--severity=style", str(script)], capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stdout) == (0, "")


@checked.real
def test_systemd_takes_birds_drop_in() -> None:
    whole = rendered.router_whole(stacks.bird(), "router-a")
    files = rendered.router_files(stacks.bird(), "router-a")

    said = checked.judge(("systemd-analyze", "verify", "--man=no", bird.UNIT), files, whole)

    assert (said.returncode, said.stderr) == (0, "")


def test_what_a_part_listens_on_stands_in_its_files() -> None:
    model = rendered.routers_model(stacks.lab())
    for part in parts.parts(model, model.member("router-a")):
        texts = "".join(part.texts(cdn_ranges=rendered.CDN).values())
        for port in part.ports:
            assert port.number is None or re.search(rf"\b{port.number}\b", texts), port
