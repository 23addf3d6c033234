"""The texts of a VyOS router: whole ones, judged by the grammar of what VyOS accepts, and what its
commit scripts look for."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from components.host import Seed
from components.host.pair.pair import BACKUP_PRIORITY, MAINTENANCE_PRIORITY, OWNER_PRIORITY
from components.routers.vyos.script import minutes
from components.routers.vyos.seed import user_data
from settings.models import Stack
from tests.components import stacks
from tests.components.routers.vyos import grammar, rendered
from tests.golden_files import assert_golden

CASES = [
    *(("vyos", "router-a"), ("vyos", "router-b"), ("vyos-alone", "router-a")),
    *(("vyos-busy", "router-a"), ("vyos-busy", "router-b")),
    *(("vyos-bgp", "router-a"), ("vyos-bgp", "router-b")),
]
each_case = pytest.mark.parametrize(("stack", "router"), CASES)


def changed(stack: Stack, **over: object) -> Stack:
    """A stack with other settings of its routers."""
    routers = stack.routers.model_dump(mode="json") | over
    return Stack.model_validate(stack.model_dump(mode="json") | {"routers": routers})


@each_case
def test_every_text_is_what_was_read_and_agreed(stack: str, router: str) -> None:
    texts = rendered.script(stacks.NAMED[stack](), router)

    assert_golden(f"routers/{stack}/{router}/layered.vbash", texts.script)
    assert_golden(f"routers/{stack}/{router}/confirm-layered.vbash", texts.confirmation)


@each_case
def test_vyos_accepts_every_command(stack: str, router: str) -> None:
    given = rendered.commands(rendered.script(stacks.NAMED[stack](), router))

    deleted = [shlex.split(each)[1:] for each in given if each.startswith("delete ")]
    assert [each for each in deleted if not grammar.begins(each)] == []
    assert grammar.judge([each.removeprefix("set ") for each in given if each[:4] == "set "]) == []
    assert [each for each in given if not each.startswith(("set ", "delete "))] == []


@each_case
def test_whatever_is_said_is_owned(stack: str, router: str) -> None:
    """What one text says, the next one can take away: each line is below a path that is emptied
    before."""
    given = rendered.commands(rendered.script(stacks.NAMED[stack](), router))
    owned = [each.removeprefix("delete ") for each in given if each.startswith("delete ")]
    last = max(index for index, each in enumerate(given) if each.startswith("delete "))
    assert last < min(index for index, each in enumerate(given) if each.startswith("set "))

    def below(line: str) -> bool:
        return any(f"{line} ".startswith(f"{path} ") for path in owned)

    assert [each for each in given if each[:4] == "set " and not below(each[4:])] == []


@each_case
@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_texts_pass_shellcheck(stack: str, router: str) -> None:
    texts = rendered.script(stacks.NAMED[stack](), router)
    for text in (texts.script, texts.confirmation):
        # SC1091: the template is VyOS' own. SC2317, SC2329: what the aliases call.
        said = subprocess.run(
            ["shellcheck", "--shell=bash", "--exclude=SC1091,SC2317,SC2329,SC2034", "-"],
            input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("firewall name FOO rule 10 action accept", "is not valid"),
        ("firewall ipv4 forward filter rule 10 action dorp", "is not valid"),
        ("firewall ipv4 forward filter rule 10 recent count 256", "is not valid"),
        ("interfaces ethernet wan0 address 192.0.2.1/24", "is not valid"),
        ("high-availability vrrp group x advertise-interval 0.3", "is not valid"),
        ("high-availability vrrp group x address 192.0.2.1", "is not valid"),
        ("nat source rule 10 outbound-interface eth0", "is not valid"),
        ("service ntp server", "is not valid"),
    ],
)
def test_what_vyos_does_not_have_is_told(wrong: str, said: str) -> None:
    assert [each for each in grammar.judge([wrong]) if said in each] != []


F = "firewall ipv4 forward filter rule 10"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([f"{F} action jump", f"{F} jump-target x"], "forward filter 10: chain x does not exist"),
        ([f"{F} action accept", f"{F} destination port 22"],
         "forward filter 10: protocol must be tcp, udp or tcp_udp when specifying a port"),
        ([f"{F} action accept", f"{F} source group network-group x"],
         "forward filter 10: network-group x does not exist"),
        ([f"{F} action accept", f"{F} action drop"],
         f"{F} action drop: has one value, and is {F} action accept too"),
        ([f"{F} action accept", f"{F} action accept"], f"{F} action accept: is there twice"),
        (["nat source rule 10 protocol tcp"], "nat source 10: translates, or excludes"),
        (["high-availability vrrp group x vrid 1"],
         "VRRP group x lacks ['address', 'interface']"),
        (["high-availability vrrp sync-group s member y"], "sync-group s: y does not exist"),
    ],
)  # fmt: skip
def test_what_a_commit_refuses_is_told(lines: list[str], said: str) -> None:
    assert said in grammar.judge(lines)


# --- both ends


def leaves(root: grammar.Tree, *path: str) -> list[str]:
    for word in path:
        root = root.get(word, {})
    return list(root)


@pytest.mark.parametrize("stack", ["vyos", "vyos-busy"])
def test_both_routers_say_the_same_of_what_they_share(stack: str) -> None:
    made = stacks.NAMED[stack]()
    trees = {
        name: grammar.tree(rendered.lines(rendered.script(made, name)))
        for name in ("router-a", "router-b")
    }
    one, two = (tree["high-availability"]["vrrp"] for tree in trees.values())
    assert one["sync-group"] == two["sync-group"]
    for group in one["group"]:
        first, second = one["group"][group], two["group"][group]
        for key in ("vrid", "advertise-interval", "address", "no-preempt", "preempt-delay"):
            assert first.get(key) == second.get(key), (group, key)
        assert first["peer-address"] == second["hello-source-address"]
        assert second["peer-address"] == first["hello-source-address"]
        assert {*first["priority"], *second["priority"]} == {
            *map(str, (OWNER_PRIORITY, BACKUP_PRIORITY))
        }
    vrids = [*(each for it in one["group"].values() for each in it["vrid"])]
    assert len(set(vrids)) == len(vrids)

    def sync(name: str) -> tuple[list[str], list[str]]:
        service = trees[name]["service"]["conntrack-sync"]
        ((_, peer),) = service["interface"].items()
        return list(service["listen-address"]), list(peer["peer"])

    assert sync("router-a") == sync("router-b")[::-1]


def test_the_owner_of_a_group_is_preferred_and_one_in_maintenance_is_not() -> None:
    def priority(stack: Stack, name: str) -> list[str]:
        root = grammar.tree(rendered.lines(rendered.script(stack, name)))
        return leaves(root, "high-availability", "vrrp", "group", "edge-wan", "priority")

    stack = stacks.vyos()
    assert priority(stack, "router-a") == [str(OWNER_PRIORITY)]
    away = stack.model_dump(mode="json") | {"maintenance": {"machines": ["router-a"]}}
    assert priority(Stack.model_validate(away), "router-a") == [str(MAINTENANCE_PRIORITY)]


def test_with_several_groups_no_connection_waits_for_the_first_ones_transition() -> None:
    for stack, cached in (("vyos", False), ("vyos-busy", True)):
        root = grammar.tree(rendered.lines(rendered.script(stacks.NAMED[stack](), "router-b")))
        assert ("disable-external-cache" in root["service"]["conntrack-sync"]) == cached


def test_a_router_alone_tells_nobody_of_its_connections() -> None:
    root = grammar.tree(rendered.lines(rendered.script(stacks.vyos_alone(), "router-a")))
    assert "conntrack-sync" not in root["service"]
    assert leaves(root, "high-availability", "vrrp", "group", "edge-wan", "peer-address") == []


# --- what a text is


def test_an_mtu_is_told_to_virtual_machines_and_no_other() -> None:
    config = stacks.vyos().model_dump(mode="json")
    config["networks"]["lan"]["mtu"] = 9000
    root = grammar.tree(rendered.lines(rendered.script(Stack.model_validate(config), "router-a")))
    assert leaves(root, "interfaces", "ethernet", "eth1", "mtu") == ["9000"]
    assert leaves(root, "interfaces", "ethernet", "eth1", "ip", "adjust-mss") == ["1460"]
    physical = rendered.script(stacks.vyos_busy(), "router-a").script
    assert " mtu " not in physical


def test_a_zero_is_no_command() -> None:
    made = changed(stacks.vyos(), vrrp={"startup_delay": 0, "garp_master_refresh": 0})
    text = rendered.script(made, "router-a").script
    assert "startup-delay" not in text
    assert "master-refresh" not in text


def test_another_epoch_is_another_text_of_the_same_commands() -> None:
    first, second = (rendered.script(stacks.vyos(), "router-a", epoch=each) for each in "12")
    marks = [re.findall(r"'layered ([0-9a-f]{12})'", each.script) for each in (first, second)]
    assert [len(each) for each in marks] == [1, 1]
    assert marks[0] != marks[1]
    assert marks[0][0] in first.confirmation
    assert rendered.commands(first)[:-1] == rendered.commands(second)[:-1]


def test_a_minute_is_the_least_that_vyos_waits() -> None:
    assert [minutes(each) for each in (1, 60, 61, 75, 300)] == [1, 1, 2, 2, 5]


# --- cloud-init


def test_its_cloud_init_lets_the_deploy_key_in_and_nobody_else() -> None:
    text = user_data(
        Seed(
            hostname="router-a",
            fqdn="router-a.lab.test",
            host_private_key="-----BEGIN OPENSSH PRIVATE KEY-----\nline\n-----END-----\n",
            host_public_key="ssh-ed25519 AAAAhost \n",
            authorized_key="ssh-ed25519 AAAAdeploy somebody\n",
        )
    )
    assert_golden("machines/vyos-user-data.yaml", text)
    data = yaml.safe_load(text)
    assert text.startswith("#cloud-config\n")
    assert set(data) == {"write_files", "vyos_config_commands"}, "VyOS reads no other key"
    private, public = data["write_files"]
    assert private["permissions"] == "0600"
    assert private["content"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----\nline\n")
    assert public["content"] == "ssh-ed25519 AAAAhost\n"
    commands = data["vyos_config_commands"]
    # cc_vyos_userdata: one command a line, and a value at its end in single quotes.
    form = re.compile(r"(set|delete) [^']+( '[^']*')?")
    assert [each for each in commands if not form.fullmatch(each)] == []
    assert "delete system login user vyos" in commands
    key = "set system login user layered authentication public-keys deploy key 'AAAAdeploy'"
    assert key in commands
