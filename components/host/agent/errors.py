"""A failed push, told the way an operator reads it: the daemon's words first."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

AGAIN = "the same push, run again, goes on from here"
FULL = {errno.ENOSPC, errno.EDQUOT}
MIB = 1 << 20


class Failure(Exception):
    """`words` are the daemon's own, `what` says what failed, `after` what was done about it."""

    def __init__(self, what: str, words: str = "", after: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.words = words
        self.after = after

    def text(self, secrets: Iterable[str] = ()) -> str:
        """The whole message, with every value of `secrets` struck out."""
        return redact(joined(self.words, self.what, self.after), secrets)

    def then(self, after: str) -> Failure:
        """The same failure with one line more of what was done about it."""
        self.after = joined(self.after, after)
        return self


def joined(*parts: str) -> str:
    """Those of `parts` that say anything, each from a line of its own on."""
    return "\n".join(part.strip() for part in parts if part.strip())


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret, and every line of a many-line secret, replaced."""
    pieces = {line.strip() for secret in secrets for line in (secret, *secret.splitlines())}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= 4:
            text = text.replace(piece, "<secret>")
    return text


def of_system(error: OSError) -> Failure:
    """What the kernel refused, as a failure: the file, why, and what would help."""
    path = str(error.filename or "this machine")
    return Failure(_remedy(error.errno, path), f"{path}: {error.strerror or error}")


def _remedy(number: int | None, path: str) -> str:
    mount = mount_of(path)
    if number in FULL:
        return f"the file system {mount} is full ({room(mount)}): make room there; {AGAIN}"
    if number == errno.EROFS:
        return (
            f"the file system {mount} is mounted read-only, mostly after an error of its disk: see "
            f"'dmesg', make it writable ('mount -o remount,rw {mount}'); {AGAIN}"
        )
    if number == errno.EIO:
        return f"the disk under {mount} fails: see 'dmesg'"
    return "this machine's kernel refused that"


def _mounts() -> Iterator[tuple[str, bool]]:
    """Every mount point and whether it can be written to, in the order of mounting."""
    # By name: on an overlay a file's device is another one than its directory's.
    for line in Path("/proc/self/mounts").read_text().splitlines():
        mount, options = line.split()[1], line.split()[3].split(",")
        yield mount.replace("\\040", " "), "rw" in options


def mount_of(path: str) -> str:
    """The mount point that `path` lies below."""
    above = {str(up) for up in [Path(path), *Path(path).parents]}
    return max((mount for mount, _ in _mounts() if mount in above), key=len, default=os.sep)


def room(mount: str) -> str:
    """What is left on a file system, in MiB and in inodes where those are what is missing."""
    try:
        now = os.statvfs(mount)
    except OSError:
        return "its size cannot be read"
    if now.f_files and not now.f_favail:
        return "no inode is free"
    free, whole = (blocks * now.f_frsize // MIB for blocks in (now.f_bavail, now.f_blocks))
    return f"{free} of {whole} MiB free"


def full() -> list[str]:
    """The mount points where nothing is left, or next to nothing, each with what there is."""
    short = set()
    for mount, writable in _mounts():
        with contextlib.suppress(OSError):
            now = os.statvfs(mount)
            if writable and now.f_blocks and now.f_bavail * 50 < now.f_blocks:
                short.add(f"{mount} ({room(mount)})")
    return sorted(short)
