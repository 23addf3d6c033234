"""What is told of BGP sessions, on what FRR and BIRD answered.

`captured/` has the answers of router-a in the world of test_router_bgp.py and of lb-a in that of
test_balancer_announced.py (Debian 12: FRR 8.4.4, BIRD 2.0.12), as they came. A neighbour of the
routers', cp-1, was never there; node-2 or worker-1 had just gone, and router-b for the balancer.
"""

from __future__ import annotations

import calendar
import json
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from components.host.speakers import figures
from components.host.speakers.bgpfigures import bird, frr
from components.host.speakers.bgpfigures.__main__ import DAEMONS, asked, main, write
from components.host.speakers.bgpfigures.session import Daemon, Session, text
from components.platform.monitoring import rules
from settings.models import Bgp, Stack
from settings.shape import choices, hints
from tests.components import checked, rendered, stacks
from tests.components.platform import told

UNIT = figures.UNIT_FILE
CAPTURED = Path(__file__).parent / "captured"
ASKED_FRR = 1795801823.4
"""When it was, in Unix time: what FRR tells are seconds before it."""
ASKED_BIRD = calendar.timegm((2026, 11, 27, 17, 47, 57))


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """BIRD tells the time of its machine's zone."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def captured(name: str) -> str:
    return (CAPTURED / name).read_text(encoding="utf-8")


def of_frr(machine: str) -> list[Session]:
    return list(
        frr.read(captured(f"frr-{machine}.json"), captured(f"frr-{machine}-bfd.json"), ASKED_FRR)
    )


def of_bird(machine: str, now: float = ASKED_BIRD) -> list[Session]:
    return list(
        bird.read(captured(f"bird-{machine}.txt"), captured(f"bird-{machine}-bfd.txt"), now)
    )


def at(clock: str) -> float:
    return calendar.timegm(time.strptime(f"2026-11-27 {clock}", "%Y-%m-%d %H:%M:%S"))


def test_frr_on_a_router() -> None:
    assert of_frr("router") == [
        Session("198.18.10.21", "cp-1", "Connect", 0, 0, None, False),
        Session("198.18.10.31", "worker-1", "Established", 1, 0, 1795801813, True),
        Session("198.18.10.32", "worker-2", "Connect", 0, 0, 1795801818, False),
        Session("203.0.113.1", "provider", "Idle", 0, 0, 1795801823, True),
    ]


def test_frr_on_a_balancer() -> None:
    assert of_frr("balancer") == [
        Session("198.18.10.2", "router-a", "Established", 0, 1, 1795801810, True),
        Session("198.18.10.3", "router-b", "Connect", 0, 0, 1795801816, False),
    ]


def test_bird_on_a_router() -> None:
    assert of_bird("router") == [
        Session("203.0.113.1", "provider", "Established", 0, 1, at("17:47:56"), True),
        Session("198.18.10.21", "cp-1", "Connect", 0, 0, at("17:47:37"), False),
        Session("198.18.10.31", "worker-1", "Idle", 0, 0, at("17:47:56"), False),
        Session("198.18.10.32", "worker-2", "Established", 1, 0, at("17:47:49"), True),
    ]


def test_bird_on_a_balancer() -> None:
    assert of_bird("balancer", at("17:48:15")) == [
        Session("198.18.10.2", "router-a", "Established", 0, 1, at("17:48:09"), True),
        Session("198.18.10.3", "router-b", "Established", 0, 1, at("17:48:09"), True),
    ]


@pytest.mark.parametrize(
    ("since", "wanted"),
    [
        ("17:47:56.356", "2026-11-27 17:47:56"),
        ("23:59:59.001", "2026-11-26 23:59:59"),
        ("17:47:58", "2026-11-27 17:47:58"),
        ("2026-11-20", "2026-11-20 00:00:00"),
        ("2026-11-20 08:30:01.250", "2026-11-20 08:30:01"),
    ],
)
def test_birds_clock(since: str, wanted: str) -> None:
    """As `timeformat protocol` has them ("iso short", "iso long"; BIRD user's guide)."""
    head = "session_1  BGP        ---        up     {}  Established   "
    said = captured("bird-balancer.txt").replace(head.format("17:48:09.901"), head.format(since))
    assert said != captured("bird-balancer.txt")
    first = next(iter(bird.read(said, None, ASKED_BIRD)))
    assert first.changed == calendar.timegm(time.strptime(wanted, "%Y-%m-%d %H:%M:%S"))
    assert first.bfd is None


def test_nothing_is_told_of_bfd_where_nobody_asks_it() -> None:
    found = frr.read(captured("frr-balancer.json"), None, ASKED_FRR)
    assert [each.bfd for each in found] == [None, None]


def test_a_neighbour_that_bfd_does_not_watch_has_no_figure_of_it() -> None:
    rows = json.loads(captured("frr-balancer-bfd.json"))[:1]
    found = list(frr.read(captured("frr-balancer.json"), json.dumps(rows), ASKED_FRR))
    assert {each.name: each.bfd for each in found} == {"router-a": None, "router-b": False}


WRITTEN = """\
layered_cloud_bgp_answers{daemon="frr"} 1
layered_cloud_bgp_session_up{peer="198.18.10.2", name="router-a"} 1
layered_cloud_bgp_session_prefixes_received{peer="198.18.10.2", name="router-a"} 0
layered_cloud_bgp_session_prefixes_announced{peer="198.18.10.2", name="router-a"} 1
layered_cloud_bgp_session_changed_timestamp_seconds{peer="198.18.10.2", name="router-a"} 1795801810
layered_cloud_bgp_session_bfd_up{peer="198.18.10.2", name="router-a"} 1
layered_cloud_bgp_session_state{peer="198.18.10.2", name="router-a", state="Established"} 1
"""


def test_what_is_written_of_a_session() -> None:
    first = of_frr("balancer")[0]
    assert text("frr", [first]) == WRITTEN
    never = replace(first, state="Idle", changed=None, bfd=None, name='a "b"\\c')
    lines = text("frr", [never]).splitlines()
    assert lines[1] == r'layered_cloud_bgp_session_up{peer="198.18.10.2", name="a \"b\"\\c"} 0'
    assert not any("changed" in each or "bfd" in each for each in lines)


def test_what_is_written_of_a_daemon_that_does_not_answer() -> None:
    assert text("bird", None) == 'layered_cloud_bgp_answers{daemon="bird"} 0\n'


@pytest.mark.parametrize(
    ("daemon", "said"),
    [
        ("frr", "bgpd is not running\n"),
        ("frr", "% BGP instance not found\n"),
        ("frr", "[]\n"),
        ("frr", "{}\n"),
        ("bird", "Unable to connect to server control socket (/run/bird/bird.ctl): refused\n"),
        ("bird", ""),
    ],
)
def test_words_that_are_no_answer(daemon: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "said"
    path.write_text(said)
    given = replace(DAEMONS[daemon], sessions=("/bin/cat", str(path)))
    assert asked(given, bfd=False) is None


def test_a_daemon_whose_bfd_does_not_answer_is_one_that_does_not_answer(tmp_path: Path) -> None:
    path = tmp_path / "said"
    path.write_text(captured("frr-router.json"))
    given = replace(frr.DAEMON, sessions=("/bin/cat", str(path)), bfd=("/bin/false",))
    assert asked(given, bfd=True) is None
    found = asked(given, bfd=False)
    assert found is not None
    assert len(found) == 4


def test_a_program_that_is_not_there_and_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.host.speakers.bgpfigures.__main__.PATIENCE", 0.2)
    for argv in (("/nonexistent/vtysh",), ("/bin/sleep", "30")):
        assert asked(Daemon(sessions=argv, bfd=(), read=frr.read), bfd=False) is None


def test_the_collector_never_reads_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "it.prom"
    path.write_text("old\n")
    before = path.open()
    write("new\n", path)
    assert before.read() == "old\n", "the old file was written over"
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_the_daemons_are_those_of_the_settings() -> None:
    assert set(DAEMONS) == set(choices(hints(Bgp)["daemon"]))


def test_wrong_words_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["quagga"], ["frr", "vrf"]):
        assert main(words) == 2
    assert "frr|bird" in capsys.readouterr().err


@pytest.mark.parametrize("daemon", DAEMONS)
def test_it_runs_as_it_is_pushed_with_nothing_but_the_standard_library(
    daemon: str, tmp_path: Path
) -> None:
    stack = stacks.announced(daemon)
    whole = rendered.balancer_whole(stack, "lb-a")
    (check,) = (each for each in whole.checks if each.name == "bgp-figures")
    program = tmp_path / Path(figures.PROGRAM).name
    program.mkdir()
    for path, content in rendered.balancer_files(stack, "lb-a").items():
        if path.startswith(figures.PROGRAM):
            (program / Path(path).name).write_text(content)
    words = check.argv[check.argv.index("-m") :]
    done = subprocess.run(
        [sys.executable, "-S", "-B", *words],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert words[2:] == (daemon, "bfd", "--check")


def test_only_machines_that_speak_and_have_an_exporter_tell() -> None:
    for stack, wanted in ((stacks.announced(), 1), (stacks.bgp(), 0), (stacks.lab(), 0)):
        paths = [path for path in rendered.balancer_files(stack, "lb-a") if "bgp.service" in path]
        assert len(paths) == wanted
    config = stacks.announced().model_dump(mode="json")
    config["access"]["node_exporter"] = False
    quiet = Stack.model_validate(config)
    for files in (rendered.balancer_files(quiet, "lb-a"), rendered.router_files(quiet, "router-a")):
        assert not any("bgpfigures" in path for path in files)
        assert figures.UNIT_FILE not in files


def test_bfd_is_asked_only_where_it_is_on() -> None:
    assert "bgpfigures bird bfd\n" in rendered.router_files(stacks.bird(), "router-a")[UNIT]
    config = stacks.bgp().model_dump(mode="json")
    for each in (config["routers"]["bgp"]["inside"], *config["routers"]["bgp"]["upstream"]):
        each["bfd"] = False
    without = Stack.model_validate(config)
    assert "bgpfigures frr\n" in rendered.router_files(without, "router-a")[UNIT]


def test_what_the_rules_and_pages_read_is_what_is_told() -> None:
    """The lines in `figures`, by which panels and alerts are judged, are those of the program."""
    here = told.names(text("frr", of_frr("router"))) | told.names(text("bird", of_bird("router")))
    assert len(here) == 7
    written = {
        name
        for path in told.FIGURES.glob("*.txt")
        for name in told.names(path.read_text("utf-8"))
        if name.startswith("layered_cloud_bgp_")
    }
    assert written == here
    read = set(re.findall(r"layered_cloud_bgp_\w+", rules.FILE.read_text("utf-8")))
    assert read
    assert read <= here


@checked.real
def test_systemd_takes_the_unit() -> None:
    said = checked.judge(
        ("systemd-analyze", "verify", "--man=no", UNIT),
        rendered.balancer_files(stacks.announced(), "lb-a"),
        rendered.balancer_whole(stacks.announced(), "lb-a"),
    )
    assert (said.returncode, said.stderr) == (0, "")
