"""Mistakes and cuts: a clear refusal, the old state still serving, the next run converges."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest
from harness import balancers, variant, variant_process

from lab.hypervisor.hypervisor import Hypervisor
from lab.probes import edge, inside
from lab.probes.drills import measured
from lab.probes.result import until
from lab.probes.world import World

WORDS = {
    "haproxy": "unknown keyword 'mode-of-speech'",
    "keepalived": "no_such_keyword",
    "nftables": "syntax error",
}
REST = ("keepalived", "nftables")
"""Refused by the same lines of a push as HAProxy's file."""


def fingerprints(world: World) -> dict[str, str]:
    """Every configuration file of the edge machines, by machine."""
    look = "find /etc -xdev -type f -newermt 2020-01-01 -exec sha256sum {} + | sort | sha256sum"
    return {
        name: world.text(name, ["sh", "-c", look])
        for name in (*world.role("router"), *world.role("balancer"))
    }


@pytest.mark.parametrize(
    "daemon", ["haproxy", *(pytest.param(each, marks=pytest.mark.long) for each in REST)]
)
def test_a_file_the_daemon_refuses_changes_nothing(daemon: str, world: World) -> None:
    before = fingerprints(world)
    answers: list[dict[str, Any]] = []
    outage, said = measured(world, 30, lambda: answers.append(variant("up", patch=daemon)))
    assert not answers[0]["ok"]
    words = answers[0]["error"]
    assert WORDS[daemon] in words, words
    ours = words.index("refused the new files")
    assert words.index(WORDS[daemon]) < ours, f"the daemon's words do not come first: {words}"
    assert fingerprints(world) == before
    assert outage < 1.0, said


def test_a_firewall_that_cuts_off_management_comes_back_by_itself(world: World) -> None:
    answer = variant("up", patch="lockout", seconds=500)
    assert not answer["ok"], "the update that cut off its own way in was called good"
    for router in world.role("router"):
        until(lambda name=router: world.addresses(name), 120, f"{router} stays cut off")
    edge.one_owner_each(world)
    edge.through_the_chain(world, 5)


def test_the_next_good_up_converges(world: World) -> None:
    answer = variant("up")
    assert answer["ok"], answer["error"]
    inside.manifests_true(world)
    edge.through_the_chain(world, 5)
    again = variant("up")
    assert again["ok"]
    assert again["changed"] == 0, again["steps"]


def test_a_session_cut_in_the_middle_of_a_push_leaves_old_or_new(world: World) -> None:
    first, *_ = [name for name in world.role("balancer") if name not in _owners(world)]
    kill = (
        "for pid in $(pgrep -f 'sshd: root@notty'); do "
        '[ "$pid" = "$(ps -o ppid= -p $PPID | tr -d " ")" ] || kill -9 "$pid"; done'
    )
    child = variant_process("up", changes=balancers(timeouts={"http_request": 8}))
    try:
        until(lambda: _pushing(world, first), 60, f"no push on {first}")
        world.run(first, ["sh", "-c", f"setsid sh -c '{kill}' >/dev/null 2>&1 &"], seconds=20)
    finally:
        child.communicate(timeout=300)
    report = until(lambda: _settled(world, first), 120, "the push neither ended nor went back")
    assert report in ("old", "new")
    edge.through_the_chain(world, 5)
    answer = variant("up")
    assert answer["ok"], answer["error"]
    inside.manifests_true(world)


def _owners(world: World) -> set[str]:
    vips = {str(each) for group in world.stack.balancers.vips for each in group.lan}
    return {name for vip, names in edge.owners(world).items() if vip in vips for name in names}


def _pushing(world: World, machine: str) -> bool:
    units = world.text(machine, ["systemctl", "list-units", "--plain", "--no-legend", "layered-*"])
    return any("push" in line or "apply" in line for line in units.splitlines())


