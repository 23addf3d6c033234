"""The sender of the journal: what its files say, and what a real rsyslogd sends of a real journal
to a receiver that takes RFC 5424 and nothing else."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from components.host.baseline import journal, parts
from components.host.part import Part
from lab.software import checkers
from settings.models import Collector
from tests.components.host.baseline.test_baseline_parts import ARGS
from tests.components.host.booted import Booted, booted, poll

HERE = Collector.model_validate({"address": "127.0.0.1", "queue": 16})

RECEIVER = """
import base64, socket, threading
taken = open("/run/taken", "ab", buffering=0)
def counted(stream):
    while digit := stream.read(1):
        length = b""
        while digit != b" ":
            if not digit.isdigit() or len(length) > 5:
                taken.write(b"BROKEN\\n")
                return
            length += digit
            digit = stream.read(1)
        taken.write(base64.b64encode(stream.read(int(length))) + b"\\n")
listener = socket.create_server(("127.0.0.1", 601))
while True:
    connection = listener.accept()[0]
    threading.Thread(target=counted, args=(connection.makefile("rb"),), daemon=True).start()
"""
"""Messages by octet counting (RFC 6587, section 3.4.1), each a line of base64; whatever is framed
otherwise is BROKEN."""

EMIT = """
import json, socket, struct, subprocess, sys
entries = json.loads(sys.stdin.read())
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.connect("/run/systemd/journal/socket")
for entry in entries:
    field = lambda k, v: k.encode() + b"\\n" + struct.pack("<Q", len(v)) + v + b"\\n"
    sender.send(b"".join(field(k, v.encode()) for k, v in entry.items()))
