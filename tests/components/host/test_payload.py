"""What travels on standard input."""

from __future__ import annotations

import ast
import base64
import bz2
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from components.host import payload
from components.host.agent import store
from components.host.packages import Repository
from tests.components.host import demo

HOST = Path(__file__).parents[3] / "components" / "host"


def test_the_command_line_is_one_constant_and_a_verb() -> None:
    lines = {payload.command_line(verb).removesuffix(verb) for verb in ("apply", "delete", "check")}
    assert lines == {"python3 -c 'import json,sys;r=json.load(sys.stdin);exec(r[\"boot\"])' "}


def test_a_request_survives_the_way_to_the_machine() -> None:
    wish = demo.request("base", {"/etc/x": "quotes ' \" \\ and ünïcode\n\ttabs $(no) `no`\n"})
    assert payload.request_of(payload.document(wish)) == wish


def test_the_program_holds_every_module_of_the_agent() -> None:
    modules = {path.stem for path in (HOST / "agent").glob("*.py")}
    assert modules == set(payload.AGENT)
    unpacked = bz2.decompress(base64.b64decode(payload.program())).decode()
    assert unpacked == payload.unpacked()
    for module in modules:
        assert f"\n#==> agent/{module}.py\n" in unpacked


def test_the_agent_needs_the_standard_library_alone() -> None:
    import sys

    for path in (HOST / "agent").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            foreign = [n for n in names if n.split(".")[0] not in sys.stdlib_module_names]
            assert not foreign, f"{path.name} imports {foreign}"


def test_both_sides_name_a_request_alike() -> None:
    wish = demo.request("base", {"/etc/x": "ä\n"})
    travelled = json.loads(payload.document(wish))["request"]
    assert store.generation(travelled) == payload.generation(wish)


@pytest.mark.parametrize("key", ["resource", "epoch", "layer"])
def test_a_generation_depends_on_who_pushes_what(key: str) -> None:
    wish = demo.request("base", {"/etc/x": "a"})
    assert payload.generation({**wish, key: "other"}) != payload.generation(wish)


def test_a_repository_without_a_key_or_components_has_no_such_lines() -> None:
    flat = Repository(name="kubernetes", uris=("http://192.0.2.4/k",), suites=("./",))
    assert payload.sources(flat) == "Types: deb\nURIs: http://192.0.2.4/k\nSuites: ./\n"


def test_a_check_request_can_be_limited_to_layers() -> None:
    assert payload.request_of(payload.check_request()) == {"layers": None}
    assert payload.request_of(payload.check_request(["baseline"])) == {"layers": ["baseline"]}


def test_the_script_on_the_machine_is_shellcheck_clean() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("needs shellcheck")
    script = HOST / "scripts" / "push.sh"
    done = subprocess.run(
        ["shellcheck", "--enable=all", "--exclude=SC2310,SC2311,SC2312,SC2250", str(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
