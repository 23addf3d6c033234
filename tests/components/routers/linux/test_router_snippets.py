"""Rules of a stack's own in the routers' table: where they stand, what they may be, who judges the
rest, and what they do in real nftables."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from components.routers.linux import firewall
from settings.checks.routers_snippets import own_rules_do_what_their_chain_can
from settings.models import Stack
from tests.components import checked, rendered, stacks
from tests.components.router_world import (
    CLIENT,
    PUBLIC,
    STRANGER,
    ask,
    build,
    nft,
    owner,
    serve,
    start_router,
)
from tests.components.world import World, lacking, until
from tests.golden_files import assert_golden

LACKING = lacking()
live = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")
NODE, ROUTER = "198.18.10.31", "198.18.10.2"
OWN: dict[str, list[str]] = {
    "input": [f'iifname "eth1" ip saddr {NODE} tcp dport 9000 accept'],
    "forward": [
        f'iifname "eth1" ip saddr {{ {NODE} }} tcp dport 9002 counter reject with tcp reset',
        f'iifname "eth2" oifname "eth1" ip daddr {NODE} tcp dport 8080 ct status dnat accept',
    ],
    "prerouting": [
        f'iifname "eth2" ip daddr {PUBLIC} tcp dport {{ 80, 2525 }} dnat ip to {NODE}:8080',
    ],
    "postrouting": [f"ip daddr {STRANGER} tcp dport 9001 accept"],
}


def with_rules(rules: dict[str, list[str]]) -> Stack:
    config = stacks.lab_config()
    config["routers"]["snippets"] = rules
    return Stack.model_validate(config)


def text_of(stack: Stack, router: str = "router-a") -> str:
    return rendered.router_files(stack, router)[firewall.RULES]


def chain(text: str, name: str) -> list[str]:
    """The lines of one chain."""
    found = re.search(rf"\n    chain {name} {{\n(.*?)\n    }}\n", text, re.DOTALL)
    assert found is not None
    return [line.strip() for line in found[1].splitlines()]


def test_a_table_with_rules_is_what_was_read_and_agreed() -> None:
    text = text_of(with_rules(OWN))
    assert_golden(f"routers/snippets/router-a{firewall.RULES}", text)


@pytest.mark.parametrize("hook", OWN)
def test_rules_stand_whole_between_comments_in_their_chain_on_both_routers(hook: str) -> None:
    whole = [
        f"# Rules of the stack's own (routers.snippets.{hook}), as they stand there:",
        *OWN[hook],
        f"# End of routers.snippets.{hook}.",
    ]
    for router in ("router-a", "router-b"):
        lines = chain(text_of(with_rules(OWN), router), hook)
        at = lines.index(whole[0])
        assert lines[at : at + len(whole)] == whole
        assert [each for each in lines if each not in whole] == chain(
            text_of(stacks.lab(), router), hook
        )


@pytest.mark.parametrize("stack", ["lab", "both-families", "outbound"])
@pytest.mark.parametrize("hook", ["input", "forward"])
def test_what_filters_sees_new_connections_that_are_not_forged_before_the_program_accepts_any(
    hook: str, stack: str
) -> None:
    routers = stacks.NAMED[stack]().routers.model_copy(update={"snippets": OWN})
    lines = chain(text_of(stacks.NAMED[stack]().model_copy(update={"routers": routers})), hook)
    at = lines.index(OWN[hook][0])
    before, behind = lines[:at], lines[at + len(OWN[hook]) + 1 :]

    assert "ct state vmap { established : accept, related : accept }" in before
    assert "ct state invalid counter name invalid drop" in before
    assert any("counter name ipv6 drop" in each for each in before)
    assert [each for each in before if each.endswith(" accept")] == (
        ['iifname "lo" accept'] if hook == "input" else []
    )
    assert any(each.endswith(" accept") for each in behind)
    assert behind[-1].startswith(f"counter name refused_{hook}")


def test_what_translates_comes_behind_the_programs_way_in_and_before_its_way_out() -> None:
    text = text_of(with_rules(OWN))
    into, out = chain(text, "prerouting"), chain(text, "postrouting")

    at = into.index(OWN["prerouting"][0])
    assert not [each for each in into[at + 1 :] if " dnat " in each]
    at = out.index(OWN["postrouting"][0])
    assert "ct status dnat snat ip to" in "".join(out[:at])
    assert "counter name outbound_snat" in "".join(out[at:])


@pytest.mark.parametrize(
    "line",
    [
        "accept }",
        "accept } chain mine { accept",
        "ip saddr { 192.0.2.1, 192.0.2.2 accept",
        'log prefix "mine accept',
        "tcp dport 9100 accept \\",
        "tcp dport 9100 accept; drop",
        "tcp dport 9100 accept # {",
        "# tcp dport 9100 accept",
        "policy accept",
        "type filter hook input priority filter",
        "flush ruleset",
        "flush{",
        "delete table inet layered",
        "add @late4 { ip saddr . tcp sport }",
        'include "/etc/nftables/mine.nft"',
        "define mine = 1",
    ],
)
def test_what_would_leave_its_chain_is_no_rule(line: str) -> None:
    with pytest.raises(ValidationError, match=r"routers\.snippets\.input\.0\n"):
        with_rules({"input": [line]})


@checked.real
@pytest.mark.parametrize("router", ["router-a", "router-b"])
def test_nft_takes_rules_in_every_chain(router: str) -> None:
    stack = with_rules(OWN)
    said = checked.judge(
        firewall.CHECK,
        rendered.router_files(stack, router),
        rendered.router_whole(stack, router),
    )

    assert (said.returncode, said.stderr) == (0, "")


@checked.real
@pytest.mark.parametrize(
    ("hook", "line"),
    [
        ("input", "tcp dport frobnicate accept"),
        ("forward", "ip saddr @nobody accept"),
        ("postrouting", "ip daddr 192.0.2.300 accept"),
        ("forward", "jump nowhere"),
    ],
)
def test_nft_refuses_a_wrong_rule_and_shows_it(hook: str, line: str) -> None:
    stack = with_rules({hook: [line]})
    files = rendered.router_files(stack, "router-a")
    number = files[firewall.RULES].splitlines().index(f"        {line}") + 1
    said = checked.judge(firewall.CHECK, files, rendered.router_whole(stack, "router-a"))

    assert said.returncode != 0
    assert f"{firewall.RULES}:{number}:" in said.stderr
    assert line in said.stderr


@pytest.mark.parametrize(
    ("hook", "line", "said"),
    [
        ("forward", f"tcp dport 25 dnat ip to {NODE}", 1),
        ("forward", f"dnat to {NODE}", 1),
        ("input", "tcp dport 25 redirect to :2525", 1),
        ("prerouting", "ip daddr 192.0.2.1 snat ip to 203.0.113.10", 1),
        ("forward", "masquerade", 1),
        ("postrouting", "reject", 1),
        ("forward", f"ct status dnat ip daddr {NODE} accept", 0),
        ("forward", "icmp type redirect drop", 0),
        ("input", 'log prefix "no masquerade: " drop', 0),
        ("prerouting", f"tcp dport 25 dnat ip to {NODE}:2525", 0),
        ("postrouting", "masquerade", 0),
        ("forward", "reject with tcp reset", 0),
    ],
)
def test_a_statement_stands_where_the_kernel_takes_it(hook: str, line: str, said: int) -> None:
    stack = with_rules({hook: [line]})

    assert len(list(own_rules_do_what_their_chain_can(stack))) == said


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        build(world)
        serve(world, "node", 8080)
        for port in (9001, 9002):
            serve(world, "stranger", port)
        for name in ("router-a", "router-b"):
            start_router(world, name, with_rules(OWN))
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 60)
        yield world


@live
@pytest.mark.root
def test_a_rule_lets_in_whom_it_names_and_nobody_else(net: World) -> None:
    assert ask(net, "node", ROUTER, 9000) == NODE
    assert ask(net, "balancer", ROUTER, 9000) == "TimeoutError"


@live
@pytest.mark.root
def test_a_rule_refuses_what_the_program_would_let_through(net: World) -> None:
    assert ask(net, "node", STRANGER, 9002) == "ConnectionRefusedError"
    assert ask(net, "balancer", STRANGER, 9002) == PUBLIC
    assert ask(net, "node", STRANGER, 9000) == PUBLIC


@live
@pytest.mark.root
def test_a_port_that_the_program_leaves_alone_is_led_inside_and_the_cdns_way_stays(
    net: World,
) -> None:
    assert ask(net, "stranger", PUBLIC, 2525) == STRANGER
    assert ask(net, "client", PUBLIC, 80) == CLIENT
    assert ask(net, "stranger", PUBLIC, 80) == STRANGER, "nobody else's port without the rules"


@live
@pytest.mark.root
def test_a_rule_leaves_addresses_as_they_are_where_it_says_so(net: World) -> None:
    assert ask(net, "node", STRANGER, 9001) == NODE


@live
@pytest.mark.root
def test_a_table_that_the_kernel_refuses_leaves_the_old_one_as_it_is(net: World) -> None:
    wrong = text_of(with_rules({"postrouting": ["counter reject"]}))
    shell = 'printf "%s" "$1" | "${@:2}"'
    loaded = net.run("router-a", ["bash", "-c", shell, "load", wrong, *nft(), "-f", "-"])

    assert loaded.returncode != 0
    assert "reject" in loaded.stderr
    assert ask(net, "node", ROUTER, 9000) == NODE
