"""The hypervisors by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from settings.checks.registry import doubts, reads
from settings.models.proxmox import Image
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("proxmox")
def hosts_are_told_apart(stack: Stack) -> Iterator[Problem]:
    """Proxmox host names are unique."""
    seen: dict[str, int] = {}
    for index, host in enumerate(stack.proxmox.hosts):
        earlier = seen.setdefault(host.name, index)
        if earlier != index:
            yield problem(
                f"proxmox.hosts[{index}].name",
                host.name,
                f"names proxmox.hosts[{earlier}] already",
                "list each host once, as the Proxmox cluster calls it",
            )


_MOVING = re.compile(
    r"(?i)/(latest|current|daily|nightly|snapshot)(/|$)|[-_.](latest|current)[-_.]"
)
_PACKED = re.compile(r"(?i)\.(7z|bz2|gz|lzo|tgz|txz|xz|zip|zst)$")
_DISK = re.compile(r"(?i)\.(img|qcow2|raw)$")
_FOREIGN = re.compile(
    r"(?i)(?<![a-z0-9])(aarch64|arm64|armhf|i386|ppc64(el|le)|riscv64|s390x)(?![a-z0-9])"
)


def one_file(path: str, image: Image) -> Iterator[Problem]:
    """Of an image by its URL."""
    path, url = f"{path}.url", image.url
    where = urlsplit(url).path
    if where in ("", "/") or where.endswith("/"):
        yield problem(path, url, "is a folder", "write the URL of the file in it")
    elif _MOVING.search(where):
        yield problem(
            path,
            url,
            "is another file after the next build, and the checksum of this one",
            "write the URL of a dated build",
        )
    elif _PACKED.search(where):
        yield problem(
            path,
            url,
            "is an archive, which Proxmox would store as it is",
            "write the URL of a .qcow2, .raw or .img file",
        )


def as_named(path: str, image: Image) -> Iterator[Problem]:
    """Of an image by its URL and file name."""
    name = urlsplit(image.url).path.rpartition("/")[2]
    foreign = _FOREIGN.search(name) or _FOREIGN.search(image.file_name)
    if foreign is not None:
        yield problem(
            f"{path}.url",
            image.url,
            f"is for {foreign[1]}, and the machines are amd64",
            "write the amd64 image's URL",
        )
    if "nocloud" in name:
        yield problem(
            f"{path}.url",
            image.url,
            "is Debian's image without cloud-init, by which a machine gets its addresses",
            "write the genericcloud image's URL",
        )
    if _DISK.search(name) and _DISK.sub("", name) != _DISK.sub("", image.file_name):
        yield problem(
            f"{path}.file_name",
            image.file_name,
            f"is not the file's own name ({name})",
            f"write {name}",
        )


@reads("proxmox")
def tags_are_told_once(stack: Stack) -> Iterator[Problem]:
    """Proxmox keeps each once, which would read back as a change for ever."""
    tags = stack.proxmox.tags
    for index, tag in enumerate(tags):
        if tag in tags[:index]:
            yield problem(f"proxmox.tags[{index}]", tag, "stands twice", "name each tag once")


_OF_BLOCKS: Final = ("local-lvm", "local-zfs")
"""As Proxmox' installer calls storages that hold disks and no files (pvesm(1))."""


@doubts("proxmox")
def files_have_a_place(stack: Stack) -> Iterator[Problem]:
    """Images are downloaded and snippets uploaded as files."""
    stores = stack.proxmox.datastores
    for key, store in (("images", stores.images), ("snippets", stores.snippets)):
        if store in _OF_BLOCKS:
            yield problem(
                f"proxmox.datastores.{key}",
                store,
                "is what Proxmox calls a storage of disks, which holds no files",
                "write one of type dir, such as local",
            )
            return
