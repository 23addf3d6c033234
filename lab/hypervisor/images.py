"""Disk images: fetched with their checksum, and unpacked once.

What a real host would write to a disk is here a root file system as a tar archive, whatever name
it is stored under (a Proxmox host takes `.img`, `.qcow2` and the like only).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from lab.hypervisor import netns

CHUNK = 1 << 20
CONNECT_SECONDS = 20.0
KEEP = 3
"""Unpacked images kept in the cache."""


Found = TypeVar("Found")


class ImageError(RuntimeError):
    """An image that cannot be fetched or used; the text is what the task's log shows."""


def head(namespace: Path, url: str) -> tuple[int, str]:
    """Size in bytes (0 when not told) and type of what a URL offers; raises `ImageError`."""

    def ask() -> tuple[int, str]:
        request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - checked by the schema
        with _opener().open(request, timeout=CONNECT_SECONDS) as answer:
            length = int(answer.headers.get("Content-Length") or 0)
            return length, answer.headers.get_content_type()

    return _fetching(namespace, url, ask)


def fetch(namespace: Path, url: str, target: Path, algorithm: str | None) -> str | None:
    """Download a URL from inside a namespace; returns its checksum when one is asked for.

    The file appears under its name only when it is whole. Raises `ImageError`.
    """
    partial = target.with_name(f".tmp.{target.name}")

    def get() -> str | None:
        digest = hashlib.new(algorithm) if algorithm else None
        with _opener().open(url, timeout=CONNECT_SECONDS) as answer, partial.open("wb") as out:
            expected = answer.headers.get("Content-Length")
            while chunk := answer.read(CHUNK):
                out.write(chunk)
                if digest:
                    digest.update(chunk)
            if expected and out.tell() != int(expected):
                raise ImageError(f"download of '{url}' ended at {out.tell()} of {expected} bytes")
        return digest.hexdigest() if digest else None

    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        found = _fetching(namespace, url, get)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return found


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """A file's checksum, remembered beside it for as long as the file stays as it is."""
    stat = path.stat()
    stamp = [stat.st_size, stat.st_mtime_ns]
    memory = path.with_name(f".{path.name}.{algorithm}")
    with contextlib.suppress(OSError, ValueError, KeyError):
        known = json.loads(memory.read_text())
        if known["stamp"] == stamp:
            return str(known["sum"])
    with path.open("rb") as handle:
        found = hashlib.file_digest(handle, algorithm).hexdigest()
    memory.write_text(json.dumps({"stamp": stamp, "sum": found}))
    return found


def unpack(image: Path, cache: Path) -> Path:
    """The image's root file system, unpacked once per content; nothing may write into it.

    Raises:
        ImageError: it is no archive of a root file system.
    """
    digest = checksum(image)
    tree = cache / digest
    if not tree.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache):
            if not tree.is_dir():
                _extract(image, cache / f".{digest}.new", tree)
                _prune(cache, tree)
    return tree


def _extract(image: Path, partial: Path, tree: Path) -> None:
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    argv = ["tar", "--extract", "--numeric-owner", "--same-permissions", "--xattrs"]
    argv += ["--xattrs-include=*", "--exclude=./dev/*", "--auto-compress"]
    argv += ["--file", str(image), "--directory", str(partial)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode or not (partial / "sbin/init").is_symlink():
        shutil.rmtree(partial, ignore_errors=True)
        words = done.stderr.strip().splitlines()[-1:] or ["it has no /sbin/init"]
        raise ImageError(
            f"{words[0]}: {image.name} is not what this hypervisor boots, "
            "a tar archive of a root file system with systemd"
        )
    partial.chmod(0o755)
    partial.rename(tree)


def _prune(cache: Path, newest: Path) -> None:
    """Forget unpacked images beyond the last few, the least recently made first."""
    trees = [p for p in cache.iterdir() if p.is_dir() and not p.name.startswith(".")]
    trees.sort(key=lambda p: p.stat().st_ctime, reverse=True)
    for old in [t for t in trees if t != newest][KEEP - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _locked(cache: Path) -> Iterator[None]:
    with (cache / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _opener() -> urllib.request.OpenerDirector:
    # Without proxies: the environment of the user's machine is not the host's.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _fetching(namespace: Path, url: str, work: Callable[[], Found]) -> Found:
    try:
        return netns.inside(namespace, work)
    except urllib.error.HTTPError as err:
        raise ImageError(f"download of '{url}' failed: {err.code} {err.reason}") from err
    except OSError as err:
        reason = getattr(err, "reason", None) or err
        raise ImageError(f"download of '{url}' failed: {reason}") from err
