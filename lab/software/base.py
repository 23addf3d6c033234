"""The image of a bare machine: what the lab's hypervisor unpacks for a new virtual machine.

Debian with systemd, sshd, cloud-init and systemd-networkd, and nothing the program installs: no
balancer, no router daemon, no container runtime. No package sources, host keys or machine id in
it. cloud-init finds neither ifupdown nor netplan in it and renders networks for systemd-networkd.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from lab.software import debian, versions
from lab.software.progress import Progress
from lab.software.store import BuildError, Item, locked, remove_tree

PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "openssh-server", "cloud-init", "sudo"),
    *("python3", "iproute2", "iputils-ping", "procps", "kmod", "netbase", "ca-certificates"),
)

IMAGE = f"debian-{versions.DEBIAN_VERSION}-{versions.ARCHITECTURE}.tar"
"""The image's file name, as the depot serves it under /images/."""

_HOOK = Path(__file__).resolve().parent / "base" / "customize.sh"


def _make(directory: Path, progress: Progress) -> None:
    image = directory / IMAGE
    debian.bootstrap(image, directory, progress, include=PACKAGES, hooks=[f'sh {_HOOK} "$1"'])
    (directory / f"{IMAGE}.sha256").write_text(f"{_sha256(image)}  {IMAGE}\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def item() -> Item:
    """The image as an item of the cache: the tar and its `.sha256` in one directory."""
    return Item(
        name="base",
        version=versions.DEBIAN_SUITE,
        inputs={
            "packages": " ".join(PACKAGES),
            "hook": _HOOK.read_text(),
            "recipe": debian.RECIPE,
        },
        make=_make,
    )


def checksum(image: Path) -> str:
    """The SHA-256 (hex) written beside a finished image."""
    return image.with_name(f"{image.name}.sha256").read_text().split()[0]


def unpack(image: Path, directory: Path) -> Path:
    """Unpack an image once for all machines made from it; gives the tree, complete or not there.

    The tree goes to `DIRECTORY/SHA256`, by rename, so an interruption leaves nothing that looks
    finished. Meant as the lower layer of an overlay: nothing may write into it. Raises
    `BuildError` with tar's words.
    """
    digest = _sha256(image)
    tree = directory / digest
    if tree.is_dir():
        return tree
    directory.mkdir(parents=True, exist_ok=True)
    with locked(f"unpack-{digest[:16]}"):
        if tree.is_dir():
            return tree
        partial = directory / f".partial-{digest}"
        remove_tree(partial)
        partial.mkdir()
        answer = subprocess.run(
            [
                *("tar", "--extract", "--numeric-owner", "--same-owner", "--same-permissions"),
                *("--xattrs", "--xattrs-include=*", "--exclude=./dev/*"),
                *("--file", str(image), "--directory", str(partial)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise BuildError(f"{answer.stderr.strip()}\n(tar said this unpacking {image})")
        partial.chmod(0o755)
        partial.rename(tree)
    return tree
