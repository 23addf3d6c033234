"""The script of a RouterOS router: whole texts, judged by the manual's grammar, and run on its
tables."""

from __future__ import annotations

import copy
import re

import pytest

from settings.models import Stack
from tests.components import stacks
from tests.components.routers.mikrotik import manual, packets, rendered
from tests.components.routers.mikrotik.packets import Packet
from tests.components.routers.mikrotik.router_os import Command, Reader, Syntax, commands
from tests.golden_files import assert_golden

CASES = [
    *(("mikrotik", "router-a"), ("mikrotik", "router-b"), ("mikrotik-alone", "router-a")),
    *(("mikrotik-busy", "router-a"), ("mikrotik-busy", "router-b")),
]
each_case = pytest.mark.parametrize(("stack", "router"), CASES)

SSHD = Packet(into="ether1", src="198.18.0.2", dst="198.18.0.11", port=22)
STRANGER = Packet(into="ether3", src="192.0.2.7", dst="203.0.113.10", port=443)


def changed(**over: object) -> Stack:
    """The pair with other settings of its routers."""
    stack = stacks.mikrotik()
    routers = stack.routers.model_dump(mode="json") | over
    return Stack.model_validate(stack.model_dump(mode="json") | {"routers": routers})


@each_case
def test_every_text_is_what_was_read_and_agreed(stack: str, router: str) -> None:
    texts = rendered.script(stacks.NAMED[stack](), router)

    assert_golden(f"routers/{stack}/{router}/layered.rsc", texts.script)
    assert_golden(f"routers/{stack}/{router}/confirm-layered.rsc", texts.confirmation)


@each_case
def test_the_manual_has_every_word_of_it(stack: str, router: str) -> None:
    texts = rendered.script(stacks.NAMED[stack](), router)

    for text in (texts.script, texts.confirmation):
        assert text.isascii()
        assert max(map(len, text.splitlines())) < 4096
        assert len(Reader(text).script()) > 4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("/ip/firewall/nat/add chain=srcnat action=accept connection-nat-state=dstnat",
         "/ip/firewall/nat/add has no argument connection-nat-state"),
        ("/interface/vrrp/add interface=ether1 priority=255", "priority=255: no such value"),
        ("/interface/vrrp/add vrid=3", "lacks ['interface']"),
        ("/ip/firewal/filter/add chain=input action=drop", "bad command name"),
        (":local interface \"ether1\"", "interface is no name of a variable"),
        (":put \"half", "a string without its end"),
        ("/ip/address/find where adress=1", "no property adress"),
        (":if ([:len \"a\"] = 1) do={ :put \"b\"", "expected '}'"),
    ],
)  # fmt: skip
def test_what_the_manual_does_not_have_is_told(wrong: str, said: str) -> None:
    with pytest.raises(Syntax, match=re.escape(said)):
        Reader(wrong + "\n").script()


def test_a_mistake_of_syntax_anywhere_changes_nothing() -> None:
    stack = stacks.mikrotik()
    router = rendered.bare(stack, "router-a")
    before = copy.deepcopy(router.configuration())

    said = router.source(rendered.script(stack, "router-a").script + "/ip/adress/add\n")

    assert said.startswith("syntax error (line ")
    assert router.configuration() == before


@each_case
def test_the_same_text_again_changes_nothing(stack: str, router: str) -> None:
    texts = rendered.script(stacks.NAMED[stack](), router)
    made = rendered.made(stacks.NAMED[stack](), router)
    before, told = copy.deepcopy(made.configuration()), list[str]()
    made.after = lambda command: told.append(command.name)

    assert rendered.push(made, texts).splitlines()[-1] == "layered-confirmed"

    assert made.configuration() == before
    assert {name for name in told if name.endswith(("/add", "/remove", "/move"))} <= {
        *("/system/scheduler/add", "/system/scheduler/remove", "/file/remove"),
    }


