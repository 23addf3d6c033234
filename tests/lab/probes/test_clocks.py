"""Which clocks the probe complains of, and whether it reads what a real chrony says of itself."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components.host.baseline.chrony import CONFIG
from components.host.baseline.render import render
from lab.network import Topology
from lab.paths import CHECKOUT
from lab.probes import clocks
from lab.probes.result import Broken
from lab.probes.world import World
from lab.software import checkers
from settings.files import load_stack

LEFT_ALONE = load_stack(CHECKOUT / "Pulumi.lab.yaml")
SERVERS = {"ntp": ["192.0.2.4"]}
FOLLOWING = LEFT_ALONE.model_copy(
    update={"networks": LEFT_ALONE.networks.model_copy(update=SERVERS)}
)
REPORT = (
    "C0000204,192.0.2.4,2,1795702823.812657461,-0.0002,-5.0,5.0,4.269,0.000,108.1,"
    "{delay},{dispersion},64.0,{leap}"
)
SILENT = "506 Cannot talk to daemon\n"
BOOTED = 1700000000


def report(leap: str = "Normal", delay: float = 0.002, dispersion: float = 0.0008) -> str:
    return REPORT.format(leap=leap, delay=delay, dispersion=dispersion) + "\n"


@dataclass
class Clock:
    """The runner's, which stands still but for answers that are under way."""

    now: float = 1700000000.0

    def time(self) -> float:
        return self.now


CLOCK = Clock()


@dataclass(frozen=True, kw_only=True)
class Said(World):
    """Machines whose clocks, processes and chronys are what the test says of them."""

    ahead: dict[str, float] = field(default_factory=dict)
    running: dict[str, str] = field(default_factory=dict)
    reports: dict[str, list[str]] = field(default_factory=dict)
    slow: dict[str, list[float]] = field(default_factory=dict)
    booted: int = BOOTED

    def run(
        self, place: str, argv: Sequence[str], stdin: str = "", seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        if argv[0] == "ps":
            chrony = "chronyd\n" if self.stack.networks.ntp else ""
            return self.done(self.running.get(place, f"systemd\n{chrony}sshd\n"))
        if argv[0] == "chronyc":
            rows = self.reports.get(place, [report()])
            row = rows.pop(0) if len(rows) > 1 else rows[0]
            return self.done(row, 1 if row == SILENT else 0)
        there = CLOCK.now + self.ahead.get(place, 0.0)
        under_way = self.slow.get(place, [])
        CLOCK.now += under_way.pop(0) if under_way else 0.0
        return self.done(f"btime {self.booted}\n{there:.9f}\n")

    def done(self, out: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], status, out, "")


def said(stack: Any = LEFT_ALONE, **more: Any) -> Said:
    return Said(stack=stack, topology=Topology.default(), outputs={}, **more)


@pytest.fixture(autouse=True)
def runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "SETTLE_SECONDS", 0.5)
    monkeypatch.setattr(clocks, "time", CLOCK)


def test_clocks_that_agree_hold_and_say_what_was_seen() -> None:
    assert clocks.in_sync(said()) == (
        "7 machines: no time daemon, as networks.ntp is empty; within 0.00 s of the runner's clock"
    )
    assert clocks.in_sync(said(FOLLOWING, ahead={"lb-a": 0.7, "lb-b": -0.4})) == (
        "7 machines: chrony in sync, at most 0.002 s off; within 0.70 s of the runner's clock"
    )


def test_machines_of_the_runners_own_kernel_are_told_to_prove_nothing() -> None:
    (line,) = [x for x in Path("/proc/stat").read_text().splitlines() if x.startswith("btime")]
    assert clocks.in_sync(said(booted=int(line.split()[1]))).endswith(
        "of the runner's clock, which 7 of them share: one kernel, one clock"
    )


def test_a_clock_beyond_the_limit_is_told_by_its_machine_and_side() -> None:
    with pytest.raises(Broken) as problem:
        clocks.in_sync(said(ahead={"lb-a": 5.25, "worker-1": -3600.0}))
    assert str(problem.value) == (
        "lb-a: its clock is 5.2 s or more ahead of the runner's; "
        "worker-1: its clock is 3600.0 s or more behind the runner's"
    )


def test_a_chrony_that_is_not_in_sync_or_not_there_is_told() -> None:
    reports = {
        "router-a": [report(leap="Not synchronised")],
        "router-b": [report(dispersion=0.9, delay=0.4)],
        "lb-a": [report(leap="Insert second")],
        "lb-b": [SILENT],
    }
    with pytest.raises(Broken) as problem:
        clocks.in_sync(said(FOLLOWING, reports=reports))
    assert str(problem.value) == (
        "router-a: chrony is not synchronised: see 'chronyc sources' there; "
        "router-b: chrony's clock may be 1.1 s off: see 'chronyc tracking' there; "
        "lb-b: chrony does not answer: 506 Cannot talk to daemon"
    )


def test_a_chrony_that_has_just_begun_is_waited_for() -> None:
    just = [report(leap="Not synchronised"), report(dispersion=1.6), report()]
    assert "in sync, at most 0.002 s" in clocks.in_sync(said(FOLLOWING, reports={"cp-1": just}))


def test_a_daemon_that_the_stack_did_not_ask_for_is_told() -> None:
    running = {"lb-a": "systemd\nchronyd\n", "cp-1": "systemd\nchronyd\nsystemd-timesyn\n"}
    with pytest.raises(Broken) as problem:
        clocks.in_sync(said(running=running))
    asked = "sets the clock, which the stack leaves to the hypervisor (networks.ntp is empty)"
    assert str(problem.value) == "; ".join(
        [f"lb-a: chronyd {asked}", f"cp-1: chronyd {asked}", f"cp-1: systemd-timesyn {asked}"]
    )
    with pytest.raises(
        Broken, match=r"^cp-1: systemd-timesyn sets the clock, which the stack leaves to chrony$"
    ):
        clocks.in_sync(said(FOLLOWING, running=running))


