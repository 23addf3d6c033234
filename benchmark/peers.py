"""The peers' environment, in the cache: made when it is first needed, by pip, from requirements.txt
beside this file."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from lab.paths import CHECKOUT, cache_dir
from lab.software.store import locked

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
CONSTRAINTS = CHECKOUT / "constraints.txt"
INSTALL_SECONDS = 600


class PeersError(RuntimeError):
    """The environment cannot be made; the text ends with pip's words."""


def place() -> Path:
    """Where it lies; another one for other requirements or another Python."""
    given = REQUIREMENTS.read_bytes() + CONSTRAINTS.read_bytes() + sys.version.encode()
    return cache_dir() / f"peers-{hashlib.sha256(given).hexdigest()[:12]}"


def ensure() -> Path:
    """The environment, made now if it is not there.

    Raises:
        PeersError: pip cannot install it.
    """
    folder = place()
    if (folder / ".done").exists():
        return folder
    with locked(folder.name):
        if (folder / ".done").exists():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        words = ["install", "--quiet", "--disable-pip-version-check", "-c", str(CONSTRAINTS)]
        done = subprocess.run(
            [str(folder / "bin" / "python"), "-m", "pip", *words, "-r", str(REQUIREMENTS)],
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_SECONDS,
        )
        if done.returncode:
            raise PeersError(f"ansible-core cannot be installed: {done.stderr.strip()[-2000:]}")
        (folder / ".done").touch()
    return folder


def version() -> str:
    """The version of ansible-core that is pinned."""
    return REQUIREMENTS.read_text().rpartition("ansible-core==")[2].split()[0]