@each_case
def test_a_run_that_was_cut_off_anywhere_is_gone_on_with(stack: str, router: str) -> None:
    """Half of it stays if the router does not come back by itself; the next run ends as one would
    that was never cut off."""
    texts = rendered.script(stacks.NAMED[stack](), router)
    whole = rendered.made(stacks.NAMED[stack](), router).configuration()
    lines = texts.script.splitlines(keepends=True)
    ends = [index for index, line in enumerate(lines) if line.startswith((":if", "}", "/"))]

    for end in ends[len(ends) // 3 :: 5]:
        cut = rendered.bare(stacks.NAMED[stack](), router)
        cut.source("".join(lines[: end + 1]))
        cut.source("/system/scheduler/remove [/system/scheduler/find where name=layered-restore]\n")
        rendered.push(cut, texts)
        assert _sorted(cut.configuration()) == _sorted(whole), lines[end]


def _sorted(configuration: dict[str, object]) -> object:
    """Without the order in which items came; that of the rules of a chain stays."""
    items = configuration["items"]
    assert isinstance(items, dict)
    return {
        menu: sorted(found, key=lambda each: str(each["chain"]))
        if manual.MENUS[menu].ordered
        else sorted((sorted(each.items()) for each in found), key=repr)
        for menu, found in items.items()
    }, configuration["settings"]


CHANGES = {
    "another CDN": ({}, ["192.0.2.0/26"]),
    "sources denied and drops logged": (
        {"deny": ["192.0.2.0/24"], "log_drops_per_minute": 30},
        None,
    ),
    "another group's name": (
        {
            "vips": [
                {
                    **{"name": "front", "owner": "router-b", "wan": ["203.0.113.12"]},
                    **{"wan_vrid": 61, "lan": ["198.18.10.1"], "lan_vrid": 62},
                }
            ]
        },
        None,
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_leaves_what_a_new_router_would_have(case: str) -> None:
    over, cdn = CHANGES[case]
    router = rendered.made(stacks.mikrotik(), "router-a")
    texts = rendered.script(changed(**over), "router-a", cdn=cdn)
    fresh = rendered.bare(changed(**over), "router-a")

    for each in (router, fresh):
        assert rendered.push(each, texts).splitlines()[-1] == "layered-confirmed"

    assert _sorted(router.configuration()) == _sorted(fresh.configuration())


def test_at_no_moment_of_a_change_is_the_way_in_shut_or_another_one_open() -> None:
    router = rendered.made(stacks.mikrotik(), "router-a")
    seen: list[tuple[str, bool, bool]] = []

    def look(command: Command) -> None:
        through = packets.dstnat(router, STRANGER)
        open_ = packets.fate(router, Packet(**{**vars(through), "out": "ether2"})).accepted
        seen.append((command.name, packets.fate(router, SSHD).accepted, open_))

    router.after = look
    texts = rendered.script(changed(deny=["192.0.2.200/32"]), "router-a", epoch="2")
    assert rendered.push(router, texts).splitlines()[-1] == "layered-confirmed"

    assert len(seen) > 60
    assert [each for each in seen if not each[1] or each[2]] == []


def test_a_first_push_holds_no_address_before_the_firewall_stands() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")

    def look(command: Command) -> None:
        live = router.items("/interface/vrrp", disabled="no")
        assert not live or command.name.endswith(("/enable", "/set", "/remove"))
        if live:
            assert packets.fate(router, STRANGER).why == "refused_public"

    router.after = look
    assert rendered.push(router, rendered.script(stacks.mikrotik(), "router-a")).endswith(
        "layered-confirmed"
    )
    assert len(router.items("/interface/vrrp", disabled="no")) == 2


def test_rules_that_were_there_before_stay_and_are_not_asked() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")
    for chain in ("input", "forward"):
        rule = {"chain": chain, "action": "accept", "comment": "defconf"}
        router.insert("/ip/firewall/filter", rule)
    router.insert("/ip/firewall/filter", {"chain": "forward", "action": "jump", "dynamic": "yes"})
    rendered.push(router, rendered.script(stacks.mikrotik(), "router-a"))

    forward = router.items("/ip/firewall/filter", chain="forward")
    assert [each.get("comment") for each in forward] == ["layered: forward", "defconf", None]
    assert packets.fate(router, STRANGER).why == "refused_public"


def test_what_is_somebody_elses_is_left_alone() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")
    router.insert("/interface", {"name": "ether9"})
    kept = {
        "/interface/vrrp": {"name": "theirs", "interface": "ether9", "vrid": "7"},
        "/ip/address": {"address": "192.0.2.1/24", "interface": "ether9"},
        "/ip/firewall/address-list": {"list": "theirs", "address": "192.0.2.9"},
        "/ip/firewall/nat": {"chain": "theirs", "action": "accept"},
        "/interface/list": {"name": "theirs"},
        "/system/scheduler": {"name": "theirs", "on-event": "x"},
    }
    identities = {menu: router.insert(menu, dict(item)) for menu, item in kept.items()}
    for epoch in ("1", "2"):
        texts = rendered.script(stacks.mikrotik(), "router-a", epoch=epoch)
        assert rendered.push(router, texts).endswith("layered-confirmed")

    for menu, item in kept.items():
        (left,) = [each for each in router.tables[menu] if each[".id"] == identities[menu]]
        assert left == {".id": identities[menu], "disabled": "no", **item}


# --- before anything is changed


def refused(router: rendered.RouterOs, stack: Stack) -> str:
    before = copy.deepcopy(router.configuration())
    said = router.source(rendered.script(stack, "router-a").script)
    assert router.configuration() == before
    assert router.backups == {}
    return said


def test_another_release_is_refused() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")
    router.values["/system/resource"]["version"] = "6.49.18 (long-term)"
    assert refused(router, stacks.mikrotik()).startswith("layered: this is no RouterOS 7 (:error;")


def test_an_interface_that_is_not_there_is_refused() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")
    router.tables["/interface"].pop()
    assert refused(router, stacks.mikrotik()).startswith("layered: there is no interface ether4")


def test_a_management_address_on_another_interface_is_refused() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")
    router.tables["/ip/address"][0]["interface"] = "ether2"
    assert refused(router, stacks.mikrotik()).startswith(
        "layered: ether1 does not have 198.18.0.11/24, by which this router is reached"
    )


def test_a_default_route_of_somebody_elses_is_refused() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")
    route = {"dst-address": "0.0.0.0/0", "gateway": "198.18.0.1", "static": True}
    router.insert("/ip/route", route)
    assert refused(router, stacks.mikrotik()).startswith(
        "layered: this router has a default route of its own, and is to have 203.0.113.1 alone"
    )


def test_the_owner_is_left_alone_while_its_peer_does_not_answer() -> None:
    router = rendered.made(stacks.mikrotik(), "router-a")
    for vrrp in router.items("/interface/vrrp"):
        vrrp["master"] = True
    router.answers = frozenset()
    router.backups.clear()
    assert refused(router, stacks.mikrotik()).startswith(
        "layered: this router has VIPs, and its peer does not answer at 198.18.20.3"
    )
    for vrrp in router.items("/interface/vrrp"):
        vrrp["master"] = False
    assert "layered-done" in router.source(rendered.script(stacks.mikrotik(), "router-a").script)


# --- the way back


def test_without_a_confirmation_everything_is_as_it_was() -> None:
    router = rendered.made(stacks.mikrotik(), "router-a")
    before = copy.deepcopy(router.configuration())

    said = router.source(rendered.script(changed(deny=["192.0.2.0/24"]), "router-a").script)
    assert said.splitlines()[-1] == "layered-done"
    assert router.configuration() != before
    (entry,) = router.items("/system/scheduler")
    assert (entry["start-time"], entry["interval"]) == ("startup", "75s")
    router.restart()

    assert router.configuration() == before
    assert router.items("/system/scheduler") == []


def test_half_a_run_is_taken_back_too_and_cannot_be_confirmed() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")
    before = copy.deepcopy(router.configuration())
    texts = rendered.script(stacks.mikrotik(), "router-a")
    half = texts.script[: texts.script.index("# The rules, in chains")]

    assert router.source(half) == "layered-armed"
    assert router.source(texts.confirmation).startswith("layered: not this change is waiting")
    router.restart()

    assert router.configuration() == before


def test_another_push_waits_until_the_old_configuration_is_back() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")
    texts = rendered.script(stacks.mikrotik(), "router-a")
    router.source(texts.script)
    assert router.source(texts.script).startswith("layered: an earlier change was not confirmed")
    router.restart()
    assert rendered.push(router, texts).endswith("layered-confirmed")


def test_a_confirmation_takes_the_backup_and_its_timer_away() -> None:
    router = rendered.made(stacks.mikrotik(), "router-a")
    assert router.items("/system/scheduler") == []
    assert router.items("/file") == []


def test_a_backup_survives_a_restart_where_files_are_in_memory() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")
    router.insert("/file", {"name": "flash"})
    router.source(rendered.script(stacks.mikrotik(), "router-a").script)
    assert list(router.backups) == ["flash/layered-before"]
    router.restart()


def test_an_invalid_vrrp_interface_is_not_confirmed() -> None:
    router = rendered.bare(stacks.mikrotik(), "router-a")
    texts = rendered.script(stacks.mikrotik(), "router-a")
    router.source(texts.script)
    router.items("/interface/vrrp")[0]["invalid"] = True
    assert router.source(texts.confirmation).startswith("layered: a VRRP interface is invalid")


def test_another_epoch_is_another_text_and_a_set_of_chains_of_its_own() -> None:
    first, second = (rendered.script(stacks.mikrotik(), "router-a", epoch=each) for each in "12")
    names = [re.findall(r'ourGeneration "([0-9a-f]{12})"', each.script) for each in (first, second)]
    assert names[0] != names[1]
    assert [len(each) for each in names] == [1, 1]


def test_no_variable_is_called_like_a_property() -> None:
    text = rendered.script(stacks.mikrotik_busy(), "router-a").script
    declared = {
        str(each.values[0]) for each in commands(text) if each.name in (":local", ":foreach")
    }
    assert declared == {
        *("ourGeneration", "ourBackup", "wantedOnes", "firstRule", "ourRule", "eachOne"),
    }
    assert not declared & manual.RESERVED