def test_a_slow_answer_is_asked_for_again_and_never_taken_for_the_clocks_fault() -> None:
    assert "within 0.30 s" in clocks.in_sync(said(slow={"lb-a": [1.1, 0.3]}))
    with pytest.raises(
        Broken, match=r"^lb-a answers too slowly to tell its clock to within 1 s after 0 s$"
    ):
        clocks.in_sync(said(slow={"lb-a": [1.1] * 99}))


def test_what_a_slow_answer_leaves_open() -> None:
    quick = clocks.reading("btime 9\n1000.5\n", before=1000.0, after=1000.2)
    assert (quick.least, quick.most, quick.booted) == pytest.approx((0.3, 0.5, 9))
    assert quick.decided()
    slow = clocks.reading("btime 9\n1000.5\n", before=999.0, after=1000.2)
    assert (slow.decided(), slow.wrong()) == (False, None)
    late = clocks.reading("btime 9\n1000.5\n", before=990.0, after=999.0)
    assert late.decided()
    assert late.wrong() == "its clock is 1.5 s or more ahead of the runner's"


def test_this_machines_own_clock_is_its_own() -> None:
    before = time.time()
    done = subprocess.run(clocks.READ, capture_output=True, text=True, check=True)
    found = clocks.reading(done.stdout, before, time.time())
    assert found.least <= 0 <= found.most
    assert f"btime {found.booted}\n" in Path("/proc/stat").read_text()


def test_what_is_no_report_is_shown() -> None:
    with pytest.raises(Broken, match="chronyc tracking says 'Reference ID'"):
        clocks.tracking("Reference ID\n")


LACKING = checkers.lacking()


def real(test: Callable[..., None]) -> Callable[..., None]:
    """Marks a test that runs a real chrony."""
    return pytest.mark.root(pytest.mark.skipif(LACKING is not None, reason=LACKING or "")(test))


NTP_SERVER = '''
"""An NTP server of stratum 1 (RFC 5905, figure 8) of a root dispersion in seconds."""
import socket, struct, sys, time

def stamp():
    now = time.time() + 2208988800
    return struct.pack("!II", int(now), int(now % 1 * 2**32))

dispersion = int(float(sys.argv[1]) * 2**16)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", 123))
    open("/run/answers", "w").close()
    while True:
        asked, who = server.recvfrom(512)
        head = struct.pack("!BBbbII4s", 0x24, 1, asked[2], -20, 0, dispersion, b"TEST")
        server.sendto(head + stamp() + asked[40:48] + stamp() + stamp(), who)
'''
# With -x and without the capability, chronyd cannot touch the clock that this machine runs on.
HASTY = ("iburst", "iburst minpoll 0 maxpoll 0")
PATIENT = "maxdistance 16\n"
"""As machines have it, chrony asks eight times, 2 s apart, then every 64 s; it takes no answer
that is late by much, and after one answer guesses at its rate (skew 1e6 ppm), by which whoever is
further off than 3 s is not listened to. On a busy machine that may last minutes, so it asks every
second."""
CHRONY = """
mkdir -p /run/chrony
if [ "$1" != none ]; then
    python3 /ntp.py "$1" &
    until [ -e /run/answers ]; do kill -0 $! || exit 9; sleep 0.05; done
fi
setpriv --bounding-set -sys_time chronyd -x >&2
# What it knows of a busy machine's first answers is wide: its rate is to be known, and half the
# delay with the dispersion to be near what the server says of itself.
[ "$1" = none ] || for each in $(seq 600); do
    chronyc -c -n tracking |
        awk -F, -v most="$1" \
            '{ exit !($14 == "Normal" && $10 < 100000 && $11 / 2 + $12 < most + 0.4) }' && break
    sleep 0.1
done
chronyc -c -n tracking
ps -eo comm=
"""


def chrony(server: str) -> tuple[str, list[str]]:
    """What a real chrony of the machines' own configuration says with a server like that, and the
    processes beside it."""
    config = render("chrony.conf.j2", servers=["127.0.0.1"])
    assert config.count(HASTY[0]) == 1
    done = checkers.run_checker(
        ["sh", "-c", CHRONY, "sh", server],
        {CONFIG: config.replace(*HASTY) + PATIENT, "/ntp.py": NTP_SERVER},
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    report, *processes = done.stdout.splitlines()
    return report, processes


@real
def test_a_real_chrony_with_a_sound_server_is_in_sync() -> None:
    report, processes = chrony("0.001")
    assert set(processes) & set(clocks.DAEMONS) == {"chronyd"}
    found = clocks.tracking(report)
    assert (found.leap, found.wrong()) == ("Normal", None)
    assert found.error < 0.5


@real
@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("none", r"chrony is not synchronised: see 'chronyc sources' there"),
        ("2", r"chrony's clock may be 2\.[0-4] s off: see 'chronyc tracking' there"),
    ],
)
def test_a_real_chrony_without_a_sound_server_is_told(server: str, told: str) -> None:
    report, _ = chrony(server)
    assert re.fullmatch(told, str(clocks.tracking(report).wrong()))


@real
def test_a_real_chronyc_without_its_daemon_fails() -> None:
    done = checkers.run_checker(clocks.TRACKING, {})
    assert (done.returncode, done.stdout) == (1, SILENT)
