"""Files: what is wanted, what is true, backing up, swapping, putting back."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import FULL, Failure
from .store import (
    Json,
    Store,
    beside,
    drop_beside,
    fsync_directory,
    swap_beside,
    write_atomically,
    write_beside,
)


@dataclass(frozen=True)
class Wanted:
    """One file as it shall be."""

    path: str
    data: bytes
    mode: int
    owner: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def record(self) -> Json:
        return {"sha256": self.sha256, "mode": f"{self.mode:04o}", "owner": self.owner}


def wanted(configuration: Json, secrets: Json) -> list[Wanted]:
    """The files of a request, with its placeholders filled in from `secrets`.

    Raises `Failure` when a value was never deposited.
    """
    made = []
    for path, spec in configuration["files"].items():
        text: str = spec["content"]
        if spec.get("secret"):
            text = _value(secrets, path, path)
        for name in spec.get("secrets", ()):
            text = text.replace(f"@@{name}@@", _value(secrets, f"{path}#{name}", path))
        made.append(Wanted(path, text.encode(), int(spec["mode"], 8), spec["owner"]))
    return made


def _value(secrets: Json, key: str, path: str) -> str:
    try:
        return str(secrets[key])
    except KeyError:
        raise Failure(
            f"{path} needs a secret that this machine was never given ({key}); "
            "raise the epoch, so that the secrets are pushed again"
        ) from None


def references(configuration: Json) -> set[str]:
    """The secrets a request needs, by their keys in the machine's store."""
    keys = set()
    for path, spec in configuration["files"].items():
        if spec.get("secret"):
            keys.add(path)
        keys.update(f"{path}#{name}" for name in spec.get("secrets", ()))
    return keys


def ids(owner: str) -> tuple[int, int]:
    """`user:group` as numbers; raises `Failure` when the machine has no such name."""
    user, _, group = owner.partition(":")
    try:
        uid = int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid
        gid = int(group) if group.isdigit() else grp.getgrnam(group or user).gr_gid
    except KeyError:
        raise Failure(f"this machine has no user or group {owner!r}") from None
    return uid, gid


def difference(path: str, record: Json) -> str | None:
    """How the file differs from its record, in words; `None` when it does not."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    return _differs(path, status, record)


def _differs(path: str, status: os.stat_result, record: Json) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if hashlib.sha256(Path(path).read_bytes()).hexdigest() != record["sha256"]:
        return "content differs"
    if f"{stat.S_IMODE(status.st_mode):04o}" != record["mode"]:
        return f"mode is {stat.S_IMODE(status.st_mode):04o}, not {record['mode']}"
    try:
        expected = ids(record["owner"])
    except Failure as failure:
        return failure.what
    if (status.st_uid, status.st_gid) != expected:
        return f"owner is {status.st_uid}:{status.st_gid}, not {record['owner']}"
    return None


def changed(files: Iterable[Wanted]) -> list[Wanted]:
    return [file for file in files if difference(file.path, file.record()) is not None]


def touches(watches: Iterable[str], paths: Iterable[str]) -> bool:
    """Whether one of `paths` is watched: named itself, or below a named directory."""
    prefixes = [watch.rstrip("/") for watch in watches]
    if not prefixes:
        return any(True for _ in paths)
    return any(
        path == prefix or path.startswith(f"{prefix}/") for path in paths for prefix in prefixes
    )


def back_up(store: Store, layer: str, path: str) -> Json:
    """Keep what stands at `path` and say how to put it back."""
    live = Path(path)
    entry: Json = {"path": path, "kind": "absent"}
    if live.is_symlink():
        return {**entry, "kind": "link", "target": str(live.readlink())}
    if not live.exists():
        entry["directories"] = [str(parent) for parent in live.parents if not parent.exists()]
        return entry
    if not live.is_file():
        raise Failure(f"{path} is neither a file nor a link; it is left alone")
    keep = store.directory(layer) / "backup"
    keep.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(path.encode()).hexdigest()[:16]
    status = live.stat()
    data = live.read_bytes()
    write_atomically(keep / name, data, 0o600, os.geteuid(), os.getegid())
    return {
        **entry,
        "kind": "file",
        "backup": str(keep / name),
        "sha256": hashlib.sha256(data).hexdigest(),
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
    }


class Lost(Exception):
    """What should be put back is gone itself."""


def put_back(entry: Json) -> bool:
    """Undo whatever happened to the file since `back_up`; says whether anything had.

    Raises `Lost` when its copy is damaged, `OSError` when it cannot be written now.
    """
    live = Path(entry["path"])
    drop_beside(live)
    if entry["kind"] == "absent":
        return _take_away(live, entry.get("directories", ()))
    if entry["kind"] == "link":
        if live.is_symlink() and str(live.readlink()) == entry["target"]:
            return False
        live.unlink(missing_ok=True)
        live.symlink_to(entry["target"])
        fsync_directory(live.parent)
        return True
    return _restore(live, entry)


def _take_away(live: Path, directories: Iterable[str]) -> bool:
    there = os.path.lexists(live)
    if there:
        live.unlink()
    for directory in directories:
        try:
            Path(directory).rmdir()
        except OSError:
            break
    return there


def _restore(live: Path, entry: Json) -> bool:
    backup = Path(entry["backup"])
    data = backup.read_bytes() if backup.exists() else b""
    digest = hashlib.sha256(data).hexdigest()
    record = {
        # An older agent's entry has none.
        "sha256": entry.get("sha256", digest),
        "mode": f"{entry['mode']:04o}",
        "owner": f"{entry['uid']}:{entry['gid']}",
    }
    if difference(str(live), record) is None:
        return False
    if digest != record["sha256"]:
        raise Lost(f"{live} stays as it is: its copy {backup} is damaged")
    folder(live.parent)
    try:
        write_atomically(live, data, entry["mode"], entry["uid"], entry["gid"])
    except OSError as error:
        if error.errno not in FULL:
            raise
        _relink(live, entry)
    return True


def _relink(live: Path, entry: Json) -> None:
    """Put the copy itself in the place of `live`: on a full disk a name still has room."""
    spare = beside(live)
    os.link(entry["backup"], spare)
    os.chown(spare, entry["uid"], entry["gid"])
    spare.chmod(entry["mode"])
    swap_beside(live)


def folder(path: Path) -> None:
    """Make a directory and whatever is missing above it, for everybody to read.

    A push has a narrow umask for its own files; a daemon that runs as another user, networkd for
    one, would pass over a folder that it may not enter, and say nothing.
    """
    for missing in reversed([each for each in (path, *path.parents) if not each.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(0o755)


def make_ready(files: Iterable[Wanted]) -> None:
    """Write each file beside the one it replaces, so that the swap itself cannot run out of room.

    Raises `Failure` or `OSError` before any file is replaced.
    """
    for file in files:
        live = Path(file.path)
        folder(live.parent)
        write_beside(live, file.data, file.mode, *ids(file.owner))


def swap(files: Iterable[Wanted]) -> None:
    """Rename what `make_ready` wrote into place."""
    for file in files:
        swap_beside(Path(file.path))


def stage(directory: Path, files: Iterable[Wanted]) -> None:
    """Lay `files` out below `directory` by their full paths, owners and modes in place."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700, parents=True)
    for file in files:
        path = directory / file.path.lstrip("/")
        folder(path.parent)
        write_atomically(path, file.data, file.mode, *ids(file.owner))
