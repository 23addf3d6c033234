"""What the Makefile does before there is any Python of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = """\
#!/bin/sh
[ "$1" = -m ] || exit 0
mkdir -p "$3/bin"
cat >"$3/bin/pip" <<'END'
#!/bin/sh
echo installs >>"$LOG"
while [ ! -e "$LOG.both" ]; do sleep 0.05; done
# Whoever made the folder anew meanwhile has taken this very program away.
[ -e "$0" ]
END
chmod +x "$3/bin/pip"
"""


@pytest.mark.skipif(shutil.which("flock") is None, reason="needs flock, of util-linux")
def test_two_that_make_the_environment_at_once_take_turns(tmp_path: Path) -> None:
    python, log = tmp_path / "python3", tmp_path / "log"
    python.write_text(PYTHON)
    python.chmod(0o755)
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        "LAYERED_CLOUD_CACHE": str(tmp_path / "cache"),
        "PYTHON3": str(python),
        "LOG": str(log),
    }
    makes = [
        subprocess.Popen(["make", "-s", "venv"], cwd=ROOT, env=env, start_new_session=True)
        for _ in range(2)
    ]
    try:
        (tmp_path / "log.both").touch()
        assert [make.wait(timeout=60) for make in makes] == [0, 0]
    finally:
        for make in makes:
            make.kill()
    assert log.read_text() == "installs\n"
    assert len(list((tmp_path / "cache").glob("venv-*/.done"))) == 1
