"""What the rest of the lab asks for: the paths of finished software, built when they are lacking.

software = ensure(("helm", "base", "depot"))
software.helm, software.base_image, software.base_sha256, software.depot_root
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.software import (
    apt,
    base,
    charts,
    checkers,
    earlier,
    edge,
    goitems,
    images,
    plugins,
    signing,
    versions,
)
from lab.software.progress import Progress, Silent
from lab.software.store import BuildError, Item, ensure_item, software_dir

BESIDE = 10
"""The nice value of what is built while machines boot."""


@dataclass(frozen=True, kw_only=True)
class Software:
    """Paths in the cache. A path names its finished item; it exists when that item was ensured."""

    pulumi: Path
    """The Pulumi command line (an executable)."""
    helm: Path
    """The helm command line (an executable)."""
    kubectl: Path
    base_image: Path
    """The bare machine's image, a tar; its SHA-256 is `base_sha256` once it is built."""
    checkers: Path
    """The tree for `lab.software.checkers.run_checker`."""
    apt: Path
    """The apt repositories: debian/, kubernetes/, containerd/, key.asc."""
    signing_key: Path
    """The armored public key of the apt repositories."""
    registry: Path
    """One OCI image layout of every image."""
    charts: Path
    """A Helm repository: index.yaml and archives."""
    depot_root: Path
    """What `python -m lab.software.depot --root` serves: all of the above."""
    edge: Path
    """The tree of the CDN's edge, which only a profile that names it has."""

    @property
    def base_sha256(self) -> str:
        """The image's SHA-256 in hex; raises `FileNotFoundError` when it is not built."""
        return base.checksum(self.base_image)


def depot_item(
    called: str = "depot", *, kubernetes: Item | None = None, registry: Item | None = None
) -> Item:
    """The depot's root: links to the repositories, the image, the registry and the charts.

    `kubernetes` has the packages of Kubernetes in place of those of every lab, `registry` the
    images.
    """
    parts = {"apt": apt.item(), "base": base.item(), "charts": charts.item()}
    parts["registry"] = registry or images.registry_item()
    if kubernetes is not None:
        parts["kubernetes"] = kubernetes
    links = {
        "debian": parts["apt"].path / "debian",
        "kubernetes": (kubernetes or parts["apt"]).path / "kubernetes",
        "containerd": parts["apt"].path / "containerd",
        "key.asc": parts["apt"].path / signing.PUBLIC,
        "images": parts["base"].path,
        "registry": parts["registry"].path,
        "charts": parts["charts"].path,
    }

    def make(directory: Path, progress: Progress) -> None:
        del progress
        # The finished item lies as deep as a partial one: relative links hold in both.
        for name, target in links.items():
            (directory / name).symlink_to(os.path.relpath(target, directory))

    return Item(
        name=called,
        version="1",
        inputs={"links": " ".join(sorted(links))},
        needs=tuple(parts.values()),
        make=make,
    )


def items() -> dict[str, Item]:
    """Every item by name, in the order they are built."""
    ordered = [
        goitems.PULUMI.item,
        goitems.HELM.item,
        checkers.item(),
        base.item(),
        *(program.item for program in goitems.PROGRAMS),
        signing.item(),
        apt.item(),
        *(image.item for image in images.IMAGES),
        images.registry_item(),
        charts.item(),
        depot_item(),
        *_upgrade_items(),
        edge.item(),
        *(program.item for program in plugins.BUILT.values()),
        *(program.item for program in goitems.TOOLS),
        *(checkers.item(each) for each in checkers.FURTHER),
    ]
    return {item.name: item for item in ordered}


def _upgrade_items() -> list[Item]:
    """What a datacentre is made of that is to be upgraded, the depot of both releases last."""
    registry = images.registry_item("registry-upgrade", images.EARLIER)
    return [
        *(program.item for program in goitems.EARLIER.values()),
        *(image.item for image in images.EARLIER),
        earlier.item(),
        registry,
        depot_item(UPGRADE, kubernetes=earlier.item(), registry=registry),
    ]


UPGRADE = "depot-upgrade"
"""The depot that has an earlier release of Kubernetes too."""
LAB = ("pulumi", "helm", "checkers", "depot")
"""Ensuring these ensures all that the lab's machines are made of: the depot needs all others."""


def everything() -> tuple[str, ...]:
    """The items that a lab on this machine needs: of the provider plugins those it lacks."""
    return (*LAB, *plugins.wanted())


