"""The certificate that a balancer orders: when, how, and what becomes of what has come."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.host.packages import named
from components.loadbalancers import args, certbot, haproxy, keepalived
from components.loadbalancers.model import ORDERED_CERTIFICATE, Rooms
from ops.checks.certificates import Found, ending
from settings.models import DISTRIBUTIONS, Stack
from tests.components import rendered, stacks
from tests.issued import Pair, made

NAMES = ["lab.test", "www.lab.test"]
DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory"


def order_of(stack: Stack) -> Any:
    found = args.order(stacks.machines(stack, "balancer"), stack.balancers)
    assert found is not None
    return found


def loaded(text: str, folder: Path) -> Any:
    """The script as a module."""
    path = folder / "order"
    path.write_text(text)
    loader = SourceFileLoader("order", str(path))
    spec = spec_from_loader("order", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def issued(days: float, left: float, name: str = "site") -> Pair:
    """One that lives for `days`, of which `left` are left."""
    ends = datetime.now(UTC) + timedelta(days=left)
    return made(name, begins=ends - timedelta(days=days), ends=ends, names=tuple(NAMES))


@dataclass
class Machine:
    """A balancer on which the script runs: its folders, and programs that do as they are told.

    `brings` is what certbot brings, None where the authority refuses; `takes` whether HAProxy takes
    what has come, `reloads` whether it is reloaded with it.
    """

    folder: Path
    stack: Stack = field(default_factory=stacks.ordered)
    brings: Pair | None = None
    takes: bool = True
    reloads: bool = True
    ran: list[Sequence[str]] = field(default_factory=list)
    trusted: list[str] = field(default_factory=list)

    @property
    def shown(self) -> Path:
        return self.folder / "certbot.pem"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def keep(self, pair: Pair) -> None:
        """What certbot writes."""
        live = self.state / "config/live/site"
        live.mkdir(parents=True, exist_ok=True)
        (live / "fullchain.pem").write_text(pair.pem)
        (live / "privkey.pem").write_text(pair.key_pem)

    def had(self, pair: Pair, names: list[str] | None = None) -> None:
        """It ordered `pair` before, and shows it."""
        self.keep(pair)
        told = {"names": names or NAMES, "directory": DIRECTORY}
        (self.state / "ordered.json").write_text(json.dumps(told))
        self.shown.write_text(pair.pem + pair.key_pem)

    def run(self, argv: Sequence[str], *, check: bool, **how: Any) -> Any:
        if argv[0] == "openssl":
            return subprocess.run(argv, check=check, **how)  # the real one
        self.ran.append(argv)
        if argv[0] == "certbot":
            if bundle := how["env"].get("REQUESTS_CA_BUNDLE"):
                self.trusted.append(Path(bundle).read_text())
            if self.brings is not None:
                self.keep(self.brings)
            return SimpleNamespace(returncode=0 if self.brings else 1)
        good = self.takes if argv[0].endswith("haproxy") else self.reloads
        return SimpleNamespace(returncode=0 if good else 1)

    def orders(self) -> int:
        """Run the script; its status."""
        text = rendered.balancer_files(self.stack, "lb-a")[certbot.SCRIPT]
        text = text.replace(certbot.STATE, str(self.state))
        text = text.replace(certbot.NEW, str(self.folder / "certbot.key"))
        text = text.replace(ORDERED_CERTIFICATE, str(self.shown))
        text = text.replace(f"'{certbot.AUTHORITIES}'", f"'{self.folder}/authorities.pem'")
        script = loaded(text, self.folder)
        script.subprocess = SimpleNamespace(run=self.run, DEVNULL=subprocess.DEVNULL)
        script.await_answers = lambda: None
        status: int = script.main()
        return status

    @property
    def programs(self) -> list[str]:
        return [argv[0].rpartition("/")[2] for argv in self.ran]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(folder=tmp_path)


def text(pair: Pair) -> str:
    return pair.pem + pair.key_pem


def test_the_first_one_is_judged_by_haproxy_and_then_shown(machine: Machine) -> None:
    machine.brings = issued(90, 90)

    assert machine.orders() == 0
    assert machine.programs == ["certbot", "haproxy", "layered-reload"]
    assert machine.shown.read_text() == text(machine.brings)
    assert machine.shown.stat().st_mode & 0o777 == 0o600
    assert machine.orders() == 0
    assert len(machine.ran) == 3, "nothing more is done while it will do"


@pytest.mark.parametrize(
    ("days", "left", "due"),
    [(90, 34, False), (90, 32, True), (6, 2.3, False), (6, 2.1, True), (365, 34, False)],
)
def test_one_is_due_by_its_life_before_checks_and_alerts_speak(
    machine: Machine, days: float, left: float, *, due: bool
) -> None:
    old = issued(days, left)
    machine.had(old)
    machine.brings = issued(days, days)

    assert machine.orders() == 0
    assert ("certbot" in machine.programs) == due
    told = ending([Found(where="here", pem=old.pem, renewal="")], datetime.now(UTC))
    assert told == [], "nobody is told of one that is renewed in time"


def test_other_names_are_ordered_at_once(machine: Machine) -> None:
    machine.had(issued(90, 80), names=["lab.test"])
    machine.brings = issued(90, 90)

    assert machine.orders() == 0
    assert machine.shown.read_text() == text(machine.brings)


def test_what_the_authority_refuses_leaves_the_shown_one_and_is_a_failure(machine: Machine) -> None:
    old = issued(90, 10)
    machine.had(old)

    assert machine.orders() == 1
    assert machine.programs == ["certbot"]
    assert machine.shown.read_text() == text(old)


@pytest.mark.parametrize("fault", ["takes", "reloads"])
def test_one_that_haproxy_does_not_take_never_stays_and_no_other_is_ordered(
    machine: Machine, fault: str
) -> None:
    old = issued(90, 10)
    machine.had(old)
    machine.brings = issued(90, 90)
    setattr(machine, fault, False)

    assert machine.orders() == 1
    assert machine.shown.read_text() == text(old)
    assert machine.orders() == 1
    assert machine.programs.count("certbot") == 1, "an authority counts what it signs"
    setattr(machine, fault, True)
    assert machine.orders() == 0
    assert machine.programs.count("certbot") == 1
    assert machine.shown.read_text() == text(machine.brings)
    assert not (machine.folder / "certbot.key").exists()


def test_a_first_one_that_haproxy_is_not_reloaded_with_leaves_the_placeholder(
    machine: Machine,
) -> None:
    machine.brings, machine.reloads = issued(90, 90), False

    assert machine.orders() == 1
    assert not machine.shown.exists()


def test_an_authority_of_ones_own_is_trusted_beside_everybody_elses(machine: Machine) -> None:
    machine.stack, machine.brings = stacks.ordered_by_records(), issued(90, 90)
    (machine.folder / "authorities.pem").write_text("ours\n")

    assert machine.orders() == 0
    (trusted,) = machine.trusted
    assert trusted.endswith("ours\n")
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    assert not system.exists() or trusted.startswith(system.read_text())


def test_an_order_by_answers_waits_for_every_balancer_and_not_for_ever(tmp_path: Path) -> None:
    script = loaded(rendered.balancer_files(stacks.ordered(), "lb-a")[certbot.SCRIPT], tmp_path)
    clock = iter(range(0, 10_000, 10))
    asked: list[tuple[str, int]] = []

    def connect(where: tuple[str, int], timeout: float) -> Any:
        asked.append(where)
        if where[0] == "198.18.10.12" and len(asked) < 200:
            raise ConnectionRefusedError
        return SimpleNamespace(close=lambda: None)

    script.socket = SimpleNamespace(create_connection=connect)
    script.time = SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None)
    script.await_answers()

    assert asked[:2] == [("198.18.10.11", 8411), ("198.18.10.12", 8411)]
    assert asked.count(asked[0]) == 1
    assert 25 < len(asked) < 40, "five minutes of ten seconds each"


def test_the_token_stands_in_one_file_that_only_root_reads() -> None:
    part = certbot.part(order_of(stacks.ordered_by_records()))
    holding = [each for each in part.files if each.secrets]

    assert [(each.path, each.mode, each.secrets) for each in holding] == [
        (certbot.CREDENTIALS, "0600", (certbot.TOKEN,))
    ]
    texts = part.texts()
    assert [path for path in texts if f"@@{certbot.TOKEN}@@" in texts[path]] == [
        certbot.CREDENTIALS
    ]
    assert not [each for each in certbot.part(order_of(stacks.ordered())).files if each.secrets]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_plugin_of_records_is_installed_where_it_is_needed(name: str) -> None:
    row = DISTRIBUTIONS[name]  # type: ignore[index]
    needed = {
        stack: [
            each.name for each in named(certbot.part(order_of(stacks.NAMED[stack]())).packages, row)
        ]
        for stack in ("ordered", "ordered-by-records")
    }

    assert needed == {
        "ordered": ["certbot"],
        "ordered-by-records": ["certbot", "python3-certbot-dns-cloudflare"],
    }


def test_the_command_line_orders_every_name_of_the_stack_of_its_authority() -> None:
    for stack in (stacks.ordered(), stacks.ordered_by_records()):
        argv, wanted = certbot.argv(order_of(stack)), stack.balancers.certificate
        given = [argv[index + 1] for index, word in enumerate(argv) if word == "-d"]
        assert given == wanted.names
        assert wanted.acme is not None
        assert argv[argv.index("--server") + 1] == wanted.acme.directory
        assert ("--standalone" in argv) == (wanted.acme.challenge == "http-01")


def test_questions_pass_every_rule_behind_them_and_nothing_else_does() -> None:
    text = rendered.balancer_files(stacks.ordered(), "lb-a")[haproxy.ROUTES]
    allowed = text.index("http-request allow if challenge_path challenge_host METH_GET\n")

    assert text.count("http-request allow") == 1
    assert allowed < text.index("http-request redirect scheme https")
    assert allowed > text.index("http-request deny deny_status 501 if { method CONNECT TRACE }")
    assert "acl challenge_path path -m beg /.well-known/acme-challenge/\n" in text
    assert "challenge" not in rendered.balancer_files(stacks.lab(), "lb-a")[haproxy.ROUTES]


def test_only_balancers_may_ask_each_other() -> None:
    answers = rendered.balancer_files(stacks.ordered(), "lb-a")[certbot.ANSWERS]

    assert (
        "    tcp-request connection reject unless { src 198.18.10.11 198.18.10.12 }\n"
        "    server certbot 127.0.0.1:8412\n"
    ) in answers
    assert answers == rendered.balancer_files(stacks.ordered(), "lb-b")[certbot.ANSWERS]
    by_records = rendered.balancer_files(stacks.ordered_by_records(), "lb-a")
    assert certbot.ANSWERS not in by_records
    assert "challenge" not in by_records[haproxy.ROUTES]


def test_who_has_no_certificate_yet_is_not_preferred() -> None:
    asked = {
        name: rendered.balancer_files(stack, "lb-a")[keepalived.SERVES]
        for name, stack in (("ordered", stacks.ordered()), ("lab", stacks.lab()))
    }

    assert f"[ -e {ORDERED_CERTIFICATE} ] || exit 1\n" in asked["ordered"]
    assert ORDERED_CERTIFICATE not in asked["lab"]


@pytest.mark.parametrize("most", [100, 600, 10_000])
def test_answers_have_room_of_their_own(most: int) -> None:
    for shares in (False, True):
        rooms = Rooms.of(most, shares_tables=shares, answers=True)
        assert rooms.service + rooms.api + (4 + shares) * rooms.own == most
        assert min(rooms.api, rooms.service) >= 10
