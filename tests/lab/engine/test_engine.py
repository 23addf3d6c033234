"""The real engine over small inline programs."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pulumi
import pulumi_command as command
import pulumi_tls as tls
import pytest

from lab.engine import EngineError, pending, workspace
from lab.engine import run as running
from lab.engine.process import OwnCommand
from lab.paths import CHECKOUT

PROJECT = {"name": "layered-cloud", "runtime": "python"}
SECRET = "correct-horse-battery"


def program(words: dict[str, str]):
    """Two commands, one of them given a secret, in a component."""

    def run() -> None:
        secret = pulumi.Config("layered-cloud").require_secret("word")
        group = pulumi.ComponentResource("layered-cloud:test:Group", "group")
        options = pulumi.ResourceOptions(parent=group, additional_secret_outputs=["stdout"])
        quiet = command.local.Command(
            "quiet", create="cat", stdin=secret, logging=command.local.Logging.NONE, opts=options
        )
        loud = command.local.Command(
            "loud", create=words["loud"], opts=pulumi.ResourceOptions(parent=group)
        )
        pulumi.export("quiet", quiet.stdout)
        pulumi.export("loud", loud.stdout)

    return run


def begin(run, **more):
    return workspace(
        "lab",
        program=run,
        project=PROJECT,
        secrets={"layered-cloud:word": SECRET},
        **more,
    )


def test_up_then_nothing_then_one_change_then_destroy(cli, state):
    words = {"loud": "echo one"}
    shown: list[str] = []
    with begin(program(words), cli=cli) as engine:
        first = engine.up(on_output=shown.append)
        assert first.changes == {"create": 4}
        assert engine.outputs() == {"quiet": SECRET, "loud": "one"}
        assert engine.secret_outputs() == {"quiet"}

        second = engine.up(on_output=shown.append)
        assert (second.changes, second.changed) == ({"same": 4}, 0)

        words["loud"] = "echo two"
        planned = engine.preview(on_output=shown.append)
        assert planned.changes == {"update": 1, "same": 3}
        (step,) = planned.steps
        assert (step["op"], step["urn"].rsplit("::")[-1], step["diff"]) == (
            "update", "loud", ["create"]
        )  # fmt: skip
        assert '"echo one" => "echo two"' in planned.text
        assert engine.outputs()["loud"] == "one"

        third = engine.up(on_output=shown.append)
        assert third.changes == {"update": 1, "same": 3}
        assert engine.outputs()["loud"] == "two"

        _assert_hidden(engine, state, shown)
        assert engine.destroy(on_output=shown.append).changes == {"delete": 4}
        assert engine.resources() == []


def _assert_hidden(engine, state: Path, shown: list[str]) -> None:
    assert SECRET not in "\n".join(shown)
    assert SECRET not in engine.export_plain_state()
    assert "quiet" in engine.export_plain_state()
    holders = [
        path for path in state.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    assert holders == []
    logs = sorted(engine.workdir.logs.iterdir())
    assert len(logs) == 4
    for path in (engine.workdir.passphrase, *logs):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_run_starts_the_command_line_once_and_outputs_ask_nobody(cli, state, monkeypatch):
    asked = []
    run = OwnCommand.run

    def watched(self, args, *more, **options):
        asked.append(args[0])
        return run(self, args, *more, **options)

    monkeypatch.setattr(OwnCommand, "run", watched)
    with begin(program({"loud": "echo one"}), cli=cli) as engine:
        engine.up()
    assert asked == ["stack", "up"]
    asked.clear()
    with begin(program({"loud": "echo one"}), cli=cli) as engine:
        engine.up()
        assert engine.outputs()["loud"] == "one"
        assert engine.secret_outputs() == {"quiet"}
        assert engine.preview().changed == 0
    assert asked == ["up", "preview"]


def test_the_urns_are_those_of_the_project_and_the_stack(cli, state):
    with begin(program({"loud": "true"}), cli=cli) as engine:
        steps = engine.preview_steps()["steps"]
    urns = {step["urn"] for step in steps}
    assert (
        "urn:pulumi:lab::layered-cloud::layered-cloud:test:Group$command:local:Command::loud"
        in urns
    )
    assert "urn:pulumi:lab::layered-cloud::pulumi:pulumi:Stack::layered-cloud-lab" in urns


def test_a_failure_shows_the_commands_own_words_first_then_the_resource_then_the_log(cli, state):
    with begin(program({"loud": "echo 'line 7: bad option' >&2; exit 2"}), cli=cli) as engine:
        with pytest.raises(EngineError) as failed:
            engine.up()
        lines = str(failed.value).splitlines()
        assert lines[0] == "line 7: bad option"
        assert lines[1].startswith("  (exit status 2: \"echo 'line 7")
        assert lines[2] == "  in loud (command:local:Command)"
        assert lines[-1] == f"The whole log: {failed.value.log}"
        assert "line 7: bad option" in failed.value.log.read_text()
        assert "Traceback" not in str(failed.value)
        # Nothing is left half done in the state: the next run goes on without a question.
        assert not engine.state().get("pending_operations")


class _Told(Exception):
    human = True


def test_an_error_of_the_program_for_people_is_its_text_alone(cli, state):
    def run() -> None:
        raise _Told("layered-cloud:networks.lan: overlaps wan; choose another range")

    with begin(run, cli=cli) as engine, pytest.raises(EngineError) as failed:
        engine.preview()
    assert failed.value.text == "layered-cloud:networks.lan: overlaps wan; choose another range"


def test_a_defect_of_the_program_names_its_place_and_nothing_of_the_engine(cli, state):
    def run() -> None:
        raise KeyError("lan")

    with begin(run, cli=cli) as engine, pytest.raises(EngineError) as failed:
        engine.preview()
    assert failed.value.text.startswith("KeyError: 'lan'\n")
    assert Path(__file__).name in failed.value.text
    assert "automation" not in failed.value.text


def test_an_unknown_property_is_an_error_that_names_it(cli, state):
    def run() -> None:
        args = {"create": "true", "creat": "true"}
        pulumi.CustomResource("command:local:Command", "typo", args)

    with begin(run, cli=cli) as engine, pytest.raises(EngineError) as failed:
        engine.preview()
    assert "creat" in failed.value.text
    assert "did you mean create?" in failed.value.text
    assert "typo (command:local:Command)" in failed.value.text


def test_a_preview_of_an_unknown_value_plans_and_does_not_fail(cli, state):
    def run() -> None:
        key = tls.PrivateKey("key", algorithm="ED25519")
        command.local.Command("show", create="cat", stdin=key.private_key_openssh)

    with begin(run, cli=cli) as engine:
        assert engine.preview().changes == {"create": 3}


def test_a_replacement_is_planned_as_one(cli, state):
    words = {"algorithm": "ED25519"}

    def run() -> None:
        tls.PrivateKey("key", algorithm=words["algorithm"])

    with begin(run, cli=cli) as engine:
        engine.up()
        words["algorithm"] = "ECDSA"
        planned = engine.preview()
        assert planned.changes["replace"] == 1
        urn = next(each["urn"] for each in engine.resources() if each["urn"].endswith("::key"))
        words["algorithm"] = "ED25519"
        before = engine.resources()
        engine.up(replace=[urn])
        assert _ids(engine.resources()) != _ids(before)


def _ids(resources) -> set[str]:
    return {each["id"] for each in resources if each["type"].startswith("tls:")}


def test_a_throw_away_workspace_leaves_nothing_behind(cli, state):
    with begin(program({"loud": "true"}), cli=cli, throw_away=True) as engine:
        engine.preview()
        where = engine.workdir.base
        assert where.exists()
    assert not where.exists()
    assert not state.exists()


def test_two_runs_of_one_stack_do_not_meet_and_a_killed_runs_lock_does_not_stay(cli, state):
    with begin(program({"loud": "true"}), cli=cli) as engine:
        with engine._locked(), pytest.raises(EngineError, match="another run of the stack lab"):
            engine.up()
        lock = engine.workdir.backend / ".pulumi/locks/organization/layered-cloud/lab/left.json"
        lock.parent.mkdir(parents=True)
        lock.write_text(json.dumps({"pid": 1, "username": "u", "hostname": "h"}))
        assert engine.up().changes["create"] == 4
        assert not lock.exists()


def test_a_run_killed_while_it_wrote_a_files_attributes_takes_no_state_with_it(cli, state):
    with begin(program({"loud": "true"}), cli=cli) as engine:
        assert engine.up().changes["create"] == 4
        backend = engine.workdir.backend
        assert list(backend.rglob("*.attrs")) == []
        # What a state of before has, and what is left of one whose writer was killed: nothing.
        files = [each for each in backend.rglob("*.json") if each.is_file()]
        assert any("stacks" in each.parts for each in files)
        for each in files:
            each.with_name(f"{each.name}.attrs").touch()
        assert engine.up().changes == {"same": 4}
        assert list(backend.rglob("*.attrs")) == []


def test_no_program_outlives_its_run(cli, state):
    """It would ask the engine that is gone in the name of the next one."""

    def failing():
        made = [command.local.Command(f"bad-{n}", create="exit 3") for n in range(20)]
        pulumi.export("all", pulumi.Output.all(*(each.stdout for each in made)))

    with begin(failing, cli=cli) as engine:
        for _ in range(3):
            with pytest.raises(EngineError, match="exit status 3"):
                engine.up()
            assert running.programs() == 0


def test_a_state_cut_off_before_it_had_its_name_is_no_stack(cli, state):
    with begin(program({"loud": "true"}), cli=cli) as engine:
        stacks = engine.workdir.backend / ".pulumi/stacks/layered-cloud"
        stacks.mkdir(parents=True)
        (stacks / "lab.json.18a5b3c4d5e6f708.tmp").write_text('{"version": 3')
        assert not engine.exists()
        assert engine.up().changes["create"] == 4


RUNNER = """
    import sys, pulumi, pulumi_command as command
    from lab.engine import workspace

    def run():
        command.local.Command("slow", create="touch {marker}; exec sleep {seconds}")

    project = {{"name": "layered-cloud", "runtime": "python"}}
    with workspace("lab", program=run, project=project) as engine:
        try:
            engine.up()
        except Exception as error:
            print(type(error).__name__, flush=True)
            sys.exit(3)
