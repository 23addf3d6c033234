"""The push for real: a booted machine, its systemd, a daemon, and everything that can go wrong."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Iterator

import pytest

from components.host import payload
from components.host.part import Check, ConfirmPolicy, PeerGuard, Service, Step
from tests.components.host import demo
from tests.components.host.booted import Booted, booted, poll

pytestmark = [pytest.mark.root, pytest.mark.timeout(180)]

CONF = "/etc/demo/a.conf"


@pytest.fixture
def machine() -> Iterator[Booted]:
    with booted("dev-host") as it:
        yield it


def pid(machine: Booted) -> str:
    return machine.sh("systemctl show -p MainPID -p ActiveEnterTimestampMonotonic demo")


def snapshot(machine: Booted) -> str:
    """Every file of /etc and /usr/local by content, mode, owner and time of change."""
    return machine.sh(
        "find /etc /usr/local -printf '%p %m %u:%g %T@ %l\\n' | sort; "
        "find /etc /usr/local -type f -exec sha256sum {} + | sort"
    )


def test_the_first_push_brings_the_daemon_up_and_the_second_touches_nothing(
    machine: Booted,
) -> None:
    wish = demo.request("base", {CONF: "timeout 30\n"})
    first = machine.ask("apply", wish)
    assert (first.status, first.out) == (0, f"{payload.generation(wish)}\n")
    assert "started demo.service" in first.err
    assert machine.text("/run/demo.state") == "healthy\ntimeout 30\n"
    before, process = snapshot(machine), pid(machine)
    second = machine.ask("apply", wish)
    assert (second.status, second.out, second.err) == (0, first.out, "unchanged\n")
    assert snapshot(machine) == before
    assert pid(machine) == process
    assert machine.check()[0]["drift"] == []


def test_cloud_inits_error_stops_the_first_push_and_no_later_one(machine: Booted) -> None:
    wish = demo.request("base", {CONF: "timeout 30\n"})
    fails = "#!/bin/sh\necho 'errors: no datasource'; exit 1\n"
    machine.sh(f"printf %s {shlex.quote(fails)} >/usr/local/bin/cloud-init")
    machine.sh("chmod 755 /usr/local/bin/cloud-init")
    first = machine.ask("apply", wish)
    assert first.status != 0
    assert first.err == (
        "errors: no datasource\n"
        "cloud-init did not finish; read /var/log/cloud-init.log on the machine\n"
    )
    assert machine.check() == []
    machine.sh("echo '#!/bin/sh\nexit 2' >/usr/local/bin/cloud-init")
    assert machine.ask("apply", wish).status == 0
    machine.sh("echo '#!/bin/sh\nexit 1' >/usr/local/bin/cloud-init")
    assert machine.ask("apply", wish).err == "unchanged\n"


def test_a_changed_file_reloads_the_daemon_without_restarting_it(machine: Booted) -> None:
    machine.ask("apply", demo.request("base", {CONF: "timeout 30\n"}))
    process = pid(machine)
    answer = machine.ask("apply", demo.request("base", {CONF: "timeout 40\n"}))
    assert answer.err == "1 file(s) changed; reloaded demo.service\n"
    assert machine.text("/run/demo.state") == "healthy\ntimeout 40\n"
    assert pid(machine) == process


def test_an_epoch_alone_runs_the_push_and_reloads_nothing(machine: Booted) -> None:
    machine.ask("apply", demo.request("base", {CONF: "timeout 30\n"}))
    before, process = snapshot(machine), pid(machine)
    wish = demo.request("base", {CONF: "timeout 30\n"}, epoch="2")
    answer = machine.ask("apply", wish)
    assert answer.err == "nothing on the machine had to change\n"
    assert snapshot(machine) == before
    assert pid(machine) == process
    assert machine.check()[0]["generation"] == payload.generation(wish)


def test_a_refused_file_gives_the_daemons_words_first_and_changes_nothing(
    machine: Booted,
) -> None:
    machine.ask("apply", demo.request("base", {CONF: "timeout 30\n"}))
    before, process = snapshot(machine), pid(machine)
    answer = machine.ask("apply", demo.request("base", {CONF: "ok\nnonsense 1\n"}))
    assert answer.status == 1
    assert answer.out == ""
    lines = answer.err.splitlines()
    assert lines[0] == f"demod: {CONF}:2: unknown keyword 'nonsense' in: nonsense 1"
    assert lines[1] == "the check 'demod' refused the new files (exit status 1)"
    assert lines[2] == "Nothing was changed on the machine."
    assert snapshot(machine) == before
    assert pid(machine) == process
    assert machine.text("/run/demo.state") == "healthy\ntimeout 30\n"
    assert machine.ask("apply", demo.request("base", {CONF: "timeout 50\n"})).status == 0


def test_a_first_push_that_is_refused_leaves_no_file_and_no_daemon(machine: Booted) -> None:
    before = snapshot(machine)
    answer = machine.ask("apply", demo.request("base", {CONF: "sick\n"}))
    assert answer.status == 1
    assert answer.err.startswith("demod: no backend answers\ndemo.service is not healthy 2 s")
    assert "The old set is back (3 file(s))." in answer.err
    unit = "/etc/systemd/system/layered-cloud-recover.service"
    ours = (unit, "/etc/systemd/system/sysinit.target.wants", "/etc/systemd/system ")

    def foreign(text: str) -> list[str]:
        # The recovery unit stays, and so directories' times of change differ.
        return [line for line in text.splitlines() if not any(own in line for own in ours)]

    def names(text: str) -> list[str]:
        return [line.split()[0] for line in foreign(text)]

    assert names(snapshot(machine)) == names(before)
    assert machine.sh("systemctl is-active demo || true") == "inactive"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sick\n", "demod: no backend answers\n"),
        ("crash\n", "demod: fatal: the configuration made me crash\n"),
    ],
)
def test_what_fails_only_while_serving_puts_the_old_set_back_and_serves_again(
    machine: Booted, text: str, words: str
) -> None:
    machine.ask("apply", demo.request("base", {CONF: "timeout 30\n"}))
    machine.sh("echo by-hand > /etc/demo/b.conf && chmod 0640 /etc/demo/b.conf")
    machine.sh("systemctl reload demo")
    wish = demo.request("base", {CONF: text, "/etc/demo/b.conf": "b\n", "/etc/demo/c.conf": "c\n"})
    answer = machine.ask("apply", wish)
    assert answer.status == 1
    assert answer.err.startswith(words)
    assert "The old set is back (3 file(s))." in answer.err
    assert machine.text(CONF) == "timeout 30\n"
    assert machine.sh("stat -c %a /etc/demo/b.conf; cat /etc/demo/b.conf") == "640\nby-hand"
    assert machine.text("/etc/demo/c.conf") is None
    poll(
        lambda: machine.text("/run/demo.state") == "healthy\ntimeout 30\nby-hand\n",
        5,
        "the daemon serving the old set",
    )
    assert machine.sh("systemctl is-active demo") == "active"


def test_the_check_sees_the_union_of_two_layers_files(machine: Booted) -> None:
    machine.ask("apply", demo.request("base", {CONF: "needs b.conf\n", "/etc/demo/b.conf": ""}))
    routes = demo.request("routes", {"/etc/demo/r.conf": "needs a.conf\n"}, program=False)
    assert machine.ask("apply", routes).status == 0
    assert machine.text("/run/demo.state") == "healthy\nneeds b.conf\nneeds a.conf\n"
    without = machine.ask("apply", demo.request("base", {CONF: "needs b.conf\n"}))
    assert without.err.startswith(f"demod: {CONF}:1: no such part b.conf\n")
    assert machine.text("/etc/demo/b.conf") == ""
    taken = machine.ask("apply", demo.request("routes", {CONF: "x\n"}, program=False))
    assert taken.err.startswith(f"{CONF} belongs to the layer 'base' on this machine")
    assert [entry["layer"] for entry in machine.check()] == ["base", "routes"]


def test_deleting_one_layer_leaves_the_other_and_its_daemon(machine: Booted) -> None:
    machine.ask("apply", demo.request("base", {CONF: "timeout 30\n"}))
    process = pid(machine)
    routes = demo.request("routes", {"/etc/demo/r.conf": "route\n"}, program=False)
    machine.ask("apply", routes)
    answer = machine.ask("delete", routes)
    assert (answer.status, answer.err) == (0, "1 file(s) removed\n")
    assert machine.text("/etc/demo/r.conf") is None
    assert pid(machine) == process
    poll(lambda: machine.text("/run/demo.state") == "healthy\ntimeout 30\n", 5, "the reload")


def test_a_deletion_of_an_old_generation_does_nothing(machine: Booted) -> None:
    old = demo.request("base", {CONF: "timeout 30\n"})
    new = demo.request("base", {CONF: "timeout 40\n"})
    machine.ask("apply", old)
    machine.ask("apply", new)
    before = snapshot(machine)
    answer = machine.ask("delete", old)
    assert answer.status == 0
    assert answer.err == f"left alone: the set in force is {payload.generation(new)}\n"
    assert snapshot(machine) == before
    renamed = {**new, "resource": "another-name"}
    machine.ask("apply", renamed)
    assert "left alone" in machine.ask("delete", new).err
    assert machine.text(CONF) == "timeout 40\n"


def test_the_deletion_takes_away_what_was_made_and_leaves_what_was_there(
    machine: Booted,
) -> None:
    machine.sh("mkdir /etc/demo && echo before > /etc/demo/own.conf")
    wish = demo.request("base", {CONF: "timeout 30\n", "/etc/demo/own.conf": "ours\n"})
    machine.ask("apply", wish)
    assert machine.ask("delete", wish).status == 0
    assert machine.text(CONF) is None
    assert machine.text("/etc/demo/own.conf") == "ours\n"
    assert machine.sh("systemctl is-active demo || true") == "inactive"
    assert machine.check() == []


def test_a_file_that_left_the_set_leaves_the_machine(machine: Booted) -> None:
    machine.ask("apply", demo.request("base", {CONF: "a\n", "/etc/demo/b.conf": "b\n"}))
    assert machine.ask("apply", demo.request("base", {CONF: "a\n"})).status == 0
    assert machine.text("/etc/demo/b.conf") is None
    assert machine.text("/run/demo.state") == "healthy\na\n"


SLEEPS = Service(name="side")
SIDE = {
    "contents": [
        demo.content(
            "/etc/systemd/system/side.service",
            "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
        )
    ],
    "services": (demo.SERVICE, SLEEPS),
}
STATES = (
    "systemctl is-active side; systemctl is-enabled side; ls /etc/systemd/system/*.wants || true"
)


def test_a_service_that_left_the_set_is_stopped_before_the_others_are_reloaded(
    machine: Booted,
) -> None:
    machine.ask("apply", demo.request("base", {CONF: "a\n"}, **SIDE))
    assert machine.sh(STATES).split()[:2] == ["active", "enabled"]
    left = machine.ask("apply", demo.request("base", {CONF: "b\n"}))
    assert left.status == 0, left.err
    assert left.err.index("stopped side.service") < left.err.index("reloaded demo.service")
    assert "side.service" not in machine.sh(STATES)
    assert machine.sh("systemctl is-active side || true") == "inactive"


def test_a_service_that_another_set_names_goes_on(machine: Booted) -> None:
    machine.ask("apply", demo.request("base", {CONF: "a\n"}, **SIDE))
    more = demo.request("more", {"/etc/demo/b.conf": "b\n"}, program=False, services=(SLEEPS,))
    assert machine.ask("apply", more).status == 0
    kept = demo.request("base", {CONF: "a\n"}, **{**SIDE, "services": (demo.SERVICE,)})
    assert machine.ask("apply", kept).status == 0
    assert machine.sh(STATES).split()[:2] == ["active", "enabled"]


def test_a_service_that_was_to_leave_is_back_with_the_old_set(machine: Booted) -> None:
    machine.ask("apply", demo.request("base", {CONF: "a\n"}, **SIDE))
    refused = machine.ask("apply", demo.request("base", {CONF: "sick\n"}))
    assert refused.status != 0
    assert machine.text(CONF) == "a\n"
    assert machine.sh(STATES).split()[:2] == ["active", "enabled"]


def test_drift_is_told_and_the_same_push_mends_it(machine: Booted) -> None:
    wish = demo.request("base", {CONF: "timeout 30\n", "/etc/demo/b.conf": "b\n"})
    machine.ask("apply", wish)
    machine.sh(
        f"echo tampered >> {CONF}; chmod 0600 /etc/demo/b.conf; rm /usr/local/bin/demod; "
        "systemctl disable --now demo"
    )
    assert machine.check()[0]["drift"] == [
        {"what": CONF, "is": "content differs"},
        {"what": "/etc/demo/b.conf", "is": "mode is 0600, not 0644"},
        {"what": "/usr/local/bin/demod", "is": "missing"},
        {"what": "demo.service", "is": "not active, not enabled"},
    ]
    assert machine.ask("apply", wish).status == 0
    assert machine.check()[0]["drift"] == []


BLOCK = Check(name="wait", argv=("sh", "-c", "touch /run/in-check; cat /run/gate"))


def test_a_session_killed_in_the_middle_leaves_the_work_to_end_by_itself(
    machine: Booted,
) -> None:
    machine.ask("apply", demo.request("base", {CONF: "timeout 30\n"}))
    machine.sh("mkfifo /run/gate")
    slow = demo.request("base", {CONF: "timeout 40\n"}, checks=(demo.CHECK, BLOCK))
    session = machine.session("apply", slow)
    poll(lambda: machine.text("/run/in-check") is not None, 20, "the check")
    os.killpg(session.pid, signal.SIGKILL)
    session.wait()
    assert machine.text(CONF) == "timeout 30\n"
    machine.sh("echo go > /run/gate")
    poll(lambda: machine.text(CONF) == "timeout 40\n", 20, "the push going on by itself")
    last = demo.request("base", {CONF: "timeout 50\n"})
    assert machine.ask("apply", last).status == 0
    assert machine.check()[0]["generation"] == payload.generation(last)


@pytest.mark.parametrize("where", ["check", "step"])
def test_work_killed_outright_is_put_back_by_its_own_unit(machine: Booted, where: str) -> None:
    machine.ask("apply", demo.request("base", {CONF: "timeout 30\n"}))
    process = pid(machine)
    machine.sh("mkfifo /run/gate")
    hang = {
        "check": {"checks": (demo.CHECK, BLOCK)},
        "step": {"steps": (Step(name="wait", argv=BLOCK.argv, when="after"),)},
    }[where]
    wish = demo.request("base", {CONF: "timeout 40\n", "/etc/demo/n.conf": "new\n"}, **hang)
    session = machine.session("apply", wish)
    poll(lambda: machine.text("/run/in-check") is not None, 20, f"the {where}")
    if where == "step":
        assert machine.text(CONF) == "timeout 40\n"
    machine.sh("systemctl kill --signal=KILL 'layered-cloud-push-*'")
    _, err = session.communicate(timeout=60)
    assert session.returncode != 0, err
    assert machine.text(CONF) == "timeout 30\n"
    assert machine.text("/etc/demo/n.conf") is None
    assert not machine.run("sh", "-c", "ls /var/lib/layered-cloud/*/pending.json").out
    assert pid(machine) == process
    machine.sh("rm /run/gate /run/in-check; touch /run/gate")
    assert machine.ask("apply", wish).status == 0
    assert machine.text("/etc/demo/n.conf") == "new\n"


def test_a_swap_cut_by_a_power_failure_is_put_back_at_boot(machine: Booted) -> None:
    machine.ask("apply", demo.request("base", {CONF: "timeout 30\n"}))
    machine.sh("mkfifo /run/gate")
    wish = demo.request(
        "base",
        {CONF: "timeout 40\n"},
        steps=(Step(name="wait", argv=BLOCK.argv, when="after"),),
    )
    session = machine.session("apply", wish)
    poll(lambda: machine.text("/run/in-check") is not None, 20, "the step")
    pending = machine.root / "var/lib/layered-cloud/base/pending.json"
    kept = pending.read_text()
    os.killpg(session.pid, signal.SIGKILL)
    session.wait()
    machine.sh("systemctl kill --signal=KILL 'layered-cloud-push-*'")
    poll(lambda: not pending.exists(), 20, "the unit's own recovery")
    # As the disk would be found: the journal of the swap there, the new files in place.
    pending.write_text(kept)
    (machine.root / CONF.lstrip("/")).write_text("timeout 40\n")
    assert machine.sh("systemctl is-enabled layered-cloud-recover") == "enabled"
    machine.sh("systemctl start layered-cloud-recover")
    assert machine.text(CONF) == "timeout 30\n"
    assert not pending.exists()


def test_pushes_at_the_same_time_take_turns(machine: Booted) -> None:
    wishes = [
        demo.request(f"layer{n}", {f"/etc/demo/{n}.conf": f"{n}\n"}, program=False, services=())
        for n in range(4)
    ]
    for wish in wishes:
        wish["checks"] = []
    sessions = [machine.session("apply", wish) for wish in wishes]
    for session in sessions:
        _, err = session.communicate(timeout=60)
        assert session.returncode == 0, err
    assert [entry["layer"] for entry in machine.check()] == [f"layer{n}" for n in range(4)]


def confirmed(text: str, seconds: int = 4) -> dict[str, object]:
    return demo.request("base", {CONF: text}, confirm=ConfirmPolicy(seconds=seconds))


def test_without_a_confirmation_the_old_set_comes_back_by_itself(machine: Booted) -> None:
    machine.ask("apply", demo.request("base", {CONF: "timeout 30\n"}))
    wish = confirmed("timeout 40\n", 2)
    answer = machine.ask("apply", wish)
    assert "awaiting confirmation for 2 s" in answer.err
    assert machine.text(CONF) == "timeout 40\n"
    assert machine.check()[0]["confirmed"] is False
    poll(lambda: machine.text(CONF) == "timeout 30\n", 15, "the timed restore")
    poll(lambda: machine.text("/run/demo.state") == "healthy\ntimeout 30\n", 5, "the reload")
    late = machine.ask("confirm", payload.confirmation(wish))
    assert late.status == 1
    assert late.err.startswith("the machine put its old set 'base' back at ")
    assert "nobody confirmed it over a new connection in time" in late.err
    assert "raise its epoch" in late.err
    assert machine.ask("apply", demo.request("base", {CONF: "timeout 60\n"})).status == 0


def test_a_confirmation_disarms_the_restore(machine: Booted) -> None:
    machine.ask("apply", demo.request("base", {CONF: "timeout 30\n"}))
    wish = confirmed("timeout 40\n", 30)
    machine.ask("apply", wish)
    assert "layered-cloud-restore-base.timer" in machine.sh("systemctl list-timers --all")
    answer = machine.ask("confirm", payload.confirmation(wish))
    assert (answer.status, answer.err) == (0, "confirmed\n")
    assert "layered-cloud-restore" not in machine.sh("systemctl list-timers --all")
    assert machine.check()[0]["confirmed"] is True
    assert machine.ask("apply", wish).err == "unchanged\n"
    assert machine.ask("confirm", payload.confirmation(wish)).status == 0


def test_a_confirmation_of_another_set_than_the_one_in_force_fails(machine: Booted) -> None:
    machine.ask("apply", confirmed("timeout 30\n", 30))
    answer = machine.ask("confirm", payload.confirmation(confirmed("timeout 99\n", 30)))
    assert answer.status == 1
    assert answer.err.startswith(
        "the set 'base' in force on this machine is not the one that was pushed"
    )


def test_the_owner_of_a_vip_is_not_touched_while_its_peer_is_unhealthy(machine: Booted) -> None:
    machine.sh("ip addr add 198.18.10.10/32 dev lo")

    def wish(text: str) -> dict[str, object]:
        guard = PeerGuard(vips=("198.18.10.10",), probe=("sh", "-c", "cat /run/peer"), seconds=0.5)
        return demo.request("base", {CONF: text}, owner_guard=guard)

    machine.sh("touch /run/peer")
    assert machine.ask("apply", wish("timeout 30\n")).status == 0
    machine.sh("rm /run/peer")
    refused = machine.ask("apply", wish("timeout 40\n"))
    assert refused.status == 1
    assert refused.err.startswith("cat: /run/peer: No such file or directory\n")
    assert "this machine owns 198.18.10.10 and its peer is not healthy" in refused.err
    assert machine.text(CONF) == "timeout 30\n"
    machine.sh("ip addr del 198.18.10.10/32 dev lo")
    assert machine.ask("apply", wish("timeout 40\n")).status == 0
