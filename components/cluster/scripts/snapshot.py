"""A snapshot of etcd: `snapshot.py PKI FILE KEEP`, on a control plane.

Writes FILE (0600, whole or not at all) from the member of this machine, and keeps the KEEP newest
of its folder. PKI holds ca.crt, client.crt and client.key of etcd. Over etcd's JSON gateway, as
`members.py`, since no machine has etcdctl outside of a container. What comes is judged as `etcdutl
snapshot restore` judges it: whole pages of the database, then their SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ENDPOINT = "https://127.0.0.1:2379/v3/maintenance/snapshot"
WAIT = 60
"""Seconds that a piece may take."""
DIGEST = 32
"""Bytes of the SHA-256 behind the database."""
PAGE = 512
"""The database's size is a multiple of it (etcdutl, hasChecksum)."""
MAGIC = b"\xed\xda\x0c\xed"
"""bbolt's, little endian, in the first page behind its header of 16 bytes."""


class Refused(Exception):
    """There is no snapshot; the text says why."""


def pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The blobs of the gateway's answer, a JSON object a line."""
    for line in lines:
        if not line.strip():
            continue
        said = json.loads(line)
        if "error" in said:
            raise Refused(f"etcd broke off: {said['error'].get('message', said['error'])}")
        yield base64.b64decode(said["result"].get("blob", ""))


def judge(path: Path) -> int:
    """The database's size in bytes; raises `Refused` for one that is not whole."""
    size = path.stat().st_size - DIGEST
    if size <= 0 or size % PAGE:
        raise Refused(f"{path}: cut off ({size + DIGEST} bytes)")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        head = file.read(PAGE)
        digest.update(head)
        left = size - len(head)
        while left:
            block = file.read(min(left, 1 << 20))
            digest.update(block)
            left -= len(block)
        if head[16:20] != MAGIC:
            raise Refused(f"{path}: no database of etcd's")
        if file.read() != digest.digest():
            raise Refused(f"{path}: its checksum is another one")
    return size


def write(path: Path, blobs: Iterable[bytes]) -> int:
    """Whole or not at all; the database's size in bytes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            for blob in blobs:
                out.write(blob)
            out.flush()
            os.fsync(out.fileno())
        size = judge(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return size


def forget(folder: Path, keep: int) -> None:
    """All but the newest `keep`."""
    made = sorted(folder.glob("*.db"), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in made[keep:]:
        old.unlink()


def main(argv: Sequence[str]) -> int:
    """Exit status 0 when the snapshot is there and whole."""
    pki, path, keep = argv[0], Path(argv[1]), int(argv[2])
    context = ssl.create_default_context(cafile=f"{pki}/ca.crt")
    context.load_cert_chain(f"{pki}/client.crt", f"{pki}/client.key")
    request = urllib.request.Request(
        ENDPOINT, data=b"{}", headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(  # noqa: S310 - its scheme stands above
            request, timeout=WAIT, context=context
        ) as answer:
            size = write(path, pieces(answer))
        forget(path.parent, keep)
    except urllib.error.HTTPError as error:
        sys.stderr.write(
            f"etcd gave no snapshot: {error.read().decode(errors='replace').strip()}\n"
        )
        return 1
    except (OSError, ValueError, KeyError, Refused) as error:
        sys.stderr.write(
            f"etcd's snapshot could not be kept in {path}: {error}\nnothing was upgraded\n"
        )
        return 1
    sys.stderr.write(f"etcd's snapshot is kept in {path} ({size} bytes)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
