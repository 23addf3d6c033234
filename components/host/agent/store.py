"""What the machine remembers of each layer, below /var/lib/layered-cloud (root only).

LAYER/manifest.json       what is in force: hashes, modes, owners, packages, services
LAYER/configuration.json  the request that made it, without secrets
LAYER/secrets.json        values of its placeholders and secret files
LAYER/pending.json        a swap that is not committed, or not confirmed
LAYER/packages.json       versions in force before an installation that is not committed
LAYER/backup/             the files it replaced; kept after the commit as the previous set
actions/NAME.json         the actions that ran
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .errors import Failure

Json = dict[str, Any]

LOST = {
    "manifest": ": which files the layer made is no longer known, so a deletion would leave them",
    "configuration": ": new secrets reach its files only once the layer is pushed again",
    "pending": ": what a push cut half way had swapped stays until its layer is pushed again",
    "secrets": ": raise the epoch, so that the secrets are pushed again",
}
"""What a damaged document takes with it."""


def canonical(value: object) -> bytes:
    """The one spelling of a JSON value that its digest is taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def generation(configuration: Json) -> str:
    """The identity of a request: same resource and same text, same generation."""
    return hashlib.sha256(canonical(configuration)).hexdigest()[:32]


def _document(path: Path) -> Json:
    loaded = json.loads(path.read_bytes())
    if not isinstance(loaded, dict):
        raise ValueError("not an object")
    return loaded


def fsync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def beside(path: Path) -> Path:
    """Where the next content of `path` waits for its swap.

    Always under the same name, since pushes take turns: what a killed one left is found there.
    """
    return path.with_name(f".{path.name}.layered-cloud")


def write_beside(path: Path, data: bytes, mode: int, uid: int = 0, gid: int = 0) -> None:
    """Everything about a new content of `path` that can fail, but the rename.

    Raises `OSError` that names `path`; nothing is left then.
    """
    spare = beside(path)
    try:
        spare.unlink(missing_ok=True)
        handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            if (uid, gid) != (os.geteuid(), os.getegid()):
                os.fchown(out.fileno(), uid, gid)
            os.fchmod(out.fileno(), mode)
            out.flush()
            os.fsync(out.fileno())
    except BaseException as error:
        drop_beside(path)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def drop_beside(path: Path) -> None:
    spare = beside(path)
    with contextlib.suppress(OSError):
        spare.unlink(missing_ok=True)


def swap_beside(path: Path) -> None:
    """Put what `write_beside` wrote in the place of `path`."""
    try:
        beside(path).replace(path)
    except OSError as error:
        drop_beside(path)
        raise OSError(error.errno, error.strerror, str(path)) from error
    fsync_directory(path.parent)


def write_atomically(path: Path, data: bytes, mode: int, uid: int = 0, gid: int = 0) -> None:
    """Replace `path` by rename: a reader, or a power cut, finds the old content or the new."""
    write_beside(path, data, mode, uid, gid)
    swap_beside(path)


class Store:
    """The directory of one machine. `root` differs from /var/lib/layered-cloud only in tests."""

    def __init__(self, root: Path = Path("/var/lib/layered-cloud")) -> None:
        self.root = root

    def directory(self, layer: str) -> Path:
        path = self.root / layer
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def read(self, layer: str, name: str) -> Json | None:
        """A document of a layer; `None` when there is none.

        Raises `Failure` when it is damaged, which only a fault of the disk can do.
        """
        path = self.root / layer / f"{name}.json"
        try:
            return _document(path)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise Failure(f"{path} is damaged ({error}); the next push sets it aside") from None

    def write(self, layer: str, name: str, value: Json) -> None:
        self.write_all(layer, {name: value})

    def write_all(self, layer: str, documents: Mapping[str, Json]) -> None:
        """Write several, in their order, so that a full disk is met before any is replaced."""
        directory = self.directory(layer)
        paths = [directory / f"{name}.json" for name in documents]
        try:
            for path, value in zip(paths, documents.values(), strict=True):
                data = json.dumps(value, indent=1, sort_keys=True).encode()
                write_beside(path, data, 0o600, os.geteuid(), os.getegid())
        except OSError:
            for path in paths:
                drop_beside(path)
            raise
        for path in paths:
            swap_beside(path)

    def set_aside_damaged(self) -> list[str]:
        """Move documents that cannot be read out of the way; says which, and what that means."""
        said = []
        for path in sorted(self.root.glob("*/*.json")):
            try:
                _document(path)
            except ValueError:
                path.replace(path.with_name(f"{path.name}.damaged"))
                said.append(f"set {path} aside, which was damaged{LOST.get(path.stem, '')}")
        return said

    def remove(self, layer: str, name: str) -> None:
        (self.root / layer / f"{name}.json").unlink(missing_ok=True)

    def forget(self, layer: str) -> None:
        """Drop all that is known of a layer but its secrets, which are withdrawn separately."""
        directory = self.root / layer
        for path in [directory / "manifest.json", *directory.glob("*")]:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != "secrets.json":
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            directory.rmdir()

    def layers(self) -> Iterator[str]:
        """Every layer the machine knows of, by name."""
        with contextlib.suppress(FileNotFoundError):
            for path in sorted(self.root.iterdir()):
                if path.is_dir() and path.name not in {"actions", "bin"}:
                    yield path.name

    def manifests(self) -> Iterator[tuple[str, Json]]:
        for layer in self.layers():
            manifest = self.read(layer, "manifest")
            if manifest is not None:
                yield layer, manifest

    def owner_of(self, path: str, besides: str) -> str | None:
        """The layer other than `besides` that owns the file `path`."""
        for layer, manifest in self.manifests():
            if layer != besides and path in manifest["files"]:
                return layer
        return None
