"""Whole rendered files, compared with what lies in tests/golden.

`UPDATE_GOLDEN=1 python -m pytest tests/...` writes them anew; the difference is then read in git.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def assert_golden(relpath: str, text: str) -> None:
    """Fail with a diff unless `text` is exactly the golden file `relpath` (under tests/golden).

    With UPDATE_GOLDEN=1 in the environment the file is written instead.
    """
    path = GOLDEN / relpath
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    assert path.is_file(), (
        f"tests/golden/{relpath} is missing: write it with UPDATE_GOLDEN=1 and read it in git"
    )
    expected = path.read_text(encoding="utf-8")
    difference = "".join(
        difflib.unified_diff(
            expected.splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"tests/golden/{relpath}",
            "rendered",
        )
    )
    assert text == expected, (
        f"\n{difference}\nIf the change is meant: UPDATE_GOLDEN=1, then git diff"
    )
