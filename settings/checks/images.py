"""The images that machines start from: everybody's, and those that roles have of their own."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.proxmox import as_named, one_file
from settings.checks.registry import doubts, reads
from settings.checks.releases import release_of
from settings.checks.routers_kind import KINDS
from settings.models.distributions import DISTRIBUTIONS
from settings.models.proxmox import Image
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem


@reads()
def image_stays_what_it_is(stack: Stack) -> Iterator[Problem]:
    """A checksum is of one file, and Proxmox imports disks, not archives."""
    for path, image in walk(stack, Image):
        yield from one_file(path, image)


@doubts()
def image_is_what_its_name_says(stack: Stack) -> Iterator[Problem]:
    """The machines are amd64, and the file in the datastore is known by its name."""
    for path, image in walk(stack, Image):
        yield from as_named(path, image)


@doubts()
def distribution_is_what_the_image_says(stack: Stack) -> Iterator[Problem]:
    """Names are only names, so that another release's is a doubt and no error; the machine itself
    is asked before its first push."""
    for path, image in walk(stack, Image):
        if path == "routers.image" and KINDS[stack.routers.kind].appliance:
            continue
        said = release_of(image.url) or release_of(image.file_name)
        if said not in (None, image.distribution):
            yield problem(
                f"{path}.distribution",
                image.distribution,
                f"is not what the image is called ({image.url}: {said})",
                f"write {said}"
                if said in DISTRIBUTIONS
                else f"take an image of {', '.join(DISTRIBUTIONS)}",
            )


@reads()
def images_are_told_apart(stack: Stack) -> Iterator[Problem]:
    """Images on one datastore, of one content type, under names of their own."""
    before: list[tuple[str, Image]] = []
    for path, image in walk(stack, Image):
        for earlier, other in before:
            if (found := _alike(path, image, earlier, other)) is not None:
                yield found
                break
        before.append((path, image))


def _alike(path: str, image: Image, earlier: str, other: Image) -> Problem | None:
    if image == other:
        return None
    name = image.file_name
    if name == other.file_name and image.sha256 == other.sha256:
        if image.distribution == other.distribution:
            return None
        return problem(
            f"{path}.distribution",
            image.distribution,
            f"is not what {earlier} says of the same file ({other.distribution})",
            "write the same in both",
        )
    if name == other.file_name:
        return problem(
            f"{path}.file_name",
            name,
            f"is {earlier}.file_name too, for another file",
            "give it another name",
        )
    if name.endswith(".img") != other.file_name.endswith(".img"):
        return problem(
            f"{path}.file_name",
            name,
            f"is stored otherwise than {earlier} ({other.file_name}): .img files are of "
            "content type iso, .qcow2 and .raw of import",
            "bring both in the same way",
        )
    return None
