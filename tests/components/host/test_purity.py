"""What is pure, judged by what it imports: no engine, whatever a module calls itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.import_contracts import called, tree

ROOT = Path(__file__).parents[3]
KNOWS_THE_ENGINE = (
    *("__init__", "args", "baselines", "component"),
    *("asking", "control_plane", "control_planes", "founding", "handed_out", "maintenance"),
    *("release", "upgrade", "worker"),
    *("appliance", "contract", "kind", "kinds"),
)
MAKES_PARTS = "components.host.part.Part"


def rooms() -> list[str]:
    """Folders of which all is pure but what is named above: those with a model or with parts, and
    every kind of router."""
    found = []
    for folder in sorted(path.parent for path in ROOT.joinpath("components").rglob("__init__.py")):
        room = ".".join(folder.relative_to(ROOT).parts)
        modules = [f"{room}.{path.stem}" for path in folder.glob("*.py")]
        if (
            (folder / "model.py").exists()
            or room.startswith("components.routers.")
            or any(MAKES_PARTS in called(tree(each)) for each in modules)
        ) and room != "components.host":
            found.append(room)
    return found


PURE = (
    "components.host.packages",
    "components.host.part",
    "components.host.payload",
    "components.host.text",
    *(
        f"{room}.{path.stem}"
        for room in rooms()
        for path in sorted(ROOT.joinpath(*room.split(".")).glob("*.py"))
        if path.stem not in KNOWS_THE_ENGINE
    ),
)


def test_the_rooms_are_found_by_what_is_in_them() -> None:
    assert {
        "components.cluster",
        "components.host.baseline",
        "components.host.pair",
        "components.loadbalancers",
        "components.routers",
        "components.routers.linux",
    } <= set(rooms())


def file_of(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    found = [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.exists()]
    return found[0] if found else None


def imported(module: str) -> set[str]:
    """The modules that a module of ours imports anywhere in it, by absolute name."""
    path = file_of(module)
    assert path is not None, module
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if file_of(whole) else str(node.module))
    return found


def reached(module: str) -> set[str]:
    """Everything a module imports, itself or through modules of ours."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        for each in imported(waiting.pop()) - seen:
            seen.add(each)
            if file_of(each):
                waiting.append(each)
    return seen


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_reaches_no_engine(module: str) -> None:
    assert [each for each in reached(module) if each.split(".")[0].startswith("pulumi")] == []


def test_the_judge_sees_an_engine_behind_another_module() -> None:
    assert "pulumi" in reached("components.host.configuration")
    assert "pulumi" not in imported("components.host.configuration") - {"pulumi"}
    assert "pulumi_command" in reached("components.cluster.worker")
    assert "pulumi_command" not in imported("components.cluster.worker")
