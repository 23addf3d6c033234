"""The playbook wants what our push wants: the same texts, judged by the same checkers."""

from __future__ import annotations

import configparser
import json
from pathlib import Path

import yaml

from benchmark import playbook
from benchmark.playbook import Host
from benchmark.wish import HAPROXY, checks, pieces, services

HOSTS = [
    Host(name="h1", address="198.18.0.10", host_key="ssh-ed25519 AAAA1"),
    Host(name="h2", address="198.18.0.11", host_key="ssh-ed25519 AAAA2"),
]


def test_a_change_is_one_line_of_one_file() -> None:
    before, after = pieces(30), pieces(31)
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    ((old, new),) = changed
    assert old.path == HAPROXY
    lines = zip(old.text.splitlines(), new.text.splitlines(), strict=True)
    assert [pair for pair in lines if pair[0] != pair[1]] == [
        ("    timeout client 30s", "    timeout client 31s")
    ]


def test_every_file_is_a_task_with_our_checker_and_our_reload() -> None:
    wanted = pieces(30)
    (play,) = yaml.safe_load(playbook.playbook(wanted))
    assert play["hosts"] == "all"
    assert play["gather_facts"] is False
    copied = {
        task["ansible.builtin.copy"]["dest"]: task
        for task in play["tasks"]
        if "ansible.builtin.copy" in task
    }
    texts = playbook.sources(wanted)
    for piece in wanted:
        copy = copied[piece.path]["ansible.builtin.copy"]
        assert texts[f"files/{copy['src']}"] == piece.text
        assert (copy["mode"], copy["owner"], copy["group"]) == ("0644", "root", "root")
    ours = {check.watches[0]: " ".join(check.argv) for check in checks(wanted)}
    theirs = {
        path: task["ansible.builtin.copy"]["validate"].replace("%s", path)
        for path, task in copied.items()
        if "validate" in task["ansible.builtin.copy"]
    }
    assert theirs == ours
    handlers = {each["name"]: each["ansible.builtin.systemd_service"] for each in play["handlers"]}
    for service in services(wanted):
        (path,) = service.watches
        assert service.on_change == "reload"
        assert handlers[copied[path]["notify"]] == {"name": service.name, "state": "reloaded"}
    running = [
        task["ansible.builtin.systemd_service"]
        for task in play["tasks"]
        if "ansible.builtin.systemd_service" in task
    ]
    assert running == [
        {"name": each.name, "enabled": True, "state": "started"} for each in services(wanted)
    ]


def test_hosts_are_reached_by_their_addresses_and_their_keys_checked() -> None:
    told = json.loads(
        playbook.inventory(HOSTS, key=Path("/w/key"), known_hosts=Path("/w/known_hosts"))
    )["all"]
    assert told["hosts"] == {
        "h1": {"ansible_host": "198.18.0.10"},
        "h2": {"ansible_host": "198.18.0.11"},
    }
    assert told["vars"]["ansible_ssh_private_key_file"] == "/w/key"
    common = told["vars"]["ansible_ssh_common_args"]
    assert "-o UserKnownHostsFile=/w/known_hosts -o StrictHostKeyChecking=yes" in common
    assert playbook.known(HOSTS) == (
        "198.18.0.10 ssh-ed25519 AAAA1\n198.18.0.11 ssh-ed25519 AAAA2\n"
    )


def test_tuned_means_forks_and_pipelining_and_nothing_else() -> None:
    def read(text: str) -> dict[tuple[str, str], str]:
        parser = configparser.ConfigParser()
        parser.read_string(text)
        return {(name, key): parser[name][key] for name in parser for key in parser[name]}

    plain = read(playbook.configuration(Path("/w")))
    tuned = read(playbook.configuration(Path("/w"), forks=50))
    assert plain == {
        ("defaults", "inventory"): "/w/hosts.json",
        ("defaults", "home"): "/w/home",
        ("ssh_connection", "control_path_dir"): "/w/cp",
    }
    assert tuned == {
        **plain,
        ("defaults", "forks"): "50",
        ("ssh_connection", "pipelining"): "True",
    }
