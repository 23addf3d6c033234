"""The import contracts of pyproject.toml hold, and each refuses what it is there for.

Every case lays one forbidden import into a scratch copy of the tree.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import grimp
import pytest

from tests import import_contracts

ROOT = Path(__file__).parent.parent
CONFIG: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINTER = CONFIG["tool"]["importlinter"]
NAMES = [contract["name"] for contract in LINTER["contracts"]]
LINT = "import sys; sys.path.insert(0, ''); from importlinter.cli import lint_imports_command; "
LINT += "lint_imports_command()"


@dataclass(frozen=True)
class Case:
    """Text added to files (new ones too), and the contract that refuses it."""

    contract: str
    added: dict[str, str] = field(hash=False)


PURE = "who makes parts, renders or verifies is pure"
PART = "from components.host.part import Part\nEMPTY = Part(name='empty')\n"
CASES = [
    Case(
        "settings import nothing of ours", {"settings/keys.py": "import components.host.errors\n"}
    ),
    Case("settings import nothing of ours", {"settings/keys.py": "import policy.rules\n"}),
    Case("only the settings' loader knows the engine", {"settings/keys.py": "import pulumi\n"}),
    Case(
        "a layer imports the host and no sibling",
        {"components/routers/model.py": "from components.loadbalancers import model as other\n"},
    ),
    Case(
        "a layer imports the host and no sibling",
        {"components/host/errors.py": "from components.routers import model as other\n"},
    ),
    Case("a layer imports the host and no sibling", {"components/storage.py": "HERE = 1\n"}),
    Case(
        "components import the settings' models and no other settings",
        {"components/routers/model.py": "from settings.checks import ports\n"},
    ),
    Case(
        "components import the settings' models and no other settings",
        {"components/routers/model.py": "from settings.loader import load\n"},
    ),
    Case(
        "components import neither policy nor ops nor lab nor tests",
        {"components/routers/model.py": "from policy import rules\n"},
    ),
    Case(PURE, {"components/cdn/later.py": f"{PART}import subprocess\n"}),
    Case(PURE, {"components/cdn/later.py": f"{PART}import pulumi\n"}),
    Case(
        PURE,
        {
            "components/cdn/later.py": f"{PART}from components.cdn import between\n",
            "components/cdn/between.py": "from components.cdn import last\n",
            "components/cdn/last.py": "import socket\n",
        },
    ),
    Case(
        PURE,
        {
            "components/cdn/later.py": "from components.host import text as made\nimport os\n"
            "TEMPLATES = made.environment(None)\n"
        },
    ),
    Case(
        PURE,
        {"components/cdn/later.py": "import requests\ndef verify() -> list[str]:\n    return []\n"},
    ),
    Case(
        PURE,
        {
            "components/platform/later.py": "from components.platform import addon\nimport time\n"
            "ADDON = addon.Addon\nNONE = addon.Addon(name='none')\n"
        },
    ),
    Case("policy imports nothing of ours", {"policy/rules.py": "import settings.keys\n"}),
    Case("policy rules are plain functions", {"policy/rules.py": "import pulumi\n"}),
    Case(
        "the lab imports no component that makes resources",
        {"lab/steps.py": "import components.routers.component\n"},
    ),
    Case(
        "the lab imports no component that makes resources",
        {"lab/steps.py": "from components.host import HostAction\n"},
    ),
    Case("the lab imports neither policy nor tests", {"lab/steps.py": "import policy.rules\n"}),
    Case("nothing imports the lab but tests", {"policy/rules.py": "import lab.paths\n"}),
    Case("nothing imports the lab but tests", {"ops/judge.py": "import lab.paths\n"}),
    Case(
        "components import neither policy nor ops nor lab nor tests",
        {"components/routers/model.py": "import ops.result\n"},
    ),
    Case("ops know no engine", {"ops/source.py": "import pulumi\n"}),
    Case("ops know no engine", {"ops/site.py": "from components.host import HostAction\n"}),
    Case(
        "ops import settings and pure components, neither policy nor lab nor tests",
        {"ops/look.py": "import policy.rules\n"},
    ),
    Case("who judges and shows answers is pure", {"ops/checks/later.py": "import subprocess\n"}),
    Case("who judges and shows answers is pure", {"ops/terminal.py": "import ops.transport\n"}),
    Case("nothing imports the benchmark but tests", {"lab/steps.py": "import benchmark.wish\n"}),
    Case(
        "the benchmark imports neither policy nor tests",
        {"benchmark/wish.py": "import tests.whole\n"},
    ),
    Case(
        "no circle between files",
        {
            "components/routers/one.py": "import components.routers.other\n",
            "components/routers/other.py": "import components.routers.one\n",
        },
    ),
]


def sources() -> Iterator[Path]:
    for package in LINTER["root_packages"]:
        yield from (ROOT / package).rglob("*.py")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("tree")
    for path in [ROOT / "pyproject.toml", *sources()]:
        there = top / path.relative_to(ROOT)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, there)
    return top


def broken(top: Path) -> list[str]:
    """The names of the contracts that the tree breaks."""
    judged = subprocess.run(
        [sys.executable, "-P", "-c", LINT, "--no-cache", "--no-logo"],
        cwd=top,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    found = re.findall(r"^(.*) BROKEN\b", judged.stdout, flags=re.MULTILINE)
    assert "Contracts: " in judged.stdout, judged.stdout + judged.stderr
    assert judged.returncode == (1 if found else 0), judged.stdout + judged.stderr
    return found


def test_the_tree_breaks_no_contract(copy: Path) -> None:
    assert broken(copy) == []


@pytest.mark.parametrize(
    "case",
    CASES,
    ids=lambda case: f"{case.contract}: {' '.join(case.added.values())}".split("\n")[0],
)
def test_a_forbidden_import_is_refused(copy: Path, case: Case) -> None:
    before = {name: (copy / name).read_text() for name in case.added if (copy / name).exists()}
    try:
        for name, text in case.added.items():
            (copy / name).write_text(before.get(name, "") + "\n" + text)
        assert case.contract in broken(copy)
    finally:
        for name in case.added:
            (copy / name).unlink()
        for name, text in before.items():
            (copy / name).write_text(text)


def test_no_circle_goes_through_a_package_either() -> None:
    """The linter compares siblings; a package that imports what imports it is none."""
    graph = grimp.build_graph(*LINTER["root_packages"], cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as circle:
        pytest.fail(" imports ".join(reversed(circle.args[1])))


def test_every_contract_has_a_case() -> None:
    assert {case.contract for case in CASES} == set(NAMES)


def test_every_room_with_code_is_judged() -> None:
    rooms = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("*/**/*.py")}
    assert {room for room in rooms if not room.startswith(".")} == set(LINTER["root_packages"])


def test_every_folder_with_code_is_a_package() -> None:
    """A folder without `__init__.py` is not seen by everybody who walks the packages."""
    bare = {
        str(path.parent.relative_to(ROOT))
        for path in sources()
        if path.relative_to(ROOT).parts[0] != "tests" and not (path.parent / "__init__.py").exists()
    }
    # Sent to machines as they are and run there by their paths.
    assert bare <= {"components/host/scripts"}


def test_where_the_engine_is_forbidden_its_providers_are_too() -> None:
    wanted = {
        name.replace("-", "_")
        for name in re.findall(r"^(pulumi[\w-]*)==", (ROOT / "requirements.txt").read_text(), re.M)
    }
    forbidding = [
        contract
        for contract in LINTER["contracts"]
        if "pulumi" in contract.get("forbidden_modules", [])
    ]
    assert len(forbidding) >= 4
    assert {
        contract["name"]: missing
        for contract in forbidding
        if (missing := wanted - set(contract["forbidden_modules"]))
    } == {}


def test_who_calls_a_maker_is_found_whatever_it_calls_it() -> None:
    tree = import_contracts.ast.parse(
        "from components.host import part as p, text\n"
        "from components.host.part import Part as Whole, Text\n"
        "import components.host.files as files\n"
        "a = p.Part(name='a')\nb = Whole(name='b')\nfiles.File()\nlen([])\n"
    )
    assert import_contracts.called(tree) == {
        "components.host.part.Part",
        "components.host.files.File",
        "len",
    }
