"""What real routers answer: FRR or BIRD with one neighbour that is there and one that is not, and
a firewall that is flushed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops.checks import bgp, firewall
from ops.checks.model import Seen, Verdict
from ops.question import Answer, Answers, Question
from settings.models import Stack
from tests.components.router_world import build, inside, owner, start_router
from tests.components.routers.linux.test_router_bgp import BY_NAME, stack, start_speaker
from tests.components.world import World, lacking, until
from tests.issued import NOW
from tests.ops.ops_world import lab

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]


@pytest.fixture(scope="module", params=sorted(BY_NAME))
def net(request: pytest.FixtureRequest) -> Iterator[tuple[World, str]]:
    with World() as world:
        build(world)
        start_router(world, "router-a", stack(request.param))
        start_speaker(world, "node", "inside", "198.18.10.31", ["198.18.60.1/32"])
        start_speaker(world, "isp", "provider", "203.0.113.1", ["192.0.2.0/24"])
        until(lambda: "router-a" in owner(world, ("router-a",)), "router-a serves", 60)
        yield world, request.param


def said(world: World, comm: str, question: Question) -> str:
    done = inside(
        world,
        "router-a",
        comm,
        ["/usr/bin/env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *question.more["argv"]],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def judged(settings: Stack, question: Question, text: str) -> Verdict:
    site = lab(settings)
    answer = Answer(status=0, out=text, err="", seconds=0.1)
    machines = {each.name: Answers(silent="not started") for each in site.machines}
    machines["router-a"] = Answers(answers={question.name: answer})
    return bgp.judge(Seen(site=site, now=NOW, machines=machines))


def test_the_sessions_that_lack_are_told_by_name_and_address(net: tuple[World, str]) -> None:
    world, daemon = net
    question, comm = bgp.DAEMONS[daemon].question, BY_NAME[daemon].comm
    there = {"203.0.113.1", "198.18.10.31"}

    def established() -> bool:
        states = bgp.DAEMONS[daemon].states(said(world, comm, question))
        return {each for each, state in states.items() if state == "Established"} == there

    until(established, "both sessions", 40)
    verdict = judged(stack(daemon), question, said(world, comm, question))
    lacking = sorted(each.rsplit(" is ", 1)[0] for each in verdict.wrong)
    assert lacking == [
        "router-a: the session with cp-1 (198.18.10.21)",
        "router-a: the session with worker-2 (198.18.10.32)",
    ]
    assert verdict.said == "2 sessions established"


def test_a_flushed_table_is_told(net: tuple[World, str]) -> None:
    world, daemon = net
    comm = BY_NAME[daemon].comm

    def bare() -> tuple[str, ...]:
        text = said(world, comm, firewall.TABLE)
        answers = {
            "router-a": Answers(
                answers={"firewall": Answer(status=0, out=text, err="", seconds=0.1)}
            )
        }
        return firewall.judge(Seen(site=lab(), now=NOW, machines=answers)).wrong

    assert bare() == ()
    flush = ["/usr/sbin/nft", "flush", "table", "inet", "layered"]
    assert inside(world, "router-a", comm, flush).returncode == 0
    assert bare() == ("router-a: the firewall's table is empty or cut",)
