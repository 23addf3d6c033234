"""The key that signs the lab's apt repository: made once a cache, worth nothing elsewhere."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from lab.software.debian import require_tools
from lab.software.progress import Progress
from lab.software.store import BuildError, Item, ensure_item

_USER = "layered-cloud lab repository <lab@lab.test>"
PUBLIC = "key.asc"
_SECRET = "secret.asc"  # noqa: S105 -- a file name


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    """A GnuPG home of its own; its agent is ended before the home goes."""
    with tempfile.TemporaryDirectory(prefix="lc-gpg-") as name:
        home = Path(name)
        home.chmod(0o700)
        try:
            yield home
        finally:
            subprocess.run(
                ["gpgconf", "--homedir", name, "--kill", "all"], check=False, capture_output=True
            )


def _gpg(home: Path, arguments: Sequence[str], stdin: bytes = b"") -> bytes:
    answer = subprocess.run(
        ["gpg", "--homedir", str(home), "--batch", "--quiet", "--no-tty", *arguments],
        input=stdin,
        capture_output=True,
        check=False,
    )
    if answer.returncode != 0:
        words = answer.stderr.decode(errors="replace").strip()
        raise BuildError(f"{words}\n(gpg said this)")
    return answer.stdout


def _make(directory: Path, progress: Progress) -> None:
    del progress
    require_tools("gpg")
    directory.chmod(0o700)
    with _home() as home:
        options = ["--passphrase", "", "--pinentry-mode", "loopback"]
        _gpg(home, [*options, "--quick-generate-key", _USER, "ed25519", "sign", "never"])
        (directory / PUBLIC).write_bytes(_gpg(home, ["--armor", "--export"]))
        secret = directory / _SECRET
        secret.touch(mode=0o600)
        secret.write_bytes(_gpg(home, [*options, "--armor", "--export-secret-keys"]))


def item() -> Item:
    """The key pair as an item of the cache."""
    return Item(
        name="signing-key", version="1", inputs={"user": _USER, "kind": "ed25519"}, make=_make
    )


def sign_release(folder: Path, progress: Progress) -> None:
    """Write InRelease and Release.gpg beside a Release file. Raises `BuildError`."""
    key = ensure_item(item(), progress)
    with _home() as home:
        _gpg(home, ["--import"], (key / _SECRET).read_bytes())
        release = (folder / "Release").read_bytes()
        options = ["--digest-algo", "SHA512", "--armor"]
        (folder / "InRelease").write_bytes(_gpg(home, [*options, "--clearsign"], release))
        (folder / "Release.gpg").write_bytes(_gpg(home, [*options, "--detach-sign"], release))
