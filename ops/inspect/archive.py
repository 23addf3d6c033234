"""Texts as one archive, its owner's alone."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path


def archive(path: Path, top: str, texts: Mapping[str, str], at: datetime) -> None:
    """A tar of `texts` by their paths below `top`, mode 0600; one that is there is replaced."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        os.fdopen(handle, "wb") as out,
        tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, text in sorted(texts.items()):
            data = text.encode(errors="backslashreplace")
            row = tarfile.TarInfo(f"{top}/{name}")
            row.size, row.mode, row.mtime = len(data), 0o600, int(at.timestamp())
            tar.addfile(row, io.BytesIO(data))
