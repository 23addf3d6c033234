"""What the machine remembers of each layer, below /var/lib/layered-cloud (root only).

LAYER/manifest.json       what is in force: hashes, modes, owners, packages, services
LAYER/configuration.json  the request that made it, without secrets
LAYER/secrets.json        values of its placeholders and secret files
LAYER/pending.json        a swap that is not committed, or not confirmed
LAYER/backup/             the files it replaced; kept after the commit as the previous set
actions/NAME.json         the actions that ran
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def canonical(value: object) -> bytes:
    """The one spelling of a JSON value that its digest is taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def generation(configuration: Json) -> str:
    """The identity of a request: same resource and same text, same generation."""
    return hashlib.sha256(canonical(configuration)).hexdigest()[:32]


def fsync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, data: bytes, mode: int, uid: int = 0, gid: int = 0) -> None:
    """Replace `path` by rename: a reader, or a power cut, finds the old content or the new."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            os.fchmod(out.fileno(), 0o600)
            out.write(data)
            if (uid, gid) != (os.geteuid(), os.getegid()):
                os.fchown(out.fileno(), uid, gid)
            os.fchmod(out.fileno(), mode)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    fsync_directory(path.parent)


class Store:
    """The directory of one machine. `root` differs from /var/lib/layered-cloud only in tests."""

    def __init__(self, root: Path = Path("/var/lib/layered-cloud")) -> None:
        self.root = root

    def directory(self, layer: str) -> Path:
        path = self.root / layer
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def read(self, layer: str, name: str) -> Json | None:
        try:
            loaded = json.loads((self.root / layer / f"{name}.json").read_bytes())
        except FileNotFoundError:
            return None
        return dict(loaded)

    def write(self, layer: str, name: str, value: Json) -> None:
        data = json.dumps(value, indent=1, sort_keys=True).encode()
        path = self.directory(layer) / f"{name}.json"
        write_atomically(path, data, 0o600, os.geteuid(), os.getegid())

    def remove(self, layer: str, name: str) -> None:
        (self.root / layer / f"{name}.json").unlink(missing_ok=True)

    def forget(self, layer: str) -> None:
        """Drop all that is known of a layer but its secrets, which are withdrawn separately."""
        secrets = self.read(layer, "secrets")
        shutil.rmtree(self.root / layer, ignore_errors=True)
        if secrets is not None:
            self.write(layer, "secrets", secrets)

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
