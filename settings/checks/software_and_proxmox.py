"""Repositories and the machines' image: of one distribution and one release."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import doubts
from settings.checks.releases import family_of, release_of
from settings.models.software import AptRepository
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem


@doubts("software", "proxmox")
def repositories_are_the_images(stack: Stack) -> Iterator[Problem]:
    """Names are only names, so that another release's is a doubt and no error."""
    image = stack.proxmox.image.file_name
    release, family = release_of(image), family_of(image)
    for path, each in walk(stack, AptRepository):
        for index, suite in enumerate(each.suites):
            said = release_of(suite)
            if None not in (said, release) and said != release:
                yield problem(
                    f"{path}.suites[{index}]",
                    suite,
                    f"is another release than the image's ({image}: {release})",
                    f"write {release}",
                )
        for index, uri in enumerate(each.uris):
            of = family_of(uri)
            if None not in (of, family) and of != family:
                yield problem(
                    f"{path}.uris[{index}]",
                    uri,
                    f"is {of}'s, and the image is {family}'s ({image})",
                    f"write {family}'s",
                )
