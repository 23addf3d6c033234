"""What a real balancer makes of requests that mean to get past it: every row of docs/attacks.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components import certificates
from tests.components.balancer_attacks import GROUPS, Attack
from tests.components.balancer_world import (
    VIP,
    balancer_files,
    build,
    get,
    owner,
    stack_of,
    start_balancer,
)
from tests.components.raw_client import PORT, Answer, play, record
from tests.components.world import World, lacking, until

PAGE = Path(__file__).parents[3] / "docs" / "attacks.md"
ATTACKS = [each for group in GROUPS.values() for each in group]
LACKING = lacking()


@pytest.fixture(scope="module")
def answers() -> Iterator[dict[int, Answer]]:
    if LACKING is not None:
        pytest.skip(LACKING)
    stack = stack_of(
        vrrp={"advert_interval": 1},
        routes=[{"name": "all", "prefixes": ["/"], "node_port": PORT}],
        filter={"denied_paths": ["/admin"], "methods": ["GET", "POST"]},
        timeouts={"http_request": 1},
    )
    with World() as world:
        site = certificates.self_signed("echo.lab.test")
        for node in build(world, site):
            record(world, node)
        start_balancer(world, "lb-a", balancer_files(stack, "lb-a", site))
        until(lambda: owner(world) == "lb-a", "lb-a owns the addresses", 60)
        until(lambda: get(world, "cdn")[0].get("status") == 200, "the nodes are up", 60)
        found: dict[int, Answer] = {}
        for space in ("cdn", "stranger"):
            asked = [each for each in ATTACKS if each.space == space]
            got = play(world, space, VIP, [each.asked for each in asked])
            found |= {id(each): answer for each, answer in zip(asked, got, strict=True)}
        yield found


@pytest.mark.root
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.title)
def test_what_each_attack_gets(answers: dict[int, Answer], attack: Attack) -> None:
    got = answers[id(attack)]
    head = got.head.lower()

    assert got.status == attack.status, got
    assert [each for each in attack.has if each.lower() not in head] == [], head
    assert [each for each in attack.lacks if each.lower() in head] == [], head
    assert got.body == attack.body
    assert bool(got.head) == (attack.status == 200)


def test_the_page_has_every_row_and_no_other() -> None:
    text = PAGE.read_text(encoding="utf-8")
    tables = text[text.index("## ") :]

    assert tables == "\n".join(_table(title) for title in GROUPS)


def _table(title: str) -> str:
    rows = "".join(f"| {each.title} | {each.outcome} |\n" for each in GROUPS[title])
    return f"## {title}\n\n| what is sent | what it gets |\n|---|---|\n{rows}"
