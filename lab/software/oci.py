"""Container images as OCI image layouts, written without a container runtime.

An image here is one uncompressed layer with a config; the layout (image-spec, image-layout.md)
names it by the annotations `org.opencontainers.image.ref.name` and `io.containerd.image.name`, so
that a registry can serve it and `ctr images import` takes it too.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lab.software import versions

LAYOUT = {"imageLayoutVersion": "1.0.0"}
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NAME_ANNOTATION = "io.containerd.image.name"

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

PASSWD = (
    "root:x:0:0:root:/root:/sbin/nologin\n"  # noqa: S105 -- the file, not a secret
    "nobody:x:65534:65534:nobody:/:/sbin/nologin\n"
)
GROUP = "root:x:0:\nnogroup:x:65534:\n"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing in a layer: a file (from a path or bytes), a symlink, or else a directory."""

    path: str
    source: Path | None = None
    data: bytes | None = None
    link: str | None = None
    mode: int = 0o755


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """How a container of the image starts (image-spec, config.md)."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    user: str = ""
    env: tuple[str, ...] = (PATH,)
    working_dir: str = "/"
    labels: Mapping[str, str] = field(default_factory=dict)


def write_layer(target: IO[bytes], entries: Iterable[Entry]) -> None:
    """Write a layer: sorted, owned by root, without times, so the same files give the same bytes.

    Parent directories need not be given. Raises `ValueError` for a path with `..` in it.
    """
    by_path = {entry.path.strip("/"): entry for entry in entries}
    for path in list(by_path):
        if ".." in path.split("/"):
            raise ValueError(f"{path}: a layer holds no path with `..`")
        parent = path.rpartition("/")[0]
        while parent:
            by_path.setdefault(parent, Entry(path=parent))
            parent = parent.rpartition("/")[0]
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(by_path):
            entry = by_path[path]
            info = tarfile.TarInfo(path)
            info.mode = entry.mode
            if entry.link is not None:
                info.type = tarfile.SYMTYPE
                info.linkname = entry.link
                archive.addfile(info)
            elif entry.source is not None:
                info.size = entry.source.stat().st_size
                with entry.source.open("rb") as content:
                    archive.addfile(info, content)
            elif entry.data is not None:
                info.size = len(entry.data)
                archive.addfile(info, io.BytesIO(entry.data))
            else:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)


def write_image(
    directory: Path, reference: str, entries: Iterable[Entry], config: ImageConfig
) -> str:
    """Write an OCI layout of one image into a directory; gives the manifest's digest.

    `reference` is the full name (`registry.k8s.io/pause:3.10.2`).
    """
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    layer_file = blobs / "layer"
    with layer_file.open("wb") as handle:
        write_layer(handle, entries)
    with layer_file.open("rb") as handle:
        layer_hex = hashlib.file_digest(handle, "sha256").hexdigest()
    layer_size = layer_file.stat().st_size
    layer_file.rename(blobs / layer_hex)

    document: dict[str, object] = {
        "architecture": versions.ARCHITECTURE,
        "os": "linux",
        "config": {
            key: value
            for key, value in {
                "Entrypoint": list(config.entrypoint),
                "Cmd": list(config.cmd),
                "User": config.user,
                "Env": list(config.env),
                "WorkingDir": config.working_dir,
                "Labels": dict(config.labels),
            }.items()
            if value
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_hex}"]},
    }
    config_part = _blob(blobs, document, CONFIG)
    manifest = _blob(
        blobs,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config_part,
            "layers": [{"mediaType": LAYER, "digest": f"sha256:{layer_hex}", "size": layer_size}],
        },
        MANIFEST,
    )
    named = manifest | {
        "platform": {"architecture": versions.ARCHITECTURE, "os": "linux"},
        "annotations": {
            NAME_ANNOTATION: reference,
            "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
        },
    }
    write_index(directory, [named])
    return str(manifest["digest"])


def write_index(directory: Path, manifests: Iterable[Mapping[str, object]]) -> None:
    """Write index.json and oci-layout."""
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}
    (directory / "index.json").write_text(json.dumps(index, indent=2) + "\n")
    (directory / "oci-layout").write_text(json.dumps(LAYOUT) + "\n")


def read_index(directory: Path) -> list[dict[str, object]]:
    """The manifests named by a layout's index.json."""
    loaded = json.loads((directory / "index.json").read_text())["manifests"]
    assert isinstance(loaded, list)
    return loaded


def _blob(blobs: Path, document: Mapping[str, object], media_type: str) -> dict[str, object]:
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}
