"""All parts of a balancer together: whole rendered files, and their units."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from components.host.pair import health, watch
from components.host.pair.keepalived import CONFIG
from components.host.speakers import figures
from components.loadbalancers import handover, haproxy, keepalived, parts
from tests.components import checked, rendered, stacks
from tests.golden_files import assert_golden

CASES = [("lab", "lb-a"), ("lab", "lb-b"), ("single", "lb-a"), ("two-groups", "lb-a")]
CASES += [
    ("two-groups", "lb-b"),
    ("load-balancer-ip", "lb-a"),
    ("straight", "lb-a"),
    ("proven", "lb-a"),
    ("asking", "lb-a"),
    ("routes", "lb-a"),
    ("guarded", "lb-b"),
    ("three", "lb-a"),
    ("maintained", "lb-a"),
    ("logged", "lb-a"),
    ("both-families", "lb-a"),
    ("announced", "lb-a"),
    ("announced", "lb-c"),
    ("announced-by-bird", "lb-b"),
    ("services", "lb-a"),
    ("ordered", "lb-a"),
    ("ordered-by-records", "lb-b"),
]


@pytest.mark.parametrize(("stack", "balancer"), CASES)
def test_every_file_of_a_balancer_is_what_was_read_and_agreed(stack: str, balancer: str) -> None:
    for path, text in rendered.balancer_files(stacks.NAMED[stack](), balancer).items():
        if not path.startswith((watch.PROGRAM, figures.PROGRAM)):  # pushed as they stand
            assert_golden(f"loadbalancers/{stack}/{balancer}{path}", text)


def test_a_pair_has_five_parts_and_their_units_in_the_order_they_need_each_other() -> None:
    model = rendered.base_model(stacks.lab())
    made = parts.parts(model, model.member("lb-a"))

    assert [part.name for part in made] == ["haproxy", "legs", "handover", "keepalived", "health"]
    assert [service.name for part in made for service in part.services] == [
        "haproxy.service",
        "layered-legs.service",
        "layered-handover.service",
        "keepalived.service",
        "layered-health.socket",
    ]


def test_what_a_part_listens_on_stands_in_its_files() -> None:
    model = rendered.base_model(stacks.lab())
    late = {
        "routes": rendered.routes_model(stacks.lab()),
        "cdn_ranges": rendered.CDN,
        "certificate": rendered.CERTIFICATE,
    }
    for part in (*parts.parts(model, model.member("lb-a")), *parts.routes_parts()):
        texts = "".join(part.texts(**late).values())
        for port in part.ports:
            assert port.number is None or re.search(rf"\b{port.number}\b", texts), port


def test_the_peer_is_told_about_every_daemon_a_takeover_needs() -> None:
    script = rendered.balancer_files(stacks.lab(), "lb-a")[health.SCRIPT]

    assert "for unit in haproxy.service keepalived.service;" in script
    assert f"if ! {keepalived.ALIVE} 1; then" in script


def test_a_single_balancer_has_no_peer() -> None:
    files = rendered.balancer_files(stacks.single(), "lb-a")

    assert health.SOCKET not in files
    assert "unicast" not in files[CONFIG]


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize(
    "path",
    [
        *(keepalived.ALIVE, keepalived.SERVES, keepalived.OWN),
        *(keepalived.HANDOVER, haproxy.ENDED, health.SCRIPT),
    ],
)
def test_the_shell_scripts_pass_shellcheck(path: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(rendered.balancer_files(stacks.with_routes(), "lb-a")[path])

    said = subprocess.run(
        ["shellcheck", "--severity=style", str(script)], capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stdout) == (0, "")


@checked.real
@pytest.mark.parametrize(
    "unit",
    [health.SOCKET, health.SERVICE, handover.UNIT_FILE, "haproxy.service", "keepalived.service"],
)
def test_systemd_takes_the_units_and_drop_ins(unit: str) -> None:
    said = checked.judge(
        ("systemd-analyze", "verify", "--man=no", unit),
        rendered.balancer_files(stacks.lab(), "lb-a"),
        rendered.balancer_whole(stacks.lab(), "lb-a"),
    )

    assert (said.returncode, said.stderr) == (0, "")
