"""Kernel settings of a machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

from components.host import sysctls


def test_sysctls_are_applied_when_their_file_changes_and_not_when_it_is_gone(
    tmp_path: Path,
) -> None:
    step = sysctls.step(str(tmp_path / "absent.conf"))

    assert step.watches == (str(tmp_path / "absent.conf"),)
    assert subprocess.run(step.argv, check=False).returncode == 0