def _settled(world: World, machine: str) -> str:
    if _pushing(world, machine):
        return ""
    text = world.text(machine, ["cat", "/etc/haproxy/layered/10-base.cfg"])
    inside.manifests_true(world)
    return "new" if "http-request 8s" in text else "old"


def test_a_cut_runner_leaves_a_stack_that_the_next_up_brings_to_its_end(world: World) -> None:
    child = variant_process("up", changes=balancers(timeouts={"http_request": 9}))
    time_limit = time.monotonic() + 60
    machine = world.role("balancer")[-1]
    while time.monotonic() < time_limit and not _pushing(world, machine):
        if child.poll() is not None:
            break
        time.sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    answer = variant("up")
    assert answer["ok"], answer["error"]
    inside.manifests_true(world)
    edge.through_the_chain(world, 5)


@pytest.mark.parametrize("role", ["router", "balancer", "worker"])
def test_a_machine_rebooted_comes_back_into_the_same_state(role: str, world: World) -> None:
    machine = world.role(role)[0]
    boot = world.text(machine, ["cat", "/proc/sys/kernel/random/boot_id"])
    started = world.text(machine, ["systemctl", "show", "-p", "UserspaceTimestampMonotonic"])
    world.run(machine, ["systemctl", "reboot"], seconds=15)

    def back() -> bool:
        said = world.text(
            machine, ["systemctl", "show", "-p", "UserspaceTimestampMonotonic"], seconds=10
        )
        return said != started

    until(back, 120, f"{machine} does not come back")
    until(lambda: inside.manifests_true(world), 90, "the manifests are not true")
    until(lambda: inside.cluster_ready(world), 120, "the cluster is not ready")
    until(lambda: edge.one_owner_each(world), 60, "the VIPs do not settle")
    until(lambda: edge.through_the_chain(world), 90, "the chain does not answer")
    assert boot, "the machine told its boot id"


# Dead machines that one update makes anew are tried below in any case.
@pytest.mark.parametrize("state", ["running", pytest.param("dead", marks=pytest.mark.long)])
def test_a_balancer_replaced_on_purpose_gets_everything_again(state: str, world: World) -> None:
    machine = next(name for name in world.role("balancer") if name not in _owners(world))
    if state == "dead":
        Hypervisor().power_off(machine)
    answers: list[dict[str, Any]] = []
    outage, said = measured(
        world,
        75,
        lambda: answers.append(variant("up", replace=[f"VmLegacy::{machine}"])),
    )
    assert answers[0]["ok"], answers[0]["error"]
    replaced = [step for step in answers[0]["steps"] if "replace" in step["op"]]
    assert any(step["urn"].endswith(f"VmLegacy::{machine}") for step in replaced)
    assert outage < 1.0, said
    inside.manifests_true(world)
    edge.one_owner_each(world)
    edge.through_the_chain(world)
    again = variant("up")
    assert again["changed"] == 0, again["steps"]


@pytest.mark.parametrize(
    "roles",
    [("router", "worker"), pytest.param(("control_plane",), marks=pytest.mark.long)],
    ids="+".join,
)
def test_machines_that_are_dead_are_made_anew_by_one_update(
    roles: tuple[str, ...], world: World
) -> None:
    """A control plane's machine holds etcd: another one is another cluster, joined and filled
    again by the same update."""
    lost = [world.role(role)[-1] for role in roles]
    for machine in lost:
        Hypervisor().power_off(machine)
    answer = variant("up", replace=[f"VmLegacy::{machine}" for machine in lost])
    assert answer["ok"], answer["error"]
    inside.manifests_true(world)
    inside.api_vips(world)
    until(lambda: inside.cluster_ready(world), 120, "the cluster is not ready")
    until(lambda: edge.one_owner_each(world), 60, "the VIPs do not settle")
    until(lambda: edge.through_the_chain(world), 60, "the chain does not answer")
    again = variant("up")
    assert again["changed"] == 0, again["steps"]
