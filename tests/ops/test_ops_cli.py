"""The commands as they are called: where outputs come from, what is printed, how it exits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from ops import cli, terminal
from ops.checks.model import Check, Seen
from ops.site import Site
from tests.components import stacks
from tests.ops import ops_world as world

ROOT = Path(__file__).parents[2]
PULUMI = """#!/bin/sh
echo "$@" >>"$LOG"
[ "$FAIL" = "" ] || { echo "error: no stack named 'prod' found" >&2; exit 255; }
case $1 in
config) echo '{"layered-cloud:bgpPasswords": {"value": "inside=xyzzy-4711", "secret": true},
    "layered-cloud:environment": {"value": "127.0.0.1", "secret": false}}' ;;
*) cat "$OUTPUTS" ;;
esac
"""


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    """A folder with the stack's file, and a `pulumi` that tells its outputs."""
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(PULUMI)
    program.chmod(0o755)
    text = (ROOT / "Pulumi.lab.yaml").read_text(encoding="utf-8")
    (tmp_path / "Pulumi.prod.yaml").write_text(text, encoding="utf-8")
    found = world.outputs(stacks.lab())
    # Nobody answers there, at once.
    for row in found["inventory"]["machines"].values():
        row["addresses"]["management"] = "127.0.0.1"
        row["port"] = 1
    found["api_endpoints"]["management"] = "127.0.0.1:1"
    (tmp_path / "outputs.json").write_text(json.dumps(found))
    return {
        **os.environ,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "LOG": str(tmp_path / "log"),
        "OUTPUTS": str(tmp_path / "outputs.json"),
        "FAIL": "",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(tmp_path),
        "XDG_RUNTIME_DIR": "",
    }


def ops(env: dict[str, str], *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops", *words],
        cwd=Path(env["LOG"]).parent,
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_outputs_are_pulumis_own_and_machines_that_do_not_answer_are_rows(
    given: dict[str, str],
) -> None:
    done = ops(given, "check", "--stack", "organisation/project/prod", "--json")
    assert done.returncode == 1, done.stderr
    rows = json.loads(done.stdout)
    assert {tuple(row) for row in rows} == {("name", "ok", "seconds", "detail")}
    machines = {f"{each.name} answers" for each in world.lab().machines}
    answering = [row for row in rows if row["name"] in machines]
    assert len(answering) == len(machines)
    assert all("Connection refused" in row["detail"] for row in answering)
    assert Path(given["LOG"]).read_text() == (
        "stack output --json --show-secrets --stack organisation/project/prod --non-interactive\n"
    )
    assert list(Path(given["TMPDIR"]).glob("layered-cloud-ops-*")) == []
    assert "Traceback" not in done.stderr


def test_outputs_may_come_from_a_file_or_standard_input(given: dict[str, str]) -> None:
    settings = ("--settings", "Pulumi.prod.yaml")
    text = Path(given["OUTPUTS"]).read_text()
    for words, stdin in (("outputs.json", ""), ("-", text)):
        done = ops(given, "status", *settings, "--outputs", words, stdin=stdin)
        assert done.returncode == 1, done.stderr
        assert "router-a" in done.stdout
        assert world.DEPLOY_KEY not in done.stdout
    assert not Path(given["LOG"]).exists()


def test_a_bug_report_is_written_without_what_the_configuration_keeps_secret(
    given: dict[str, str],
) -> None:
    folder = Path(given["LOG"]).parent
    found = json.loads(Path(given["OUTPUTS"]).read_text())
    found["urls"] = ["https://xyzzy-4711.lab.test", "https://echo.lab.test"]
    Path(given["OUTPUTS"]).write_text(json.dumps(found))
    done = ops(given, "inspect", "--stack", "prod")
    assert (done.returncode, done.stdout) == (0, "prod-inspect.tar.gz\n"), done.stderr
    with tarfile.open(folder / "prod-inspect.tar.gz") as tar:
        texts = {
            each.name: (tar.extractfile(each) or pytest.fail()).read().decode() for each in tar
        }
    assert [name for name, text in texts.items() if "xyzzy" in text] == []
    told = json.loads(texts["prod-inspect/outputs.json"])
    assert told["urls"] == ["https://<masked>.lab.test", "https://echo.lab.test"]
    assert told["inventory"]["machines"]["lb-a"]["addresses"]["management"] == "127.0.0.1"
    assert Path(given["LOG"]).read_text().splitlines() == [
        "stack output --json --show-secrets --stack prod --non-interactive",
        "config --json --show-secrets --stack prod --non-interactive",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--stack", "prod"], "no stack named 'prod' found; next: pulumi stack ls"),
        (["--stack", "none", "--outputs", "outputs.json"], "Pulumi.none.yaml: No such file"),
        (["--stack", "prod", "--outputs", "none.json"], "none.json: No such file"),
        (["--stack", "prod", "--outputs", "Pulumi.prod.yaml"], "is no JSON object of outputs"),
        (["--stack", "prod", "--outputs", "empty.json"], "have no inventory; next: pulumi up"),
        (["--stack", "prod", "--outputs", "older.json"], "no 'python' of a machine"),
        ([], "which stack? next: --stack NAME"),
    ],
)
def test_what_cannot_be_had_is_told_with_the_next_step(
    given: dict[str, str], words: list[str], told: str
) -> None:
    folder = Path(given["LOG"]).parent
    (folder / "empty.json").write_text("{}")
    older = json.loads(Path(given["OUTPUTS"]).read_text())
    for row in older["inventory"]["machines"].values():
        del row["python"]
    (folder / "older.json").write_text(json.dumps(older))
    done = ops({**given, "FAIL": "1"}, "check", *words)
    assert done.returncode == cli.UNASKED
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stack_file_with_errors_is_told_as_everywhere(given: dict[str, str]) -> None:
    path = Path(given["LOG"]).parent / "Pulumi.prod.yaml"
    path.write_text(path.read_text().replace("vrid: 71", "vrid: 710"))
    done = ops(given, "check", "--stack", "prod")
    assert done.returncode == cli.UNASKED
    assert "balancers.vips[0].vrid" in done.stderr


