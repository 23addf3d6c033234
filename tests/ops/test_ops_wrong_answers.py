"""What is told when outputs, machines or the API say something else than they should: a line with
what to do, within the time, never a traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops import cli, pipe, transport
from ops.checks import kubernetes
from ops.look import look
from ops.question import command
from ops.site import Lacking, site
from tests.components import stacks
from tests.ops import ops_world as world

ROOT = Path(__file__).parents[2]
WELL = world.outputs(stacks.lab())


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(WELL))
    change(found)
    return found


def of_lb(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda found: found["inventory"]["machines"]["lb-a"].update({name: value})


def of_each_address(found: dict[str, Any]) -> None:
    for number, row in enumerate(found["inventory"]["machines"].values()):
        row["addresses"] = {"management": f"203.0.113.{number}", "lan": f"192.0.2.{number}"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda found: found.update(inventory="x"), "inventory of stack lab has another form"),
        (lambda found: found.update(inventory=["x"]), "inventory of stack lab has another form"),
        (lambda found: found.update(inventory={"hosts": 1}), "has no 'machines'"),
        (lambda found: found["inventory"].update(machines=[]), "another form"),
        (lambda found: found["inventory"]["machines"].update({"lb-a": "x"}), "another form"),
        (of_lb("role", "bastion"), "another form"),
        (of_lb("port", "ssh"), "another form"),
        (of_lb("port", None), "another form"),
        (of_lb("host_key", f"{world.HOST_KEY}\n* {world.HOST_KEY}"), "another form"),
        (of_lb("host_key", None), "another form"),
        (of_lb("addresses", ["198.18.0.21"]), "another form"),
        (of_lb("addresses", {"lan": "198.18.10.11"}), "has no 'management'"),
        (lambda found: found.update(api_endpoints=["x"]), "output api_endpoints of stack lab"),
        (lambda found: found.update(urls=4711), "output urls of stack lab"),
        (
            lambda found: found.update(deploy_key="[secret]"),
            "deploy_key of stack lab is no private",
        ),
        (of_each_address, "they are of different stacks; next: --settings and --outputs"),
    ],
)
def test_outputs_of_another_form_are_told_with_the_next_step(
    change: Callable[[dict[str, Any]], Any], told: str
) -> None:
    with pytest.raises(Lacking) as refused:
        site("lab", stacks.lab(), changed(change))
    assert told in str(refused.value)
    assert "; next: " in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe{", b"[]", b"null", b'{"a": ', b"[" * 100_000, b'{"inventory": "\xe9"}'],
)
def test_a_file_that_is_no_outputs_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    path = tmp_path / "outputs.json"
    path.write_bytes(data)
    words = ["--settings", str(ROOT / "Pulumi.lab.yaml"), "--outputs", str(path)]
    assert cli.main(["check", *words]) == cli.UNASKED
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path} is no JSON object of outputs; next: pulumi stack output" in line


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (r"printf '\377\376' >&2; exit 7", "pulumi stack output: \ufffd\ufffd; next: "),
        ("exit 7", "pulumi stack output: status 7; next: pulumi stack ls"),
        (r"printf 'error: one\n\n  two\n' >&2; exit 7", "pulumi stack output: error: one two; "),
        (r"printf '{\377}'", "pulumi stack output is no JSON object of outputs; next: "),
    ],
)
def test_a_pulumi_that_says_anything_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    program: str,
    told: str,
) -> None:
    file = tmp_path / "pulumi"
    file.write_text(f"#!/bin/sh\n{program}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    words = ["--stack", "lab", "--settings", str(ROOT / "Pulumi.lab.yaml")]
    assert cli.main(["check", *words]) == cli.UNASKED
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes an `ssh` that is this program: what a machine, or somebody in its place, may say."""

    def made(program: str) -> None:
        file = tmp_path / "ssh"
        file.write_text(f"#!{sys.executable}\nimport sys, time\n{program}\n")
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return made


def say(text: str) -> str:
    return f"sys.stdin.read(); sys.stdout.write({text!r})"


ANSWER = {"status": 0, "out": "x", "err": "", "seconds": 0.1}


