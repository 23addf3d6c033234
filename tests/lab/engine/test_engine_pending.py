"""What a cut-off run leaves noted in the state."""

from __future__ import annotations

import json
from pathlib import Path

from lab.engine import pending
from lab.engine.workdir import WorkDir

URN = "urn:pulumi:lab::layered-cloud::command:local:Command::"
CUT = [
    {"type": "creating", "resource": {"urn": f"{URN}slow"}},
    {"type": "updating", "resource": {"urn": f"{URN}other"}},
]


def _state(base: Path, stack: str, latest: object) -> WorkDir:
    workdir = WorkDir(base=base, stack=stack)
    folder = workdir.backend / ".pulumi" / "stacks" / "layered-cloud"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stack}.json").write_text(json.dumps({"checkpoint": {"latest": latest}}))
    return workdir


def test_what_was_being_made_is_read_from_the_state(tmp_path: Path) -> None:
    workdir = _state(tmp_path, "lab", {"pending_operations": CUT})

    assert pending.creations(workdir, "lab") == [f"{URN}slow"]
    assert pending.creations(workdir, "dev") == []


def test_a_state_that_holds_nothing_yet_was_making_nothing(tmp_path: Path) -> None:
    assert pending.creations(_state(tmp_path, "lab", None), "lab") == []
    assert pending.creations(_state(tmp_path, "lab", {"resources": []}), "lab") == []


def test_only_a_creation_is_forgotten() -> None:
    """Of any other operation the resource is in the state, and the engine looks at it again."""
    left = pending.without_creations({"resources": [1], "pending_operations": CUT})

    assert left == {"resources": [1], "pending_operations": CUT[1:]}