def looked(monkeypatch: pytest.MonkeyPatch, found: Seen) -> None:
    def look(site: Site, checks: tuple[Check, ...]) -> Seen:
        return found

    monkeypatch.setattr(cli, "look", look)
    monkeypatch.setattr(cli, "given", lambda *_: found.site)


def test_all_well_is_a_tick_each_and_status_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looked(monkeypatch, world.seen())
    assert cli.main(["check", "--stack", "lab"]) == 0
    said = capsys.readouterr().out
    assert "✗" not in said
    assert [line for line in said.splitlines() if line and line[0] != " "][:-1] == [
        *("machines", "routers", "balancers", "cluster"),
    ]
    assert cli.main(["status", "--stack", "lab"]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) <= 24
    assert "✗" not in said


def test_a_failure_comes_with_what_to_do_and_where_it_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sick = world.services("haproxy.service", active="failed")
    looked(monkeypatch, world.seen(changed={"lb-b": {"services": sick}}))
    assert cli.main(["check", "--stack", "lab"]) == 1
    said = capsys.readouterr().out
    assert (
        "  ✗ daemons run and answer their probes\n"
        "      lb-b: haproxy.service is failed\n"
        "      do: read `systemctl status UNIT`"
    ) in said
    assert "      see: docs/host.md#on-the-machine\n" in said
    assert cli.main(["status", "--stack", "lab"]) == 1
    said = capsys.readouterr().out
    assert "✗ machines   1 of 7 do not hold" in said
    assert "✗ lb-b" in said


def test_what_a_machine_says_cannot_move_the_terminals_cursor() -> None:
    sick = world.services("x.service", status=1, said="\x1b[2J\rall well")
    rows = list(world.judged(world.seen(changed={"lb-b": {"services": sick}})).values())
    said = "".join(terminal.check(rows, colour=False))
    assert "all well" in said
    assert not any(ord(each) < 32 for each in said)
