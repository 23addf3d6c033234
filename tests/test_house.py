"""The house: who may import whom, how long a module may be, and what is shipped."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from components.host.pair import HEALTH_PORT
from components.loadbalancers import model as balancers
from settings.checks import balancers as checks
from settings.files import inspect, read_config

ROOT = Path(__file__).parent.parent
OURS = ("settings", "components", "policy", "lab", "tests", "__main__")
LONGEST = 330
"""Lines: 300 is the aim, a tenth more is let pass."""

PURE_FORBIDS = (
    "aiohttp",
    "asyncio",
    "asyncssh",
    "http",
    "os",
    "paramiko",
    "pulumi",
    "pulumi_cloudflare",
    "pulumi_command",
    "pulumi_kubernetes",
    "pulumi_proxmoxve",
    "pulumi_tls",
    "random",
    "requests",
    "secrets",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "time",
    "urllib.request",
)
"""What a renderer or a verifier cannot need: the engine, the network, the disk, clock or chance."""
WRITES = ("write_text", "write_bytes", "unlink", "mkdir", "rename", "replace_file", "touch")


@dataclass(frozen=True)
class Import:
    """One import: by which module, of which, on which line."""

    by: str
    of: str
    line: int

    def __str__(self) -> str:
        return f"{self.by}:{self.line} imports {self.of}"


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by dotted name; `room/__init__.py` is `room`."""
    found: dict[str, Path] = {}
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        if relative.parts[0] in (*OURS, "__main__.py"):
            found[".".join(relative.with_suffix("").parts).removesuffix(".__init__")] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


@cache
def imports(name: str) -> tuple[Import, ...]:
    """What a module imports, by absolute dotted name, wherever in the module it does."""
    found: list[Import] = []
    package = name if modules()[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found += [Import(name, alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, base] if base else parent)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.append(Import(name, whole if whole in modules() else base, node.lineno))
    return tuple(found)


def within(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def of_room(room: str) -> Iterator[Import]:
    for name in modules():
        if within(name, room):
            yield from imports(name)


def ours(each: Import) -> bool:
    return within(each.of, *OURS)


def test_settings_import_nothing_of_ours_and_only_the_loader_knows_the_engine() -> None:
    wrong = [each for each in of_room("settings") if ours(each) and not within(each.of, "settings")]
    wrong += [
        each
        for each in of_room("settings")
        if each.of.split(".")[0].startswith("pulumi") and each.by != "settings.loader"
    ]
    assert [str(each) for each in wrong] == []
    assert any(each.of == "pulumi" for each in imports("settings.loader"))


def layers() -> list[str]:
    return sorted(
        {".".join(name.split(".")[:2]) for name in modules() if name.startswith("components.")}
    )


@pytest.mark.parametrize("layer", layers())
def test_a_layer_imports_the_models_and_the_host_and_no_sibling(layer: str) -> None:
    allowed = [layer, "settings.models"]
    if layer != "components.host":
        allowed.append("components.host")
    wrong = [each for each in of_room(layer) if ours(each) and not within(each.of, *allowed)]
    assert [str(each) for each in wrong] == []


def pure_modules() -> list[str]:
    return [
        name
        for name in modules()
        if within(name, "components") and re.search(r"(^|[._])(render|verify)$", name)
    ]


@pytest.mark.parametrize("name", pure_modules())
def test_a_renderer_or_verifier_is_pure(name: str) -> None:
    wrong = [str(each) for each in imports(name) if within(each.of, *PURE_FORBIDS)]
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in ("open", "print", "input", "exec"):
                wrong.append(f"{name}:{node.lineno} calls {called.id}")
            if isinstance(called, ast.Attribute) and called.attr in WRITES:
                wrong.append(f"{name}:{node.lineno} calls {called.attr}")
    assert wrong == []


def test_every_layer_renders_and_verifies_apart_from_its_component() -> None:
    assert {".".join(name.split(".")[:2]) for name in pure_modules()} >= {
        "components.cluster",
        "components.loadbalancers",
        "components.machines",
        "components.routers",
    }


def test_policy_rules_import_nothing_of_ours() -> None:
    wrong = [each for each in of_room("policy") if ours(each) and not within(each.of, "policy")]
    rules = [each for each in of_room("policy.rules") if each.of.split(".")[0].startswith("pulumi")]
    assert [str(each) for each in wrong + rules] == []


def test_nothing_imports_the_lab_but_the_lab_and_the_tests() -> None:
    wrong = [
        str(each)
        for name in modules()
        if not within(name, "lab", "tests")
        for each in imports(name)
        if within(each.of, "lab", "tests")
    ]
    assert wrong == []


def test_the_lab_does_not_import_components_that_make_resources() -> None:
    wrong = [
        str(each)
        for each in of_room("lab")
        if within(each.of, "components") and re.search(r"\.(component|args)$", each.of)
    ]
    wrong += [str(each) for each in of_room("lab") if within(each.of, "tests", "policy")]
    assert wrong == []


def test_the_program_only_wires() -> None:
    if "__main__" not in modules():
        pytest.skip("__main__.py is not there")
    wrong = [
        str(each)
        for each in imports("__main__")
        if ours(each) and not within(each.of, "settings", "components")
    ]
    assert wrong == []


def test_modules_stay_short() -> None:
    long = {
        name: length
        for name, path in modules().items()
        if not within(name, "tests")
        and (length := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert long == {}


def test_what_the_balancers_listen_on_is_what_the_settings_keep_free() -> None:
    fixed = {
        balancers.HTTP_PORT,
        balancers.HTTPS_PORT,
        balancers.ALIVE_PORT,
        HEALTH_PORT,
    }
    assert set(checks.TAKEN) == fixed | {22}


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_a_shipped_stack_is_valid(path: Path) -> None:
    stack, problems = inspect(read_config(path.read_text(encoding="utf-8"), path.name))
    assert stack is not None
    assert [str(each) for each in problems] == []


def test_every_make_target_the_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.MULTILINE))
    named: dict[str, set[str]] = {}
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
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
    words = [each.format("org", io="io") for each in registries]
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
