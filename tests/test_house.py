"""The house: what is pure, how long a module may be, and what is shipped.

Who may import whom: the import contracts of pyproject.toml and tests/test_import_contracts.py.
"""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from settings.files import inspect, read_config
from tests.import_contracts import concerned, tree

ROOT = Path(__file__).parent.parent
OURS = ("settings", "components", "policy", "ops", "lab", "benchmark", "tests", "__main__")
LONGEST = 330
"""Lines: 300 is the aim, a tenth more is let pass."""

WRITES = ("write_text", "write_bytes", "unlink", "mkdir", "rename", "replace_file", "touch")


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by dotted name; `room/__init__.py` is `room`."""
    found: dict[str, Path] = {}
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        if relative.parts[0] in (*OURS, "__main__.py"):
            found[".".join(relative.with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def within(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def pure_modules() -> list[str]:
    """What the import contract "who makes parts, renders or verifies is pure" is about."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contract = next(each for each in linter["contracts"] if each["type"] == "pure")
    return [
        name
        for name in modules()
        if within(name, "components")
        and concerned(tree(name), makers=contract["makers"], definitions=contract["definitions"])
    ]


@pytest.mark.parametrize("name", pure_modules())
def test_a_pure_module_neither_writes_nor_prints(name: str) -> None:
    """What it imports, the import contract judges."""
    wrong = []
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in ("open", "print", "input", "exec"):
                wrong.append(f"{name}:{node.lineno} calls {called.id}")
            if isinstance(called, ast.Attribute) and called.attr in WRITES:
                wrong.append(f"{name}:{node.lineno} calls {called.attr}")
    assert wrong == []


def test_every_layer_has_pure_modules() -> None:
    assert {".".join(name.split(".")[:2]) for name in pure_modules()} >= {
        "components.cluster",
        "components.host",
        "components.loadbalancers",
        "components.machines",
        "components.platform",
        "components.routers",
    }


def test_the_program_only_wires() -> None:
    """It stands outside every package, where the import contracts do not look."""
    program = ast.parse((ROOT / "__main__.py").read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(program)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported & set(OURS) <= {"settings", "components"}


def test_modules_stay_short() -> None:
    long = {
        name: length
        for name, path in modules().items()
        if not within(name, "tests")
        and (length := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert long == {}


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_a_shipped_stack_is_valid(path: Path) -> None:
    stack, problems = inspect(read_config(path.read_text(encoding="utf-8"), path.name))
    assert stack is not None
    assert [str(each) for each in problems] == []


def test_every_make_target_the_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.MULTILINE))
    named: dict[str, set[str]] = {}
    for path in [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        code = re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL)
        for piece in code:
            for target in re.findall(r"(?<![\w-])make ([a-z][a-z-]*)", piece):
                named.setdefault(target, set()).add(path.name)
    assert {"up", "down", "test", "preview"} <= set(named)
    assert {target: where for target, where in named.items() if target not in targets} == {}


def shipped_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if listed.returncode != 0:
        pytest.skip(f"git cannot list the files here: {listed.stderr.strip()}")
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    # Put together here, so that this file does not name them.
    registries = ["pypi.{}", "pythonhosted.{}", "registry.npmjs.{}", "crates.{io}", "deb.debian.{}"]
    registries += ["packages.cloud.google.{com}"]
    words = [each.format("org", io="io", com="com") for each in registries]
    words += [f"proxy.golang.{'org'}", f"sum.golang.{'org'}", f"/wo{'rk'}/"]
    wrong = []
    for path in shipped_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{path.relative_to(ROOT)}: {word}" for word in words if word in text]
    assert wrong == []


def test_no_file_of_this_project_holds_a_private_key_or_ciphertext() -> None:
    wrong = []
    key = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{200,}")
    for path in shipped_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if key.search(text) or re.search(r"^\s*secure: v1:[A-Za-z0-9+/=]{16}:", text, re.MULTILINE):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []
