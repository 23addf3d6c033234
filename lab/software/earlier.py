"""The Kubernetes repository with an earlier release beside the ordinary one, for an upgrade."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lab.software import apt, deb, goitems, packages, signing, versions
from lab.software.progress import Progress
from lab.software.store import Item, fingerprint


def earlier_packages() -> Iterator[deb.Package]:
    """kubeadm, kubelet and kubectl of the earlier release; what they need is the same."""
    for package in packages.kubernetes():
        program = goitems.EARLIER.get(package.name)
        if program is not None:
            yield replace(
                package,
                version=f"{versions.KUBERNETES_EARLIER}-{versions.PACKAGE_REVISION}",
                programs={path: program.executable(package.name) for path in package.programs},
            )


def _make(directory: Path, progress: Progress) -> None:
    flat = directory / "kubernetes"
    pool = flat / versions.ARCHITECTURE
    pool.mkdir(parents=True)
    for each in (apt.item().path / "kubernetes" / versions.ARCHITECTURE).glob("*.deb"):
        os.link(each, pool / each.name)
    for package in earlier_packages():
        package.build(pool, progress)
    apt.write_index(flat, versions.ARCHITECTURE, flat)
    apt.write_release(flat, "", "", progress)


def item() -> Item:
    """The repository `kubernetes` of both releases, signed with the lab's key."""
    programs = [goitems.EARLIER[name] for name in ("kubeadm", "kubelet", "kubectl")]
    return Item(
        name="apt-earlier",
        version=versions.KUBERNETES_EARLIER,
        inputs={"recipe": fingerprint(deb, packages, apt, sys.modules[__name__])},
        needs=(apt.item(), signing.item(), *(program.item for program in programs)),
        make=_make,
    )
