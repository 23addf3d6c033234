"""The images that machines start from: everybody's, and the routers' own."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.proxmox import as_named, one_file
from settings.checks.registry import doubts, reads
from settings.models.proxmox import Image
from settings.models.stack import Stack
from settings.problems import Problem


def images(stack: Stack) -> Iterator[tuple[str, Image]]:
    """Each with its key."""
    yield "proxmox.image", stack.proxmox.image
    if stack.routers.image is not None:
        yield "routers.image", stack.routers.image


@reads("proxmox", "routers")
def image_stays_what_it_is(stack: Stack) -> Iterator[Problem]:
    """A checksum is of one file, and Proxmox imports disks, not archives."""
    for path, image in images(stack):
        yield from one_file(path, image)


@doubts("proxmox", "routers")
def image_is_what_its_name_says(stack: Stack) -> Iterator[Problem]:
    """The machines are amd64, and the file in the datastore is known by its name."""
    for path, image in images(stack):
        yield from as_named(path, image)
