"""What cuts a push off, for real: kills, cut sessions, dpkg, a full or read-only disk, a clock.

One machine for all of them, made bare again before each.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from components.host import payload
from components.host.part import Check, Health, Package, Service, Step
from tests.components.host import demo
from tests.components.host.booted import Answer, Booted, booted, poll
from tests.components.host.test_push_packages import SOURCES, make_repository

pytestmark = [pytest.mark.root, pytest.mark.timeout(180)]

CONF = "/etc/demo/a.conf"
HANG = ("sh", "-c", "touch /run/reached; test -e /run/go || cat /run/gate")
RELOAD = ("sh", "-c", f"{HANG[2]}; systemctl reload demo")
SCRIPT = f"#!/bin/sh\n{HANG[2]}\n"
BARE = """\
systemctl disable --now demo 2>/dev/null
systemctl reset-failed 2>/dev/null
dpkg --purge --force-all other demod 2>/dev/null
rm -rf /var/lib/layered-cloud /etc/demo /run/demo.* /run/reached /run/go /run/gate
rm -f /etc/systemd/system/demo.service /usr/local/bin/demod /etc/apt/sources.list.d/*
rm -f /srv/repo/Release
systemctl daemon-reload
mkfifo /run/gate
"""


@pytest.fixture(scope="module")
def kept() -> Iterator[Booted]:
    with booted("dev-host") as it:
        make_repository(it)
        for where in ("preinst", "postinst"):
            alien(it, where)
        yield it


@pytest.fixture
def machine(kept: Booted) -> Booted:
    kept.sh(BARE)
    return kept


def alien(machine: Booted, where: str) -> None:
    """A package of somebody else's that hangs while it is installed."""
    tree = f"/srv/alien/{where}"
    control = "Package: other\nVersion: 1\nArchitecture: all\nMaintainer: t <t@lab.test>\n"
    for path, text, mode in (
        ("control", f"{control}Description: other\n", "0644"),
        (where, SCRIPT, "0755"),
    ):
        command = f"install -D -m {mode} /dev/stdin {tree}/DEBIAN/{path}"
        assert machine.run("sh", "-c", command, stdin=text).status == 0
    machine.sh(f"dpkg-deb -b {tree} /srv/alien/{where}.deb")


def wish(text: str = "timeout 30\n", version: str | None = None, **over: Any) -> dict[str, Any]:
    """The demo daemon with `text`; from the package of a `version` when one is given."""
    if version is None:
        return demo.request("base", {CONF: text}, **over)
    packages = (Package(name="demod", version=version),)
    return demo.request(
        "base", {CONF: text}, program=False, contents=[SOURCES], packages=packages, **over
    )


def serves(machine: Booted, text: str) -> None:
    poll(lambda: machine.text("/run/demo.state") == f"healthy\n{text}", 10, f"{text!r} served")


def reached(machine: Booted) -> None:
    poll(lambda: machine.text("/run/reached") is not None, 30, "the step to cut at")


STEPS: dict[str, dict[str, Any]] = {
    "check": {"checks": (demo.CHECK, Check(name="hang", argv=HANG))},
    "before": {"steps": (Step(name="hang", argv=HANG),)},
    "reload": {"services": (Service(name="demo", watches=("/etc/demo",), on_change=RELOAD),)},
    "health": {"services": (Service(name="demo", health=Health(argv=HANG, seconds=60)),)},
    "after": {"steps": (Step(name="hang", argv=HANG, when="after"),)},
}


@pytest.mark.parametrize("step", STEPS)
def test_killed_outright_the_push_says_so_and_the_next_one_ends(machine: Booted, step: str) -> None:
    machine.ask("apply", wish())
    new = wish("timeout 40\n", **STEPS[step])
    session = machine.session("apply", new)
    reached(machine)
    machine.sh("touch /run/go; systemctl kill --signal=KILL 'layered-cloud-push-*'")
    _, err = session.communicate(timeout=60)
    assert session.returncode != 0
    lines = err.splitlines()
    assert lines[:2] == [
        "The push was killed (KILL) half way.",
        "Run it again: it goes on from what is there.",
    ]
    whole = "Nothing was changed" if step == "check" else "The old set is back (1 file(s))."
    assert f"an earlier push of 'base' was cut half way: {whole}" in err
    serves(machine, "timeout 30\n")
    assert machine.check()[0]["drift"] == []
    assert machine.ask("apply", new).status == 0
    serves(machine, "timeout 40\n")
    assert machine.ask("apply", new).err == "unchanged\n"


@pytest.mark.parametrize("step", STEPS)
def test_a_session_cut_at_any_step_leaves_the_push_to_end_by_itself(
    machine: Booted, step: str
) -> None:
    machine.ask("apply", wish())
    new = wish("timeout 40\n", **STEPS[step])
    session = machine.session("apply", new)
    reached(machine)
    os.killpg(session.pid, signal.SIGKILL)
    session.wait()
    machine.sh("touch /run/go; echo go > /run/gate")
    answer = machine.ask("apply", new)
    assert (answer.status, answer.err) == (0, "unchanged\n")
    serves(machine, "timeout 40\n")


def test_an_upgrade_that_was_killed_is_finished_and_the_daemon_restarted(machine: Booted) -> None:
    machine.ask("apply", wish(version="1.0"))
    process = machine.sh("systemctl show -p MainPID demo")
    machine.sh(
        "sed -i '2i touch /run/reached; test -e /run/go || cat /run/gate' "
        "/srv/build/2.0/DEBIAN/postinst; cp /srv/repo/demod_2.0.deb /srv/whole.deb"
    )
    repack(machine)
    try:
        session = machine.session("apply", wish(version="2.0"))
        reached(machine)
        machine.sh("touch /run/go; systemctl kill --signal=KILL 'layered-cloud-push-*'")
        _, err = session.communicate(timeout=60)
        assert "dpkg had been interrupted (demod half configured): ran 'dpkg --configure" in err
        assert machine.sh("dpkg-query -W -f '${db:Status-Abbrev}${Version}' demod") == "ii 2.0"
        assert machine.sh("systemctl show -p MainPID demo") == process, "what runs is the old one"
        assert machine.run("test", "-e", "/usr/sbin/policy-rc.d").status != 0
        assert machine.ask("apply", wish(version="2.0")).err == "restarted demo.service\n"
        assert machine.sh("systemctl show -p MainPID demo") != process
    finally:
        machine.sh("sed -i 2d /srv/build/2.0/DEBIAN/postinst")
        repack(machine)


def repack(machine: Booted) -> None:
    machine.sh(
        "dpkg-deb -b /srv/build/2.0 /srv/repo/demod_2.0.deb; cd /srv/repo && for d in *.deb; do "
        "dpkg-deb -f $d; echo Filename: ./$d; echo Size: $(stat -c %s $d); "
        "echo SHA256: $(sha256sum $d | cut -d' ' -f1); echo; done > Packages"
    )


def interrupted(machine: Booted, where: str) -> None:
    """Somebody's own dpkg, killed while the package's script runs."""
    process = machine.start("dpkg", "-i", f"/srv/alien/{where}.deb")
    reached(machine)
    machine.sh("pkill -KILL -x dpkg; pkill -KILL -x cat; touch /run/go")
    process.wait(20)


def test_an_interrupted_dpkg_is_repaired_once_and_told(machine: Booted) -> None:
    interrupted(machine, "postinst")
    refused = machine.run("apt-get", "install", "-y", "demod")
    assert "you must manually run 'dpkg --configure -a'" in refused.err, "what a person would meet"
    answer = machine.ask("apply", wish(version="1.0"))
    assert answer.status == 0, answer.err
    assert answer.err.startswith(
        "dpkg had been interrupted (other half configured): ran 'dpkg --configure -a'; "
    )
    assert machine.sh("dpkg-query -W -f '${db:Status-Abbrev}' other") == "ii"
    assert "dpkg" not in machine.ask("apply", wish("timeout 40\n", version="2.0")).err, "once"


def test_a_package_no_repository_has_is_not_taken_away_but_named(machine: Booted) -> None:
    interrupted(machine, "preinst")
    answer = machine.ask("apply", wish(version="1.0"))
    assert answer.status == 1
    lines = answer.err.splitlines()
    assert lines[0].startswith("E: The package other needs to be reinstalled, but I can't find an")
    assert "'dpkg --remove --force-remove-reinstreq NAME'" in answer.err
    assert "dpkg had been interrupted (other half installed)" in answer.err
    machine.sh("dpkg --remove --force-remove-reinstreq other")
    assert machine.ask("apply", wish(version="1.0")).status == 0


def test_a_stopped_holder_of_dpkgs_lock_is_named(machine: Booted) -> None:
    holder = (
        "import fcntl,os,signal; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f,2); "
        "open('/run/reached','w').close(); os.kill(os.getpid(), signal.SIGSTOP)"
    )
    process = machine.start("python3", "-c", holder)
    reached(machine)
    number = machine.sh("pgrep -x -o python3")
    answer = machine.ask("apply", wish(version="1.0", seconds=1))
    assert answer.status == 1
    assert answer.err.startswith(
        f"/var/lib/dpkg/lock-frontend has been held for 1 s by process {number} (python3 -c import"
    )
    assert ", which is stopped): let it end, or end it" in answer.err
    machine.sh(f"kill -KILL {number}")
    os.killpg(process.pid, signal.SIGKILL)  # nsenter stopped with it
    process.wait(20)
    assert machine.ask("apply", wish(version="1.0")).status == 0


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ({"Date": "+1 hour"}, "not valid yet (invalid for another"),
        ({"Date": "-2 days", "Valid-Until": "-1 hour"}, "expired (invalid since"),
    ],
    ids=["behind", "ahead"],
)
def test_a_repository_of_another_time_than_the_clocks_tells_the_time_and_the_remedy(
    machine: Booted, dates: dict[str, str], words: str
) -> None:
    when = "LC_ALL=C date -u '+%a, %d %b %Y %T UTC' -d"
    said = "".join(f"echo {field}: $({when} '{date}'); " for field, date in dates.items())
    machine.sh(
        f"cd /srv/repo; {{ {said}"
        "echo SHA256:; echo \" $(sha256sum Packages | cut -d' ' -f1) $(stat -c %s Packages) "
        'Packages"; } > Release'
    )
    answer = machine.ask("apply", wish(version="1.0"))
    assert answer.status == 1
    assert f"Release is {words}" in answer.err.splitlines()[0]
    hour = machine.sh("date -u +%Y-%m-%dT%H")
    assert f"This machine's clock says {hour}" in answer.err
    assert "set it with 'date --utc --set=…' and run again" in answer.err
    assert machine.text("/etc/apt/sources.list.d/local.list") is None
    machine.sh("rm /srv/repo/Release")
    assert machine.ask("apply", wish(version="1.0")).status == 0


def full(machine: Booted, path: str) -> None:
    """Have `path` on a small file system of its own, with what it holds, and nothing left there."""
    machine.sh(
        f"rm -rf /run/was; mkdir -p {path}; cp -a {path} /run/was; "
        f"mount -t tmpfs -o size=512k,mode=0755 tmpfs {path} && cp -a /run/was/. {path}/"
    )
    machine.sh(f"head -c 900000 /dev/zero > {path}/ballast || true")


def refused_for(machine: Booted, words: str, answer: Answer) -> None:
    assert answer.status == 1, answer.err
    assert words in answer.err
    assert "Traceback" not in answer.err
    assert machine.check()[0]["drift"] == []
    serves(machine, "timeout 30\n")


@pytest.mark.parametrize("path", ["/etc/demo", "/var/lib/layered-cloud"])
def test_a_full_disk_is_told_and_the_old_set_serves(machine: Booted, path: str) -> None:
    machine.ask("apply", wish())
    new = wish("timeout 40\n" + "# much\n" * 4000)
    full(machine, path)
    try:
        answer = machine.ask("apply", new)
        refused_for(machine, "No space left on device", answer)
        assert f"the file system {path} is full (0 of 0 MiB free): make room there" in answer.err
        machine.sh(f"rm {path}/ballast")
        assert machine.ask("apply", new).status == 0
        serves(machine, "timeout 40\n" + "# much\n" * 4000)
    finally:
        machine.sh(f"umount {path}")


def test_a_run_directory_without_room_stops_the_push_before_it_begins(machine: Booted) -> None:
    machine.ask("apply", wish())
    machine.sh("mount -t tmpfs -o size=24k,mode=0700 tmpfs /run/layered-cloud")
    try:
        answer = machine.ask("apply", wish("timeout 40\n"))
        assert answer.status == 1
        assert answer.err.splitlines()[:1] == ["/run/layered-cloud: No space left on device"]
        assert "Nothing was changed on the machine." in answer.err
        assert machine.sh("ls /run/layered-cloud") == ""
    finally:
        machine.sh("umount /run/layered-cloud")
    assert machine.ask("apply", wish("timeout 40\n")).status == 0


def test_a_disk_that_fills_up_while_packages_are_unpacked_is_told(machine: Booted) -> None:
    machine.ask("apply", wish(version="1.0"))
    full(machine, "/usr/local/bin")
    try:
        answer = machine.ask("apply", wish(version="2.0"))
        assert answer.status == 1
        assert "failed to write (No space left on device)" in answer.err
        assert "Full: /usr/local/bin (0 of 0 MiB free). Make room there;" in answer.err
        assert machine.sh("systemctl is-active demo") == "active"
        machine.sh("rm /usr/local/bin/ballast")
        assert machine.ask("apply", wish(version="2.0")).status == 0
        assert machine.sh("dpkg-query -W -f '${db:Status-Abbrev}${Version}' demod") == "ii 2.0"
    finally:
        machine.sh("cp /usr/local/bin/demod /run/demod; umount /usr/local/bin")


@pytest.mark.parametrize("path", ["/etc", "/var/lib/layered-cloud"])
def test_a_read_only_file_system_is_named_with_the_way_out(machine: Booted, path: str) -> None:
    machine.ask("apply", wish())
    new = wish("timeout 40\n")
    machine.sh(f"mount --bind {path} {path} && mount -o remount,bind,ro {path}")
    try:
        assert machine.run("touch", f"{path}/x").status != 0
        answer = machine.ask("apply", new)
        refused_for(machine, "Read-only file system", answer)
        assert f"the file system {path} is mounted read-only" in answer.err
        assert f"'mount -o remount,rw {path}'" in answer.err
        assert "Nothing was changed on the machine." in answer.err
    finally:
        machine.sh(f"umount {path}")
    assert machine.ask("apply", new).status == 0
    serves(machine, "timeout 40\n")


def test_a_clock_set_forward_does_not_take_a_running_push_for_a_left_one(machine: Booted) -> None:
    machine.ask("apply", wish())
    new = wish("timeout 40\n", **STEPS["check"])
    session = machine.session("apply", new)
    reached(machine)
    machine.sh(
        "touch -d '-2 hours' /run/layered-cloud/push-*; mkdir /run/layered-cloud/push-left; "
        "touch -d '-2 hours' /run/layered-cloud/push-left"
    )
    other = machine.session("apply", demo.request("other", {}, program=False, services=()))
    poll(lambda: machine.run("test", "-e", "/run/layered-cloud/push-left").status, 20, "the sweep")
    machine.sh("touch /run/go; echo go > /run/gate")
    _, err = session.communicate(timeout=60)
    assert (session.returncode, err) == (0, "1 file(s) changed; reloaded demo.service\n")
    assert other.wait(60) == 0
    assert machine.check()[0]["generation"] == payload.generation(new)
