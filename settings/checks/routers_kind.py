"""What a kind of router asks of a stack: an image and host keys, where it is an appliance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem


@dataclass(frozen=True, kw_only=True)
class Asks:
    """Whether machines of a kind need an image of their own, and whether they take no cloud-init,
    so that the stack must know their host keys."""

    image: bool
    host_keys: bool


KINDS: Final[Mapping[str, Asks]] = {"linux": Asks(image=False, host_keys=False)}
"""By the word of `routers.kind`."""


@reads("routers")
def appliances_bring_their_image_and_keys(stack: Stack) -> Iterator[Problem]:
    """What the program cannot give a machine, the stack must; what it gives, nobody else may."""
    routers = stack.routers
    asks, names = KINDS[routers.kind], [each.name for each in routers.machines]
    if asks.image and routers.image is None:
        yield problem(
            "routers.image",
            ABSENT,
            f"is missing: no {routers.kind} router starts from proxmox.image",
            "write the appliance's image",
        )
    for name in names if asks.host_keys else ():
        if name not in routers.host_keys:
            yield problem(
                f"routers.host_keys.{name}",
                ABSENT,
                "is missing: a router without cloud-init answers with a host key of its own",
                "write its public key, such as: ssh-ed25519 AAAA...",
            )
    for name in routers.host_keys:
        if not asks.host_keys:
            yield problem(
                f"routers.host_keys.{name}",
                ABSENT,
                f"is not for {routers.kind} routers, which the program gives a host key",
                "remove it",
            )
        elif name not in names:
            yield problem(
                f"routers.host_keys.{name}",
                ABSENT,
                "is no router's",
                f"write one of {', '.join(names)}",
            )


@reads("routers", "proxmox")
def images_are_told_apart(stack: Stack) -> Iterator[Problem]:
    """Two images on one datastore, of one content type, under names of their own."""
    own, everybodys = stack.routers.image, stack.proxmox.image
    if own is None or own == everybodys:
        return
    path = "routers.image.file_name"
    if own.file_name == everybodys.file_name:
        yield problem(
            path,
            own.file_name,
            "is proxmox.image.file_name too, for another file",
            "give it another name",
        )
    elif own.file_name.endswith(".img") != everybodys.file_name.endswith(".img"):
        yield problem(
            path,
            own.file_name,
            f"is stored otherwise than proxmox.image ({everybodys.file_name}): .img files are of "
            "content type iso, .qcow2 and .raw of import",
            "bring both in the same way",
        )
