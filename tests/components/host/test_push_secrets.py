"""Secrets and actions on a booted machine: where they go, and where they never do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.host import payload
from tests.components.host import demo
from tests.components.host.booted import Booted, booted

pytestmark = [pytest.mark.root, pytest.mark.timeout(180)]

SECRET = "xyzzy-plugh-4711"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQ-fee-fie-foe\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def machine() -> Iterator[Booted]:
    with booted("dev-host") as it:
        yield it


def wish(text: str = "advert 0.3\npassword @@auth@@\n") -> dict[str, Any]:
    return demo.request(
        "base",
        {},
        contents=[
            demo.content("/etc/demo/a.conf", text, "0600", placeholders=("auth",)),
            demo.content("/etc/demo/site.pem", "", "0600", secret=True),
        ],
    )


def deposit(auth: str = SECRET, key: str = KEY) -> dict[str, Any]:
    secrets = {"/etc/demo/a.conf#auth": auth, "/etc/demo/site.pem": key}
    return payload.deposit(layer="base", secrets=secrets, epoch="1")


class Watch:
    """Reads every command line and environment of the machine for as long as it is open."""

    def __init__(self, machine: Booted) -> None:
        self.init = machine.init
        self.seen: set[str] = set()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self.done.wait(0.002):
            for process in Path("/proc").glob("[0-9]*"):
                for part in ("cmdline", "environ"):
                    try:
                        self.seen.add((process / part).read_bytes().decode(errors="replace"))
                    except OSError:
                        continue

    def __enter__(self) -> Watch:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()


def test_secrets_reach_their_files_alone(machine: Booted) -> None:
    with Watch(machine) as watch:
        assert machine.ask("deposit", deposit()).status == 0
        assert machine.ask("apply", wish()).status == 0
        machine.ask("apply", wish("nonsense @@auth@@\n"))
    assert any("push.sh" in line for line in watch.seen)
    assert not [line for line in watch.seen if SECRET in line or "fee-fie" in line]
    assert machine.text("/etc/demo/a.conf") == f"advert 0.3\npassword {SECRET}\n"
    assert machine.text("/etc/demo/site.pem") == KEY
    holders = machine.sh(
        f"grep -rlE '{SECRET}|fee-fie' /etc /var /run /tmp /root 2>/dev/null || true"
    ).split()
    assert machine.sh(f"stat -c %a:%U {' '.join(holders)} | sort -u") == "600:root"
    assert not [path for path in holders if path.startswith(("/run/layered", "/var/log", "/tmp"))]
    journal = machine.sh("journalctl --no-pager")
    assert SECRET not in journal
    assert "fee-fie" not in journal


def test_a_checkers_words_do_not_give_a_secret_away(machine: Booted) -> None:
    machine.ask("deposit", deposit())
    answer = machine.ask("apply", wish("nonsense @@auth@@\n"))
    assert answer.err.startswith(
        "demod: /etc/demo/a.conf:1: unknown keyword 'nonsense' in: nonsense <secret>\n"
    )


def test_a_new_secret_is_a_push_of_its_own(machine: Booted) -> None:
    machine.ask("deposit", deposit())
    machine.ask("apply", wish())
    answer = machine.ask("deposit", deposit(auth="another-value"))
    assert (answer.status, answer.err) == (0, "1 file(s) changed; reloaded demo.service\n")
    assert "password another-value" in (machine.text("/run/demo.state") or "")
    assert machine.check()[0]["drift"] == []
    assert machine.ask("deposit", deposit(auth="another-value")).err == "unchanged\n"
    assert machine.ask("apply", wish()).err == "unchanged\n"


def test_a_secret_the_daemon_refuses_is_not_kept(machine: Booted) -> None:
    machine.ask("deposit", deposit())
    machine.ask("apply", wish())
    answer = machine.ask("deposit", deposit(auth="nonsense"))
    assert answer.status == 1
    assert answer.err.startswith("demod: /etc/demo/a.conf:2: unknown keyword")
    assert machine.text("/etc/demo/a.conf") == f"advert 0.3\npassword {SECRET}\n"
    assert machine.ask("apply", wish()).err == "unchanged\n"


def test_a_secret_that_was_never_given_is_named(machine: Booted) -> None:
    answer = machine.ask("apply", wish())
    assert answer.status == 1
    assert answer.err.startswith(
        "/etc/demo/a.conf needs a secret that this machine was never given "
        "(/etc/demo/a.conf#auth); raise the epoch"
    )


def test_withdrawn_secrets_are_gone_once_nothing_needs_them(machine: Booted) -> None:
    machine.ask("deposit", deposit())
    machine.ask("apply", wish())
    assert machine.ask("withdraw", deposit()).err == "left alone: the set in force needs them\n"
    machine.ask("delete", wish())
    assert machine.ask("withdraw", deposit()).err == "forgotten\n"
    machine.sh("rm /run/demo.loads")
    assert not machine.sh(f"grep -rl '{SECRET}' /etc /var /run || true")


def action(**over: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "resource": "m-init",
        "name": "init",
        "guard": "test -e /root/done",
        "do": 'cp "$SECRETS/token" /root/done; echo ran >> /root/count',
        "undo": "rm /root/done",
        "result": "tr a-z A-Z < /root/done",
        "secrets": {"token": SECRET},
        "epoch": "1",
        "seconds": 30,
    }
    return payload.action(**{**given, **over})


def test_an_action_is_done_once_and_its_result_read_every_time(machine: Booted) -> None:
    with Watch(machine) as watch:
        first = machine.ask("act", action())
        assert (first.status, first.out) == (0, f"{SECRET.upper()}\n")
        assert first.err == "done\n"
        second = machine.ask("act", action(epoch="2"))
    assert (second.out, second.err) == (first.out, "already done\n")
    assert machine.text("/root/count") == "ran\n"
    assert not [line for line in watch.seen if SECRET in line]
    assert not machine.sh(f"grep -rl {SECRET} /run /var /etc || true")
    assert SECRET not in machine.sh("journalctl --no-pager")


def test_an_action_that_fails_says_why_without_its_secrets(machine: Booted) -> None:
    answer = machine.ask("act", action(do='echo "bad token $(cat $SECRETS/token)" >&2; exit 7'))
    assert answer.status == 1
    assert answer.out == ""
    assert answer.err.splitlines() == [
        "bad token <secret>",
        "'do' of the action 'init' failed (exit status 7)",
    ]


def test_an_action_whose_guard_does_not_hold_afterwards_fails(machine: Booted) -> None:
    answer = machine.ask("act", action(do="true"))
    assert answer.status == 1
    assert "succeeded, yet its guard does not hold" in answer.err


def test_an_action_is_undone_only_by_the_generation_that_the_machine_names(
    machine: Booted,
) -> None:
    machine.ask("act", action())
    machine.ask("act", action(epoch="2"))
    assert machine.ask("undo", action()).err == (
        "left alone: the machine does not name this action\n"
    )
    assert machine.text("/root/done") == SECRET
    assert machine.ask("undo", action(epoch="2")).err == "undone\n"
    assert machine.text("/root/done") is None
