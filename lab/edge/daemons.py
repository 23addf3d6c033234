"""The edge's daemons, in a tree of their own, told of new files when these are right."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import private
from lab.edge.render import FOLDER, KNOT, NGINX

_IN_TREE = r"""
set -eu
tree=$1 files=$2
shift 2
mount --bind "$tree" "$tree"
mount --bind "$files" "$tree/srv"
for each in run var/log var/lib/nginx tmp; do mount -t tmpfs tmpfs "$tree/$each"; done
mount --rbind /dev "$tree/dev"
mount -t proc proc "$tree/proc"
mkdir -p "$tree/run/knot" "$tree/var/log/nginx"
exec chroot "$tree" "$@"
"""
_ARGV: Mapping[str, Sequence[str]] = {
    "nginx": ("/usr/sbin/nginx", "-c", f"{FOLDER}/{NGINX}"),
    "knotd": ("/usr/sbin/knotd", "-c", f"{FOLDER}/{KNOT}"),
}
_CHECKS: Mapping[str, Sequence[str]] = {
    "nginx": (*_ARGV["nginx"], "-t"),
    "knotd": ("/usr/sbin/knotc", "-c", f"{FOLDER}/{KNOT}", "conf-check"),
}


class Refused(RuntimeError):
    """A daemon does not take its files; the text is what it said."""


class Ended(RuntimeError):
    """A daemon ended by itself."""


class Daemons:
    """nginx and knot over the files in `folder`/served; `tree` is what they were installed in."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self._tree = tree
        self._served = folder / "served"
        self._tried = folder / "tried"
        for each in (self._served, self._tried):
            each.mkdir(parents=True, exist_ok=True)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def serve(self, files: Mapping[str, str]) -> None:
        """Put the files there, start the daemons or have them read anew.

        Raises:
            Refused: what was served before is served still.
        """
        # Apart: a daemon that has just been told reads its files some time later.
        _lay(self._tried, files)
        for name, argv in _CHECKS.items():
            done = subprocess.run(
                self._argv(self._tried, argv), capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise Refused(f"{name}: {(done.stderr or done.stdout).strip()}")
        _lay(self._served, files)
        for name, argv in _ARGV.items():
            if name in self._running:
                self._running[name].send_signal(signal.SIGHUP)
            else:
                self._running[name] = subprocess.Popen(self._argv(self._served, argv))

    def watch(self) -> None:
        """Raises `Ended` when a daemon has."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise Ended(f"{name} ended with status {process.returncode}")

    def _argv(self, files: Path, argv: Sequence[str]) -> list[str]:
        shell = ("sh", "-c", _IN_TREE, "edge", str(self._tree), str(files))
        return ["unshare", "--mount", "--propagation", "private", *shell, *argv]


def _lay(folder: Path, files: Mapping[str, str]) -> None:
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        private.write(folder / name, text)