"""


def _runner(marker: Path, seconds: str) -> subprocess.Popen[str]:
    text = textwrap.dedent(RUNNER).format(marker=marker, seconds=seconds)
    return subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _until(condition, within: float = 60.0) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def _sleepers(seconds: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes() == (
                b"sleep\0" + seconds.encode() + b"\0"
            ):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _left(state: Path) -> list[int]:
    """Processes of a run: those that were given its state."""
    found, given = [], f"LAYERED_CLOUD_STATE={state}".encode()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and given in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_an_interrupt_cancels_in_good_order_and_the_next_run_goes_on(cli, state, tmp_path):
    marker, seconds = tmp_path / "marker", f"600.{os.getpid()}1"
    process = _runner(marker, seconds)
    _until(marker.exists)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out.strip() == "EngineCancelled"
    assert process.returncode == 3
    assert "cancelling: the steps under way are ended" in err
    assert _sleepers(seconds) == []
    with workspace("lab", program=lambda: None, project=PROJECT, cli=cli) as engine:
        assert engine.up().changes.get("create", 0) <= 1


def test_a_killed_run_leaves_no_process_and_the_next_run_goes_on(cli, state, tmp_path):
    marker, seconds = tmp_path / "marker", f"600.{os.getpid()}2"
    process = _runner(marker, seconds)
    _until(marker.exists)
    process.kill()
    process.wait(10)
    _until(lambda: _sleepers(seconds) == [])
    # The engine may be writing its state still.
    _until(lambda: _left(state) == [])
    with workspace("lab", program=lambda: None, project=PROJECT, cli=cli) as engine:
        made = pending.creations(engine.workdir, "lab")
        # None where the engine outlived its plugin for long enough to write that it failed.
        assert all(each.endswith("command:local:Command::slow") for each in made)
        done = engine.up()
        assert done.changes.get("create", 0) <= 1
        # The engine would say at every run from now on that an operation was interrupted.
        assert [each for each in done.warnings if "pending" in each or "interrupted" in each] == []
        assert not engine.state().get("pending_operations")
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stderr.close()


@pytest.fixture
def tree(tmp_path) -> Path:
    tree = tmp_path / "tree"
    (tree / "settings").mkdir(parents=True)
    (tree / "Pulumi.yaml").write_text("name: layered-cloud\nruntime: python\n")
    (tree / "Pulumi.dev.yaml").write_text("config:\n  layered-cloud:size: '3'\n")
    (tree / "settings" / "__init__.py").write_text("WORD = 'of the tree'\n")
    (tree / "__main__.py").write_text(
        "import pulumi, pulumi_command as command\nfrom settings import WORD\n"
        "command.local.Command('say', create=WORD)\n"
        "pulumi.export('size', pulumi.Config('layered-cloud').require('size'))\n"
    )
    return tree


def _command(tree: Path, *more: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "lab.engine", "preview", "--tree", str(tree), *more]
    return subprocess.run(
        argv, cwd=CHECKOUT, capture_output=True, text=True, timeout=100, check=False
    )


def test_the_command_shows_a_plan_and_an_unknown_stack_is_named(cli, state, tree):
    short = _command(tree, "--stack", "dev")
    assert short.returncode == 0, short.stderr
    assert short.stdout.startswith("Plan of dev: 3 create\n")
    assert 'create: "of the tree"' not in short.stdout
    answer = _command(tree, "--stack", "dev", "--full")
    assert answer.returncode == 0, answer.stderr
    assert "command:local:Command: (create)" in answer.stdout
    assert 'create: "of the tree"' in answer.stdout
    assert not state.exists()
    missing = _command(tree, "--stack", "nix")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == (
        "there is no stack nix: Pulumi.nix.yaml is missing; stacks here: dev\n"
    )


def test_the_command_compares_the_plan_with_that_of_another_revision(cli, state, tree):
    def git(*argv: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@lab.test"]
        subprocess.run(["git", "-C", str(tree), *identity, *argv], check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "base")
    (tree / "settings" / "__init__.py").write_text("WORD = 'changed since'\n")
    text = _command(tree, "--stack", "dev", "--base", "HEAD")
    assert text.returncode == 0, text.stderr
    assert "**0 added, 0 removed, 1 changed**" in text.stdout
    assert "@@ create @@\n- of the tree\n+ changed since\n" in text.stdout
    found = json.loads(_command(tree, "--stack", "dev", "--base", "HEAD", "--json").stdout)
    (changes,) = found["changed"].values()
    assert changes == [{"path": "create", "old": "of the tree", "new": "changed since"}]
    unknown = _command(tree, "--stack", "dev", "--base", "nowhere")
    assert unknown.returncode == 1
    assert "--base nowhere: not a revision of this checkout" in unknown.stderr