def paths() -> Software:
    """Where everything lies, built or not."""
    return Software(
        pulumi=goitems.PULUMI.executable("pulumi"),
        helm=goitems.HELM.executable("helm"),
        kubectl=goitems.KUBECTL.executable("kubectl"),
        base_image=base.item().path / base.IMAGE,
        checkers=checkers.item().path / "root",
        apt=apt.item().path,
        signing_key=signing.item().path / signing.PUBLIC,
        registry=images.registry_item().path,
        charts=charts.item().path,
        depot_root=depot_item().path,
        edge=edge.item().path / "root",
    )


def depot_of(names: Iterable[str]) -> Path:
    """The root of the depot among the names of items; the ordinary one where they name none."""
    named = [name for name in names if name == UPGRADE]
    return items()[named[0]].path if named else depot_item().path


def ensure(names: Iterable[str] | None = None, progress: Progress | None = None) -> Software:
    """Build what is lacking of the named items (and of all they need), and give the paths.
    Without names: of `everything()`.

    Raises `KeyError` for a name that is no item, and `BuildError` when one cannot be made.
    """
    known = items()
    chosen = []
    for name in everything() if names is None else names:
        if name not in known:
            raise KeyError(f"{name} is nothing the lab builds; it builds {', '.join(known)}")
        chosen.append(known[name])
    shown = progress or Progress()
    lanes = [[], []]  # type: list[list[Item]]
    for item in _flattened(chosen):
        lanes[0 if item.turn else 1].append(item)
    # The compiler is one lane; what waits for the network is the other, beside it, and a third
    # has the modules there before the compiler asks for them.
    with ThreadPoolExecutor(max_workers=len(lanes) + 1) as pool:
        running = [pool.submit(_build_lane, lane, shown) for lane in lanes]
        pool.submit(_fetch_lane, lanes[0])
    for lane in running:
        lane.result()
    return paths()


@contextlib.contextmanager
def meanwhile(names: Iterable[str], progress: Progress) -> Iterator[None]:
    """Build what is lacking of the named items beside the block, which ends when they are there.

    Raises `BuildError` when one cannot be made; it goes before an error of the block, which it
    may well have caused.
    """
    lacking = [item for name in names if not (item := items()[name]).ready]
    failed: list[BuildError] = []

    def build() -> None:
        # Of this thread and the compilers it starts: what runs in the block goes first.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BESIDE)
        try:
            for item in lacking:
                ensure_item(item, progress)
        except BuildError as error:
            failed.append(error)

    # A daemon: when the block fails nobody waits for a compiler (which ends with its thread).
    thread = threading.Thread(target=build, daemon=True)
    thread.start()
    try:
        yield
        thread.join()
    finally:
        if failed:
            raise failed[0]


def _build_lane(lane: list[Item], progress: Progress) -> None:
    for item in lane:
        ensure_item(item, progress)


def _fetch_lane(lane: list[Item]) -> None:
    """Fetch for every item but the first, which fetches for itself at once."""
    for item in lane[1:]:
        if item.fetch is not None and not item.ready:
            # Whatever is amiss is told by the item's own making.
            with contextlib.suppress(BuildError):
                item.fetch(Silent())


def _flattened(chosen: Iterable[Item]) -> list[Item]:
    """The items with all they need, each once, needs first, otherwise in the order given."""
    found: dict[str, Item] = {}

    def add(item: Item) -> None:
        for need in item.needs:
            add(need)
        found.setdefault(item.name, item)

    for item in chosen:
        add(item)
    return list(found.values())


def stale() -> list[Path]:
    """Finished items in the cache that no recipe of this checkout asks for any more."""
    wanted = {item.path for item in _flattened(items().values())}
    return sorted(
        path
        for path in software_dir().glob("*/*")
        if not path.parent.name.startswith(".")
        and path.is_dir()
        and path not in wanted
        # The toolchain is no item of its own: it stays while this checkout may use it.
        and path.parent.name != "go-toolchain"
    )


def sources_lines(depot: str) -> dict[str, str]:
    """The sources.list(5) lines of the repositories, for a depot at `http://ADDRESS`."""
    return {name: apt.source_line(name, depot) for name in apt.URLS}


__all__ = [
    "LAB", "Software", "depot_item", "ensure", "everything", "items", "meanwhile", "paths",
    "versions",
]  # fmt: skip
