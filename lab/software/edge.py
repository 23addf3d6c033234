"""The tree that the CDN's edge runs in: what a profile with an edge alone needs."""

from __future__ import annotations

from pathlib import Path

from lab.software import debian, versions
from lab.software.progress import Progress
from lab.software.store import Item

NAME = "edge"
PACKAGES = ("nginx-light", "knot")


def item() -> Item:
    """The tree as an item of the cache."""

    def make(directory: Path, progress: Progress) -> None:
        debian.bootstrap(directory / "root", directory, progress, include=PACKAGES)

    return Item(
        name=NAME,
        version=versions.DEBIAN_SUITE,
        inputs={"packages": " ".join(PACKAGES), "recipe": debian.RECIPE},
        make=make,
    )
