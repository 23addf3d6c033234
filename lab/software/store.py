"""The cache of built things: one directory an item, named by what went into it.

An item is a recipe with a version. Its key is `VERSION-HASH`, the hash taken over everything that
changes the result: versions, flags, texts, and the keys of the items it is made of. A directory
under its final name is complete: an item is made in a directory of its own and renamed into place
when its stamp is written, so an interruption leaves nothing that looks finished.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from lab.paths import cache_dir
from lab.software.progress import Progress

STAMP = ".stamp.json"

TIED = ("setpriv", "--pdeathsig", "TERM", "--")
"""Prefix of a long-running tool's command line: it is told to end when this process dies.

Start it with `close_fds=False`: it then holds the locks too, so that a later run waits until the
last tool of a killed one has gone.
"""


INHERITED_FROM = 64
"""The lowest file descriptor a tool inherits. mmdebstrap hands descriptors of its own to a shell
whose redirections take one digit only (dash(1)): the low numbers must stay free for it."""


class BuildError(Exception):
    """An item could not be made; the message says why, the tool's own words first."""

    human = True


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing the lab builds or collects.

    `make(directory, progress)` fills an empty directory. `inputs` are the texts that decide the
    result, by name; `needs` the items it is made of, built first.
    """

    name: str
    version: str
    inputs: Mapping[str, str]
    make: Callable[[Path, Progress], None] = field(compare=False)
    needs: tuple[Item, ...] = ()
    turn: str = field(default="", compare=False)
    """Items with the same turn are made one after the other, across runs too."""
    fetch: Callable[[Progress], None] | None = field(default=None, compare=False)
    """Brings what `make` would wait for from the network; may run beside another item's `make`,
    and need not have run. Raises `BuildError`."""

    @property
    def key(self) -> str:
        """`VERSION-HASH`: the same inputs always give the same key."""
        everything = {
            "name": self.name,
            "version": self.version,
            "inputs": dict(self.inputs),
            "needs": {need.name: need.key for need in self.needs},
        }
        text = json.dumps(everything, sort_keys=True)
        return f"{self.version}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def path(self) -> Path:
        """Where the finished item lies, whether or not it has been made yet."""
        return software_dir() / self.name / self.key

    @property
    def ready(self) -> bool:
        """True when the item is complete in the cache."""
        return (self.path / STAMP).is_file()


def software_dir() -> Path:
    """The software part of the cache."""
    return cache_dir() / "software"


def fingerprint(*modules: ModuleType) -> str:
    """A hash of what these recipe modules do: comments, layout and docstrings left out."""
    digest = hashlib.sha256()
    for module in modules:
        if module.__file__ is None:
            raise ValueError(f"{module.__name__} has no source file to take a fingerprint of")
        tree = ast.parse(Path(module.__file__).read_text())
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                node.body = [part for part in body if not _is_text(part)]  # type: ignore[attr-defined]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def files_digest(*paths: Path) -> str:
    """A hash over files and directories: relative names, modes' execute bit and contents."""
    digest = hashlib.sha256()
    for top in paths:
        found = sorted(p for p in top.rglob("*") if p.is_file()) if top.is_dir() else [top]
        for path in found:
            if "__pycache__" in path.parts:
                continue
            name = path.relative_to(top) if top.is_dir() else path.name
            digest.update(f"{name}\0{os.access(path, os.X_OK)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def locked(name: str, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the cache's lock of that name; `waiting` is called once when another run holds it.

    The lock is the kernel's (flock(2)): it goes with the process that holds it and the tools that
    inherited it, however they end.
    """
    folder = software_dir() / ".lock"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as handle:
        inherited = fcntl.fcntl(handle, fcntl.F_DUPFD, INHERITED_FROM)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waiting is not None:
                    waiting()
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(inherited)


def ensure_item(item: Item, progress: Progress) -> Path:
    """Make the item, and first what it needs, unless the cache has it; give its directory.

    Raises `BuildError` naming the item. Whatever an interrupted run left of it is removed first.
    """
    if item.ready:
        return item.path
    for need in item.needs:
        ensure_item(need, progress)
    with locked(
        f"item-{item.name}",
        lambda: progress.note(f"{item.name}: already being made, waiting"),
    ):
        if item.ready:
            return item.path
        with contextlib.ExitStack() as stack:
            if item.turn:
                waiting = f"{item.name}: waits for its turn ({item.turn})"
                stack.enter_context(locked(f"turn-{item.turn}", lambda: progress.note(waiting)))
            _make(item, progress)
    return item.path


def _make(item: Item, progress: Progress) -> None:
    partial = software_dir() / ".partial" / item.name
    remove_tree(partial)
    partial.mkdir(parents=True)
    started = time.monotonic()
    with progress.item(item.name, item.version):
        try:
            item.make(partial, progress)
        except BuildError as error:
            raise BuildError(f"{item.name} {item.version}: {error}") from error
        seconds = time.monotonic() - started
        stamp = {
            "name": item.name,
            "key": item.key,
            "seconds": round(seconds, 1),
            "needs": {need.name: need.key for need in item.needs},
        }
        (partial / STAMP).write_text(json.dumps(stamp, indent=2) + "\n")
        item.path.parent.mkdir(parents=True, exist_ok=True)
        remove_tree(item.path)
        partial.rename(item.path)
    with (software_dir() / "times.jsonl").open("a") as log:
        log.write(json.dumps(stamp | {"at": int(time.time())}) + "\n")


def remove_tree(path: Path) -> None:
    """Remove a directory tree that may not exist; refuses one with something mounted in it."""
    if not path.exists():
        return
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    inside = [mount for mount in mounts if mount.startswith(f"{path.resolve()}/")]
    if inside:
        raise BuildError(f"{path} still has {', '.join(inside)} mounted: umount it, then try again")
    shutil.rmtree(path)


def stamp_of(item: Item) -> dict[str, object]:
    """What the item's stamp says: name, key, seconds it took, keys of its needs."""
    loaded = json.loads((item.path / STAMP).read_text())
    assert isinstance(loaded, dict)
    return loaded
