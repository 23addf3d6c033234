"""The workflows, judged by actionlint (which has shellcheck judge the scripts in them)."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.software.gobuild import build_go
from lab.software.goitems import ACTIONLINT
from lab.software.store import BuildError

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
WRONG = """\
name: wrong
on: push
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - run: echo ${{ github.event.sender.nmae }} ${{ job.nothing }}
"""


@pytest.fixture(scope="module")
def actionlint() -> Path:
    try:
        return build_go(ACTIONLINT)["actionlint"]
    except BuildError as error:
        pytest.skip(f"actionlint cannot be built here: {error}")


def test_there_is_a_workflow_for_pull_requests() -> None:
    assert "pull-request.yaml" in [path.name for path in WORKFLOWS]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_accepts_a_workflow(actionlint: Path, path: Path) -> None:
    judged = subprocess.run(
        [actionlint, "-no-color", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (judged.returncode, judged.stdout + judged.stderr) == (0, "")


def test_actionlint_refuses_a_wrong_one(actionlint: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    judged = subprocess.run(
        [actionlint, "-no-color", "wrong.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert judged.returncode == 1
    assert 'property "nothing" is not defined in object type' in judged.stdout


def workflow(name: str) -> Any:
    # The word `on` is a truth to YAML 1.1.
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))


def scripts(job: Any) -> str:
    return "\n".join(each.get("run", "") for each in job["steps"])


def test_a_pull_request_is_planned_judged_and_told_once() -> None:
    jobs = workflow("pull-request.yaml")["jobs"]
    plan = scripts(jobs["plan"])
    assert plan.index("--save-plan") < plan.index("policy.summary") < plan.index("policy.judge")
    assert 'make --no-print-directory preview STACK="$STACK" BASE="$BASE"' in plan
    assert jobs["comment"]["needs"] == "plan"
    writers = [name for name, job in jobs.items() if "write" in job.get("permissions", {}).values()]
    assert writers == ["comment"], "what runs the change's own code may write nothing"
    assert "make lint unit" in scripts(jobs["test"])


def test_a_merge_follows_the_approved_plan_and_prod_waits() -> None:
    whole = workflow("update.yaml")
    jobs = whole["jobs"]
    assert whole["concurrency"]["cancel-in-progress"] is False
    for stack, needs in (("dev", "approved"), ("prod", ["approved", "dev"])):
        job = jobs[stack]
        assert (job["environment"], job["needs"], job["env"]["STACK"]) == (stack, needs, stack)
        assert '--plan "plans/$STACK.plan"' in scripts(job)