def telling(**rows: Any) -> str:
    return say(json.dumps({"begun": 1.0, "ended": 2.0, "answers": {"kernel": ANSWER}, **rows}))


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (say(""), "cannot be read"),
        (say("Welcome!\n{}"), "cannot be read"),
        (say("null"), "cannot be read"),
        (say("[" * 100_000), "cannot be read"),
        (say('{"begun": 1, "ended": 2, "answers": {"kernel": {"sta'), "cannot be read"),
        (telling(answers=[ANSWER]), "cannot be read"),
        (telling(answers={"kernel": "x"}), "cannot be read"),
        (telling(answers={"kernel": {**ANSWER, "out": None}}), "cannot be read"),
        (telling(answers={"kernel": {**ANSWER, "status": "0"}}), "cannot be read"),
        (telling(answers={"kernel": {**ANSWER, "seconds": float("nan")}}), "cannot be read"),
        (telling(ended="soon"), "cannot be read"),
        (telling(ended=float("inf")), "cannot be read"),
        (r"sys.stdin.read(); sys.stdout.buffer.write(b'\xff\xfe\x00')", "cannot be read"),
        (r"sys.stderr.buffer.write(b'\xff gone\n'); sys.exit(255)", "\ufffd gone"),
        ("sys.exit(255)", "status 255"),
        ("time.sleep(600)", "no answer within 3 s"),
        ("while True: sys.stdout.write('x' * 65536)", "more than 64 MB"),
        ("while True: sys.stderr.write('x' * 65536)", "no answer within 3 s"),
        (
            r"sys.stderr.write('@@@@\n@  WARNING  @\n@@@@\nIt is also possible that a host key has"
            r" just been changed.\nHost key verification failed.\n'); sys.exit(255)",
            "just been changed. Host key verification failed.",
        ),
    ],
)
def test_a_machine_that_says_anything_is_silent_and_says_why(
    ssh: Callable[[str], None], program: str, told: str
) -> None:
    ssh(program)
    lb = next(each for each in world.lab().machines if each.name == "lb-a")
    begun = time.monotonic()
    with transport.access(world.DEPLOY_KEY, [lb]) as way:
        found = transport.ask(way, lb, [command("kernel", "uname", "-r")], seconds=3)
    assert time.monotonic() - begun < 20
    assert found.answers == {}
    assert told in str(found.silent)
    assert "\n" not in str(found.silent)
    assert "@" not in str(found.silent)


def test_an_answer_of_the_right_form_is_one(ssh: Callable[[str], None]) -> None:
    ssh(telling())
    lb = world.lab().machines[0]
    with transport.access(world.DEPLOY_KEY, [lb]) as way:
        found = transport.ask(way, lb, [command("kernel", "uname", "-r")], seconds=20)
    assert found.silent is None
    assert found.answers["kernel"].out == "x"


def test_what_is_asked_goes_in_whole_while_it_answers() -> None:
    given = bytes(range(256)) * 4000
    assert pipe.said(["cat"], given, 20) == (0, given, b"")
    with pytest.raises(pipe.Silent, match="more than 0 MB"):
        pipe.said(["cat"], given, 20, most=1000)


GARBAGE = ("", "\x00", "[]", "{}", "null", "4711", "[[[[", '[{"x": 1}]', '{"items": 5}', "a b c\n")


