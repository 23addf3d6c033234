"""What a real pair of HAProxy and keepalived answers, and how it is judged when a node goes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence

import pytest

from ops.checks import certificates, haproxy, vips
from ops.question import Question
from ops.transport import program
from tests.components import certificates as certificates_made
from tests.components import stacks
from tests.components.balancer_world import (
    balancer_files,
    build,
    inside,
    owner,
    stack_of,
    start_balancer,
)
from tests.components.world import World, lacking, until
from tests.ops.ops_world import lab

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
RUNNER = "import json,sys;r=json.load(sys.stdin);exec(r['program'],r)"


def asked(world: World, space: str, questions: Sequence[Question]) -> dict[str, str]:
    """What the script answers beside a balancer's daemons, as a session of sshd's would."""
    target = inside(world, space, "keepalived")
    request = {"questions": {each.name: each.as_dict() for each in questions}, "seconds": 30}
    done = subprocess.run(
        [
            *("nsenter", "--mount", "--net", "--pid", f"--target={target}", "--root", "--wd"),
            *("python3", "-c", RUNNER),
        ],
        input=json.dumps({"program": program(), "request": request}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["answers"]
    assert {name: each["err"] for name, each in answers.items() if each["status"]} == {}
    return {name: each["out"] for name, each in answers.items()}


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[World, dict[str, subprocess.Popen[bytes]]]]:
    with World() as it:
        site = certificates_made.self_signed("echo.lab.test")
        nodes = build(it, site)
        for name in ("lb-a", "lb-b"):
            start_balancer(it, name, balancer_files(stack_of(), name, site))
        until(lambda: owner(it) == "lb-a", "lb-a owns the addresses", 30)
        yield it, nodes


def complaints(world: World) -> list[str]:
    text = asked(world, "lb-a", [haproxy.STATISTICS])[haproxy.STATISTICS.name]
    return haproxy.complaints(haproxy.rows(text), None)


def test_a_real_pair_is_judged(
    world: tuple[World, dict[str, subprocess.Popen[bytes]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    it, nodes = world
    until(lambda: complaints(it) == [], "every server is up", 20)
    site = lab(stack_of())
    (balancer,) = [each for each in site.machines if each.name == "lb-a"]
    shown = certificates._shown(site, balancer)
    told = {name: asked(it, name, [vips.ADDRESSES, *shown]) for name in ("lb-a", "lb-b")}
    held = {name: vips.held(each[vips.ADDRESSES.name]) for name, each in told.items()}
    groups = vips.balancer_groups(stacks.lab())
    holders = {
        vip: [name for name, have in held.items() if vip in have]
        for group in groups
        for vip in group.vips
    }
    assert vips.misplaced(groups, holders) == []
    # The holder is shown its own certificate, and its peer the same over the LAN.
    rows = [json.loads(each[certificates.SHOWN])[0] for each in told.values()]
    assert rows[0] == rows[1]
    found = certificates.Found(where="lb-a", pem=rows[0]["pem"], renewal="")
    assert "echo.lab.test" in certificates.read(found).subject.rfc4514_string()

    nodes["worker-2"].kill()
    nodes["worker-2"].wait()
    until(lambda: complaints(it) != [], "a server is down", 20)
    until(
        lambda: (
            sorted(each.split()[0] for each in complaints(it))
            == ["ingress_http/worker-2", "ingress_https/worker-2"]
        ),
        "both ways to the node that went, and no other, are told",
        20,
    )