subprocess.run(["journalctl", "--sync"], check=True)
"""
"""Entries to journald in its own protocol, in which a value may hold anything. journald looks up
whose they are when it reads them, so that whoever ends before is of no unit."""

MESSAGE = re.compile(
    rb"<\d{1,3}>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}(?:Z|[+-]\d\d:\d\d) "
    rb"[!-~]{1,255} (?P<app>[!-~]{1,48}) [!-~]{1,128} (?P<id>[!-~]{1,32}) "
    rb"- (?P<text>.*)",
    re.DOTALL,
)
"""RFC 5424, section 6, without structured data."""


def part() -> Part:
    (found,) = (
        each
        for each in parts.parts(replace(ARGS, collector=HERE).model())
        if each.name == "journal"
    )
    return found


def test_a_machine_whose_lines_nobody_collects_sends_none() -> None:
    assert "journal" not in {each.name for each in parts.parts(ARGS.model())}


def test_a_machine_opens_no_port_for_it() -> None:
    assert part().ports == ()


@dataclass(frozen=True)
class Line:
    """A message as the receiver read it."""

    app: str
    id: str
    text: str


class Site:
    """A booted machine that sends its journal to itself."""

    def __init__(self, machine: Booted) -> None:
        self.machine = machine
        self.receive()
        machine.sh(f"systemctl daemon-reload; systemctl enable --quiet --now {journal.UNIT}")
        self.emit({"MESSAGE": "first", "SYSLOG_IDENTIFIER": "test"})
        self.told("first")

    def receive(self) -> None:
        self.machine.sh("systemd-run --quiet --unit=receiver python3 /usr/local/lib/receiver.py")
        poll(lambda: self.machine.sh("ss -Hltn 'sport = :601'"), 60, "the receiver listens")

    def silence(self) -> None:
        self.machine.sh("systemctl stop receiver")

    def emit(self, *entries: dict[str, str]) -> None:
        done = self.machine.run(
            *("systemd-run", "--quiet", "--pipe", "--wait", "--unit=speaker"),
            *("python3", "/usr/local/lib/emit.py"),
            stdin=json.dumps(entries),
        )
        assert done.status == 0, done.err

    def lines(self) -> list[Line]:
        found = []
        for taken in (self.machine.text("/run/taken") or "").splitlines():
            assert taken != "BROKEN"
            message = MESSAGE.fullmatch(base64.b64decode(taken))
            assert message is not None, base64.b64decode(taken)
            found.append(Line(*(message[key].decode() for key in ("app", "id", "text"))))
        return found

    def told(self, text: str, seconds: float = 90) -> list[Line]:
        """The messages with that text, once there is one."""

        def come() -> list[Line]:
            return [each for each in self.lines() if text in each.text]

        return list(poll(come, seconds, f"{text!r} at the receiver"))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    reason = checkers.lacking()
    if reason is not None:
        pytest.skip(reason)
    files = {
        **part().texts(),
        "/usr/local/lib/receiver.py": RECEIVER,
        "/usr/local/lib/emit.py": EMIT,
    }
    with booted("journal", tree=checkers.item().path / "root", files=files) as machine:
        yield Site(machine)


pytestmark = [pytest.mark.timeout(600)]
real = pytest.mark.root


@real
def test_rsyslogd_takes_its_file_without_a_word_of_error(site: Site) -> None:
    (check,) = part().checks
    said = site.machine.run(*check.argv)
    assert said.status == 0
    assert "error" not in said.err.lower()


@real
def test_a_line_says_which_unit_wrote_it(site: Site) -> None:
    site.emit({"MESSAGE": "plain words", "SYSLOG_IDENTIFIER": "shop"})
    (line,) = site.told("plain words")
    assert line == Line(app="shop", id="speaker.service", text="plain words")


def escaped(text: str) -> str:
    """As rsyslog shows control characters: by three octal digits."""
    return re.sub(r"[\x00-\x1f\x7f]", lambda found: f"#{ord(found[0]):03o}", text)


@real
@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ('x 1 access - {"request_id":"forged"}', "blanks in a name"),
        ("x\n<134>1 2026-01-01T00:00:00Z h haproxy 1 access - {}", "a line in a name"),
        ("haproxy[1 access]", "a process in a name"),
        ("y", 'two\n<134>1 2026-01-01T00:00:00Z h haproxy 1 access - {"request_id":"forged"}'),
        ("y", '31 <134>1 2026-01-01T00:00:00Z h haproxy 1 access - {} "quotes" \x1b[2J \x07'),
    ],
    ids=["blanks", "newline", "brackets", "two lines", "a frame"],
)
def test_whatever_a_process_calls_itself_or_says_is_one_message_and_no_access_log(
    site: Site, identifier: str, text: str
) -> None:
    before = len(site.lines())
    mark = f"mark-{before}"
    site.emit(
        {"MESSAGE": text, "SYSLOG_IDENTIFIER": identifier},
        {"MESSAGE": mark, "SYSLOG_IDENTIFIER": "test"},
    )
    site.told(mark)
    ours = [each for each in site.lines()[before:] if each.id == "speaker.service"]
    assert [each.text for each in ours] == [escaped(text), mark]
    assert not any(each.id == "access" for each in site.lines())


@real
def test_the_access_log_does_not_come_twice_and_its_own_words_not_at_all(site: Site) -> None:
    access = '{"time":"2026-01-01T00:00:00.000Z","request_id":"1"}'
    site.emit(
        {"MESSAGE": access, "SYSLOG_IDENTIFIER": "haproxy"},
        {"MESSAGE": "Proxy started.", "SYSLOG_IDENTIFIER": "haproxy"},
    )
    site.told("Proxy started.")
    assert not any(access in each.text for each in site.lines())
    assert not any(each.id == journal.UNIT for each in site.lines())


@real
def test_lines_of_while_nobody_took_them_wait_on_the_disk_and_over_a_restart(site: Site) -> None:
    """But for those that are just being handed over."""
    site.silence()
    wanted = [f"waited {number:04}" for number in range(2500)]
    entries = [{"MESSAGE": each, "SYSLOG_IDENTIFIER": "test"} for each in wanted]
    for start in range(0, len(entries), 500):
        site.emit(*entries[start : start + 500])
    queue = site.machine.root / journal.FOLDER.lstrip("/")

    def on_disk() -> list[Path]:
        return list(queue.glob("127.0.0.1-601.0*"))

    poll(on_disk, 60, "the queue is on the disk")
    site.machine.sh(f"systemctl restart {journal.UNIT}")
    site.receive()

    def all_but_a_batch() -> bool:
        come = {each.text for each in site.lines()}
        return len(set(wanted) - come) <= 16

    poll(all_but_a_batch, 120, "the lines that waited")


@real
def test_a_machine_that_says_nothing_says_so(site: Site) -> None:
    """With a second between two such lines in the place of ten minutes."""
    own = part().texts()[journal.CONFIG]
    often = own.replace(f'interval="{journal.MARK_SECONDS}"', 'interval="1"')
    assert often != own

    def marks() -> list[Line]:
        return [each for each in site.lines() if each.text == "-- MARK --"]

    assert marks() == []
    config = site.machine.root / journal.CONFIG.lstrip("/")
    config.write_text(often)
    site.machine.sh(f"systemctl restart {journal.UNIT}")
    poll(lambda: len(marks()) > 1, 60, "two marks")
    config.write_text(own)
    site.machine.sh(f"systemctl restart {journal.UNIT}")
    assert set(marks()) == {Line(app=journal.NAME, id=journal.UNIT, text="-- MARK --")}


@real
def test_one_that_ends_is_noticed(site: Site) -> None:
    (service,) = part().services
    assert service.health is not None
    assert site.machine.run(*service.health.argv).status == 0
    site.machine.sh(f"systemctl stop {journal.UNIT}")
    assert site.machine.run(*service.health.argv).status != 0
    site.machine.sh(f"systemctl start {journal.UNIT}")


@real
def test_the_packages_own_unit_does_not_write_the_journal_a_second_time(site: Site) -> None:
    site.machine.run("systemctl", "start", "rsyslog.service")
    assert site.machine.run("systemctl", "is-active", "rsyslog.service").out.strip() == "inactive"
    assert site.machine.text("/var/log/syslog") is None
