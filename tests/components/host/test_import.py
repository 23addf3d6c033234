"""A file for an appliance: the program that takes it there, against an SSH server on loopback, and
the resource that runs it, on a mock engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import resources
from pathlib import Path

import asyncssh
import pulumi
import pytest

from components.host import Connection, HostImport, HostImportArgs, LayerError, Machine
from components.host.errors import HostError
from components.host.imported import LARGEST
from tests.components.host.appliance import Answer, Appliance
from tests.components.mocks import Registered, run_program

PROGRAM = (resources.files("components.host") / "scripts" / "import.sh").read_text("utf-8")
COMMAND = "command:local:Command"
HUSH = "hush"

pytestmark = pytest.mark.skipif(shutil.which("sftp") is None, reason="needs OpenSSH's client")


def whole(line: str, files: Path) -> str:
    """An appliance with which all goes well."""
    name = line.removeprefix("read ")
    text = (files / name).read_text("utf-8")
    return "confirmed\n" if name.startswith("confirm-") else f"armed\n{text}\ndone\n"


class World:
    """Appliances, and the program run against one."""

    def __init__(self, stack: ExitStack, tmp_path: Path) -> None:
        self.stack, self.path = stack, tmp_path

    def appliance(self, answer: Answer = whole) -> Appliance:
        files = self.path / "files"
        files.mkdir()
        made = Appliance(files, answer)
        self.stack.callback(made.stop)
        return made

    def run(self, to: Appliance, **over: str) -> subprocess.CompletedProcess[str]:
        given = {
            **{"TEXT": "a line\nand another\n", "CONFIRMATION": "yes\n", "FILE": "it.rsc"},
            **{"READER": "read {file}", "ARMED": "armed", "DONE": "done"},
            **{"CONFIRMED": "confirmed", "CONFIRM_SECONDS": "2", "HOST": "127.0.0.1"},
            **{"PORT": str(to.port), "LOGIN": "layered", "HOST_KEY": to.public_key},
            **{"DIAL_ATTEMPTS": "1", "DIAL_SECONDS": "5"},
            "TMPDIR": str(self.path),
            "PATH": os.environ["PATH"],
        }
        return subprocess.run(
            ["/bin/sh", "-c", PROGRAM],
            input=over.pop("key", to.private_key),
            env={**given, **over},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def left(self) -> list[str]:
        """What lies in the folder for temporary files."""
        return [each.name for each in self.path.iterdir() if each.name != "files"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack, tmp_path)


def test_a_text_is_read_and_confirmed_over_a_new_connection(world: World) -> None:
    to = world.appliance()
    done = world.run(to)

    assert (done.returncode, done.stdout, done.stderr) == (0, "confirmed\n", "")
    assert to.lines == ["read it.rsc", "read confirm-it.rsc"]
    assert (to.files / "it.rsc").read_text("utf-8") == "a line\nand another\n"
    assert to.connections == 4
    assert world.left() == [], "no key, no text"


def test_an_error_fails_the_update_whatever_the_status_is(world: World) -> None:
    to = world.appliance(lambda line, files: "syntax error (line 7 column 3)\n")
    done = world.run(to)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "127.0.0.1 did not get to the end of it.rsc:",
        "syntax error (line 7 column 3)",
        "Nothing was changed on it.",
    ]
    assert to.lines == ["read it.rsc"], "and nothing is confirmed"


def test_half_a_change_is_told_to_be_taken_back(world: World) -> None:
    to = world.appliance(lambda line, files: "armed\nfailure: no such interface\n")
    done = world.run(to)

    assert done.returncode == 1
    assert "Its old configuration returns within 2 s, with a restart." in done.stderr
    assert to.lines == ["read it.rsc"]


def test_a_change_that_shuts_the_way_in_is_not_confirmed(world: World) -> None:
    to: Appliance

    def shut(line: str, files: Path) -> str:
        to.closed = True
        return "armed\ndone\n"

    to = world.appliance(shut)
    done = world.run(to)

    assert done.returncode == 1
    assert done.stderr.startswith(
        "127.0.0.1 was changed, and nobody could confirm it over a new connection:\n"
    )
    assert done.stderr.endswith("Its old configuration returns within 2 s, with a restart.\n")
    assert to.lines == ["read it.rsc"]
    assert world.left() == []


def test_a_way_in_that_is_back_in_time_is_enough(world: World) -> None:
    to: Appliance
    seen: list[str] = []

    def late(line: str, files: Path) -> str:
        seen.append(line)
        if len(seen) == 2:
            return "failure: not yet\n"
        return whole(line, files)

    to = world.appliance(late)
    done = world.run(to, CONFIRM_SECONDS="20")

    assert (done.returncode, done.stdout) == (0, "confirmed\n")
    assert to.lines == ["read it.rsc", "read confirm-it.rsc", "read confirm-it.rsc"]


def test_another_host_key_ends_it_at_once(world: World) -> None:
    to = world.appliance()
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    done = world.run(to, HOST_KEY=other, DIAL_ATTEMPTS="20")

    assert done.returncode == 1
    assert done.stderr == (
        f"127.0.0.1 answers with another host key than the one it is known by: {other}\n"
    )
    assert to.lines == []


def test_a_key_that_nobody_lets_in_ends_it_at_once(world: World) -> None:
    to = world.appliance()
    done = world.run(to, LOGIN="admin", DIAL_ATTEMPTS="20")

    assert done.returncode == 1
    assert done.stderr.startswith("127.0.0.1 does not let the deploy key in as admin: ")
    assert "Permission denied (publickey)" in done.stderr
    assert to.lines == []


def test_a_key_that_is_none_is_told_and_not_shown(world: World) -> None:
    to = world.appliance()
    done = world.run(to, key=f"-----BEGIN {HUSH}-----\n")

    assert done.returncode == 1
    assert done.stderr.startswith("The deploy key cannot be read: ")
    assert HUSH not in done.stderr
    assert to.connections == 0


def test_an_appliance_that_boots_is_waited_for(world: World) -> None:
    to = world.appliance()
    to.closed = True
    tried: list[int] = []

    def opens() -> None:
        tried.append(to.connections)
        to.closed = False

    to.refuses = opens
    done = world.run(to, DIAL_ATTEMPTS="10")

    assert (done.returncode, done.stdout) == (0, "confirmed\n")
    assert tried == [1]


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_program_passes_shellcheck(tmp_path: Path) -> None:
    script = tmp_path / "import.sh"
    script.write_text(PROGRAM)
    said = subprocess.run(
        ["shellcheck", "--severity=style", "--shell=sh", str(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout) == (0, "")


# --- the resource


def imported(**over: object) -> Registered:
    def program() -> None:
        machine = Machine(
            name="router-a",
            role="router",
            addresses={},
            interfaces={},
            connection=Connection(
                host="198.18.0.11",
                port=2200,
                user="layered",
                private_key=pulumi.Output.secret(HUSH),
                host_key="ssh-ed25519 AAAA",
            ),
            vm=None,
            host=None,
            entry=(pulumi.CustomResource("test:index:Gate", "gate"),),
        )
        before = pulumi.CustomResource("test:index:Before", "before")
        args = HostImportArgs(
            **{
                **{"machine": machine, "reader": "read {file}", "file": "it.rsc"},
                **{"text": pulumi.Output.from_input("it\n"), "confirmation": "yes\n"},
                **{"armed": "armed", "done": "done", "confirmed": "confirmed"},
                "confirm_seconds": 75,
                **over,
            }
        )
        HostImport("router-a-routers", args, pulumi.ResourceOptions(depends_on=[before]))

    return run_program(program)


def test_the_text_is_shown_and_the_key_is_a_secret_on_standard_input() -> None:
    seen = imported()
    command = seen.one(COMMAND, "router-a-routers")

    assert command.inputs["create"] == command.inputs["update"] == PROGRAM
    assert command.secret_inputs == {"stdin"}
    assert command.inputs["stdin"] == HUSH
    environment = command.inputs["environment"]
    assert (environment["TEXT"], environment["CONFIRMATION"]) == ("it\n", "yes\n")
    where = [environment[key] for key in ("HOST", "PORT", "LOGIN", "HOST_KEY")]
    assert where == ["198.18.0.11", "2200", "layered", "ssh-ed25519 AAAA"]
    assert HUSH not in str(environment)
    assert not {"delete", "triggers"} & set(command.inputs)
    waited = {seen.one(f"test:index:{each.title()}", each).urn for each in ("before", "gate")}
    assert waited <= command.dependencies


@pytest.mark.parametrize("reader", ["read it", "read {file}\nand more"])
def test_a_reader_names_the_file_in_one_line(reader: str) -> None:
    with pytest.raises(HostError, match="must be one command line in which"):
        imported(reader=reader)


def test_a_text_beyond_what_can_be_handed_over_is_refused() -> None:
    with pytest.raises(LayerError, match=f"at most {LARGEST} can be handed over"):
        imported(text="#" * (LARGEST + 1))


# --- a text that is no file


def reads(world: World, answer: Answer) -> Appliance:
    """An appliance that reads its standard input."""
    files = world.path / "files"
    files.mkdir()
    made = Appliance(files, answer, reads=True)
    world.stack.callback(made.stop)
    return made


def told(line: str, files: Path) -> str:
    """What it says to a text, or to a question whether it is there."""
    text = (files / Appliance.INPUT).read_text("utf-8")
    return {"yes\n": "confirmed\n", "": ""}.get(text, f"armed\n{text}\ndone\n")


WITHOUT = {"FILE": "", "READER": "console"}


def test_a_text_goes_by_standard_input_and_is_confirmed_over_a_new_connection(world: World) -> None:
    to = reads(world, told)
    done = world.run(to, **WITHOUT)

    assert (done.returncode, done.stdout, done.stderr) == (0, "confirmed\n", "")
    assert to.lines == ["true", "console", "true", "console"]
    assert to.connections == 4
    assert world.left() == [], "no key, no text"


def test_what_a_reader_says_without_an_end_fails_the_update(world: World) -> None:
    to = reads(world, lambda line, files: "layered: no such interface\n" * (line == "console"))
    done = world.run(to, **WITHOUT)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "127.0.0.1 did not get to the end of the text:",
        "layered: no such interface",
        "Nothing was changed on it.",
    ]


def test_an_appliance_without_a_way_in_is_told_in_the_end(world: World) -> None:
    to = reads(world, told)
    to.closed = True
    done = world.run(to, **WITHOUT)

    assert done.returncode == 1
    assert done.stderr.startswith("127.0.0.1 does not take the text: ")


def test_a_reader_of_standard_input_names_no_file() -> None:
    assert (
        imported(reader="console", file=None)
        .one(COMMAND, "router-a-routers")
        .inputs["environment"]["FILE"]
        == ""
    )
    with pytest.raises(HostError, match="must be one command line in which"):
        imported(reader="console {file}", file=None)


def test_a_new_virtual_machine_gets_it_again_and_a_gone_one_is_not_asked() -> None:
    def seen(incarnation: str) -> Registered:
        def program() -> None:
            vm = pulumi.CustomResource("test:index:Vm", "router-a")
            machine = Machine(
                name="router-a",
                role="router",
                addresses={},
                interfaces={},
                connection=Connection(
                    host="198.18.0.11", private_key=HUSH, host_key="ssh-ed25519 AAAA"
                ),
                vm=vm,
                host="pve1",
                incarnation=incarnation,
            )
            args = HostImportArgs(
                **{"machine": machine, "reader": "console", "file": None},
                **{"text": "it\n", "confirmation": "yes\n", "confirm_seconds": 75},
                **{"armed": "armed", "done": "done", "confirmed": "confirmed"},
            )
            HostImport("router-a-routers", args)

        return run_program(program)

    first, second = seen("one"), seen("two")
    commands = [each.one(COMMAND, "router-a-routers") for each in (first, second)]
    keys = [each.inputs["environment"]["HOST_KEY"] for each in commands]
    assert keys[0] != keys[1]
    assert [key.split()[:2] for key in keys] == [["ssh-ed25519", "AAAA"]] * 2
    assert commands[0].deleted_with == first.one("test:index:Vm", "router-a").urn
