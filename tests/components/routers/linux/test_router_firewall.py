"""The router's firewall: what must hold in every table, and what nft itself says of it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace

from components.host.part import OpenPort
from components.routers.args import model as model_of
from components.routers.linux import firewall, parts
from settings.models import Stack
from tests.components import checked, rendered, stacks


def rules(stack: Stack | None = None, router: str = "router-a") -> str:
    return rendered.router_files(stack or stacks.lab(), router)[firewall.RULES]


def test_the_firewall_is_one_transaction_over_its_own_table_alone() -> None:
    text = rules()

    assert text.count("\ntable inet layered {") == 1
    assert text.index("table inet layered\ndelete table inet layered\n") < text.index(
        "table inet layered {"
    )
    assert "flush ruleset" not in text
    assert re.findall(r"hook (input|forward) priority filter; policy (\w+);", text) == [
        ("input", "drop"),
        ("forward", "drop"),
    ]


def test_only_the_cdn_is_forwarded_and_nothing_that_comes_in_loses_its_source() -> None:
    text = rules()
    dnat = [line for line in text.splitlines() if " dnat ip to " in line]
    snat = [line for line in text.splitlines() if " snat ip to " in line]

    assert len(dnat) == 2
    assert 'iifname "eth2" ip saddr @cdn4 ip daddr @public4 tcp dport @public_ports' in dnat[0]
    assert 'iifname "eth1" ip saddr 198.18.10.0/24 ip daddr @public4' in dnat[1]
    assert all("ip saddr 198.18.10.0/24" in line for line in snat)
    assert snat[0].endswith("ct status dnat snat ip to 198.18.10.1")
    assert snat[1].endswith("snat ip to 203.0.113.10")


def accepted(text: str) -> list[str]:
    """What the input chain accepts as new."""
    chain = text[text.index("chain input {") : text.index("chain forward {")]
    return [line.strip() for line in chain.splitlines() if " dport " in line]


def test_sshd_is_let_in_whatever_the_parts_listen_on() -> None:
    model = rendered.routers_model(stacks.lab())

    text = firewall.rules(model, model.member("router-a"), (), rendered.CDN)

    assert accepted(text) == [
        'iifname "eth0" ip saddr @management4 ip daddr 198.18.0.11 tcp dport 22 accept'
    ]


def test_what_another_part_listens_on_is_let_in_from_where_it_says_and_no_further() -> None:
    model = rendered.routers_model(stacks.lab())
    ports = [
        OpenPort(protocol="tcp", number=number, network=network, sources=sources, purpose="a test")
        for number, network, sources in (
            (9100, "management", "management"),
            (9101, "lan", "lan"),
            (9102, "sync", "peer"),
            (9103, "loopback", "itself"),
            (9104, "wan", "anyone"),
        )
    ]

    text = firewall.rules(model, model.member("router-a"), ports, rendered.CDN)

    assert accepted(text) == [
        'iifname "eth3" ip saddr 198.18.20.3 ip daddr 198.18.20.2 tcp dport 9102 accept',
        'iifname "eth0" ip saddr @management4 ip daddr 198.18.0.11 tcp dport 22 accept',
        'iifname "eth0" ip saddr @management4 ip daddr 198.18.0.11 tcp dport 9100 accept',
        'iifname "eth1" ip saddr 198.18.10.0/24 ip daddr 198.18.10.2 tcp dport 9101 accept',
        'iifname "eth2" ip daddr 203.0.113.2 tcp dport 9104 accept',
    ]
    assert "9103" not in text


def test_what_every_machine_runs_is_let_in_where_it_says_and_sshd_once() -> None:
    args = rendered.routers_args(stacks.lab())
    exporter, sshd = (
        OpenPort(
            protocol="tcp",
            number=number,
            network="management",
            sources="management",
            purpose="a test",
        )
        for number in (9100, 22)
    )
    model = model_of(replace(args, open_ports=[sshd, exporter]))
    made = parts.parts(model, model.member("router-a"))
    text = made[0].texts(cdn_ranges=rendered.CDN)[firewall.RULES]

    assert [line for line in accepted(text) if "eth0" in line and "tcp" in line] == [
        'iifname "eth0" ip saddr @management4 ip daddr 198.18.0.11 tcp dport 22 accept',
        'iifname "eth0" ip saddr @management4 ip daddr 198.18.0.11 tcp dport 9100 accept',
    ]


def test_the_segments_size_follows_the_smaller_of_wan_and_lan() -> None:
    config = stacks.lab_config()
    config["networks"]["wan"]["mtu"] = 1492

    assert rules(Stack.model_validate(config)).count("tcp option maxseg size set 1452") == 2


def test_with_two_groups_each_router_translates_to_its_own() -> None:
    stack = stacks.two_groups()
    first, second = rules(stack, "router-a"), rules(stack, "router-b")

    assert "snat ip to 203.0.113.10" in first
    assert "snat ip to 203.0.113.11" in second
    assert "snat ip to 198.18.10.1\n" in first
    assert "snat ip to 198.18.10.4\n" in second
    assert "{ 203.0.113.10 : 198.18.10.10, 203.0.113.11 : 198.18.10.13 }" in first


def test_every_range_of_the_cdn_stands_in_the_set() -> None:
    whole = rendered.router_whole(stacks.lab(), "router-a")
    text = whole.texts(cdn_ranges=["192.0.2.0/25", "198.51.100.0/24"])[firewall.RULES]

    assert re.search(r"elements = \{\s+192\.0\.2\.0/25,\s+198\.51\.100\.0/24\s+\}", text)


def options(**given: object) -> str:
    config = stacks.lab_config()
    config["routers"] |= given
    return rules(Stack.model_validate(config))


REFUSED = re.compile(r"^ +(.*)counter name (\w+)( drop)?$", flags=re.MULTILINE)


def test_what_is_refused_is_logged_first_within_one_limit_and_refused_all_the_same() -> None:
    silent, text = (
        options(deny=["192.0.2.0/24"]),
        options(deny=["192.0.2.0/24"], log_drops_per_minute=30),
    )
    refused = [each.groups() for each in REFUSED.finditer(text)]

    assert refused == [each.groups() for each in REFUSED.finditer(silent)]
    assert len(refused) == 10
    for match, counter, drop in refused:
        line = f"        {match}counter name {counter}{drop or ''}\n"
        assert f"        {match}jump logged\n{line}" in text
    assert text.count("jump logged\n") == len(refused)
    assert text.count("limit log_drops { rate 30/minute }") == 1
    chain = text[text.index("chain logged {") :]
    assert chain[: chain.index("}")].split("\n", 2)[1].strip() == (
        'limit name log_drops log prefix "layered-drop: "'
    )
    assert "log" not in silent


def test_who_is_denied_gets_nothing_from_the_wan() -> None:
    text = options(deny=["192.0.2.0/24", "198.51.100.7/32"])

    assert "elements = { 192.0.2.0/24, 198.51.100.7/32 }" in text
    raw = text[text.index("chain raw {") : text.index("chain raw_output {")]
    assert '        iifname "eth2" ip saddr @denied4 counter name denied drop\n' in raw
    assert "denied" not in rules()


@checked.real
def test_nft_takes_a_table_that_denies_and_logs() -> None:
    said = judge(firewall.CHECK, options(deny=["192.0.2.0/24"], log_drops_per_minute=30))

    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@checked.real
def test_the_table_is_loaded_twice_and_taken_away_by_the_step() -> None:
    script = (
        f"set -eu; nft -f {firewall.RULES}; nft -f {firewall.RULES}; nft list tables; "
        f"rm {firewall.RULES}; sh -c '{firewall.load([firewall.FORWARDING])}'; "
        "nft list tables; echo end"
    )

    said = judge(("/bin/sh", "-c", script), rules())

    assert (said.returncode, said.stdout) == (0, "table inet layered\nend\n"), said.stderr


@checked.real
def test_nft_refuses_a_broken_table_and_names_the_place() -> None:
    said = judge(firewall.CHECK, rules().replace("policy drop", "policy dropp", 1))

    assert said.returncode != 0
    assert "layered.nft" in said.stderr
    assert "dropp" in said.stderr


@checked.real
def test_nft_refuses_an_empty_set_of_the_cdn() -> None:
    model = rendered.routers_model(stacks.lab())

    said = judge(firewall.CHECK, firewall.rules(model, model.member("router-a"), (), ()))

    assert said.returncode != 0
    assert "unexpected '}'" in said.stderr


def judge(argv: tuple[str, ...], text: str) -> subprocess.CompletedProcess[str]:
    whole = rendered.router_whole(stacks.lab(), "router-a")
    return checked.judge(argv, {firewall.RULES: text}, whole)


FORWARDS = [
    {
        **{"name": "game", "protocol": "udp", "port": 27000, "last": 27010},
        **{"to": "198.18.10.31", "per_source": 50},
    },
    {
        **{"name": "git-ssh", "port": 2222, "to": "198.18.10.32", "to_port": 22},
        **{"vip": "203.0.113.10", "sources": ["192.0.2.0/24"]},
    },
]


def test_a_forward_is_let_in_where_it_leads_and_for_whom_it_says() -> None:
    lines = [line.strip() for line in options(forwards=FORWARDS).splitlines()]

    assert [line for line in lines if " counter name forward_" in line] == [
        'iifname "eth2" ip daddr { 203.0.113.10 } udp dport 27000-27010 '
        "counter name forward_game dnat ip to 198.18.10.31",
        'iifname "eth1" ip saddr 198.18.10.0/24 ip daddr { 203.0.113.10 } udp dport 27000-27010 '
        "counter name forward_game dnat ip to 198.18.10.31",
        'iifname "eth2" ip saddr { 192.0.2.0/24 } ip daddr 203.0.113.10 tcp dport 2222 '
        "counter name forward_git_ssh dnat ip to 198.18.10.32:22",
        'iifname "eth1" ip saddr 198.18.10.0/24 ip daddr 203.0.113.10 tcp dport 2222 '
        "counter name forward_git_ssh dnat ip to 198.18.10.32:22",
    ]
    through = 'iifname "eth2" oifname "eth1" '
    game = f"{through}ct status dnat ip daddr 198.18.10.31 udp dport 27000-27010"
    assert [line for line in lines if line.startswith(through)] == [
        f"{game} add @per_source_game {{ ip saddr limit rate over 50/second burst 50 packets }} "
        "counter name limited_game drop",
        f"{game} accept",
        f"{through}ip saddr {{ 192.0.2.0/24 }} ct status dnat ip daddr 198.18.10.32 tcp dport 22 "
        "accept",
        f"{through}ip saddr @cdn4 ct status dnat accept",
    ]


@checked.real
def test_nft_takes_a_table_that_forwards() -> None:
    said = judge(firewall.CHECK, options(forwards=FORWARDS))

    assert (said.returncode, said.stdout + said.stderr) == (0, "")