@pytest.mark.parametrize("said", GARBAGE)
def test_any_answer_to_any_question_is_judged_and_shown(
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    seen = world.seen()
    machines = {
        name: replace(answers, answers={key: world.answer(said) for key in answers.answers})
        for name, answers in seen.machines.items()
    }
    seen = replace(seen, machines=machines, here={kubernetes.HERE: world.answer(said)})

    def stood_in(*_: Any, **__: Any) -> Any:
        return seen

    monkeypatch.setattr(cli, "look", stood_in)
    monkeypatch.setattr(cli, "given", lambda *_: seen.site)
    outputs: Mapping[str, list[str]] = {
        "check": [],
        "status": [],
        "report": ["--to", str(tmp_path / "r.html")],
    }
    for name, words in outputs.items():
        assert cli.main([name, "--stack", "lab", *words]) == 1
    inspected = ["--to", str(tmp_path / "i.tar.gz"), "--outputs", "x"]
    assert cli.main(["inspect", "--stack", "lab", *inspected]) == 0
    assert "Traceback" not in capsys.readouterr().err


def test_settings_that_have_a_machine_more_than_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that was written and not made yet."""
    found = changed(lambda found: found["inventory"]["machines"].pop("worker-2"))
    here = site("lab", stacks.lab(), found)
    seen = world.seen()
    machines = {name: each for name, each in seen.machines.items() if name != "worker-2"}
    rows = world.judged(replace(seen, site=here, machines=machines))
    assert not [row.wrong for row in rows.values() if "KeyError" in " ".join(row.wrong)]


@pytest.mark.parametrize("command_", ["report", "inspect"])
def test_a_file_that_cannot_be_written_is_one_line(
    command_: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    seen = world.seen()
    monkeypatch.setattr(cli, "look", lambda *_, **__: seen)
    monkeypatch.setattr(cli, "given", lambda *_: seen.site)
    path = tmp_path / "none" / "file"
    words = [command_, "--stack", "lab", "--outputs", "x", "--to", str(path)]
    assert cli.main(words) == cli.UNASKED
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"{path}: No such file or directory; next: --to FILE where there is room"


def test_who_reads_no_further_is_no_fault(tmp_path: Path) -> None:
    found = changed(lambda _: None)
    for row in found["inventory"]["machines"].values():
        row["port"] = 1
    (tmp_path / "o.json").write_text(json.dumps(found))
    program = "import sys; from ops import cli; cli.look = lambda *_, **__: SEEN; "
    program += "sys.exit(cli.main(sys.argv[1:]))"
    seen = "from tests.ops import ops_world; SEEN = ops_world.seen(); "
    words = ["check", "--settings", str(ROOT / "Pulumi.lab.yaml")]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", seen + program, *words, "--outputs", str(tmp_path / "o.json")],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 141


@pytest.fixture
def server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Something that listens where the API should."""
    listening = socket.create_server(("127.0.0.1", 0))

    def begun(speak: Callable[[socket.socket], None]) -> str:
        def serve() -> None:
            while True:
                try:
                    caller, _ = listening.accept()
                    with caller:
                        speak(caller)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{listening.getsockname()[1]}"

    yield begun
    listening.close()


def drip(caller: socket.socket) -> None:
    while True:
        caller.sendall(b"\x16")
        time.sleep(0.1)


@pytest.mark.parametrize(
    "speak",
    [
        lambda caller: caller.sendall(b"SSH-2.0-x\r\n"),
        lambda caller: caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"),
        lambda caller: caller.close(),
        drip,
    ],
)
def test_whatever_answers_in_the_place_of_the_api_is_a_row_that_fails(
    server: Callable[[Callable[[socket.socket], None]], str],
    monkeypatch: pytest.MonkeyPatch,
    speak: Callable[[socket.socket], None],
) -> None:
    monkeypatch.setattr("ops.look.HERE_SECONDS", 1)
    monkeypatch.setattr("ops.look.ask_all", lambda *_, **__: {})
    found = changed(lambda found: found["api_endpoints"].update(management=server(speak)))
    authority = world.base64.b64encode(world.ISSUED.pem.encode()).decode()
    found["kubeconfig"] = f"certificate-authority-data: {authority}"
    begun = time.monotonic()
    answer = look(site("lab", stacks.lab(), found), []).here[kubernetes.HERE]
    assert time.monotonic() - begun < 15
    assert answer.status != 0
    assert answer.err.startswith("https://127.0.0.1:")


@pytest.mark.parametrize("authority", ["AAAA", "====", "w6k="])
@pytest.mark.parametrize("endpoint", ["127.0.0.1:1", "127.0.0.1:port", "a b", "[::"])
def test_a_kubeconfig_of_garbage_is_a_row_that_fails(
    monkeypatch: pytest.MonkeyPatch, authority: str, endpoint: str
) -> None:
    monkeypatch.setattr("ops.look.ask_all", lambda *_, **__: {})
    found = changed(lambda found: found["api_endpoints"].update(management=endpoint))
    found["kubeconfig"] = f"certificate-authority-data: {authority}"
    answer = look(site("lab", stacks.lab(), found), []).here[kubernetes.HERE]
    assert answer.status == 1
    assert answer.err
