"""The Helm repository of the lab: index.yaml and one archive a chart.

Cilium's and MetalLB's charts are the ones in their Go modules, unchanged. Upstream's Traefik chart
is in no module; `charts/traefik` renders the part of its values that the platform uses.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.software import goitems, versions
from lab.software.gotools import module_directory
from lab.software.progress import Progress
from lab.software.store import BuildError, Item, files_digest

TRAEFIK = Path(__file__).resolve().parent / "charts" / "traefik"

CHARTS = {
    "cilium": versions.CILIUM,
    "metallb": versions.METALLB,
    "traefik": versions.TRAEFIK_CHART,
}
"""Chart name to chart version, as the repository offers them."""


def helm(arguments: Sequence[str], work: Path) -> str:
    """Run the built helm with its own directories under `work`; gives what it printed.

    Raises `BuildError` with helm's words.
    """
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(work),
        "HELM_CACHE_HOME": str(work / "cache"),
        "HELM_CONFIG_HOME": str(work / "config"),
        "HELM_DATA_HOME": str(work / "data"),
    }
    answer = subprocess.run(
        [str(goitems.HELM.executable("helm")), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if answer.returncode != 0:
        raise BuildError(f"{answer.stderr.strip()}\n(helm {arguments[0]} said this)")
    return answer.stdout


def _make(directory: Path, progress: Progress) -> None:
    work = directory / ".work"
    work.mkdir()
    cilium = module_directory(goitems.CILIUM_MODULE, f"v{versions.CILIUM}", progress)
    metallb = module_directory(goitems.METALLB_MODULE, f"v{versions.METALLB}", progress)
    sources = {
        "cilium": cilium / "install" / "kubernetes" / "cilium",
        "metallb": metallb / "charts" / "metallb",
        "traefik": TRAEFIK,
    }
    for name, source in sources.items():
        progress.detail(name)
        helm(["package", str(source), "--destination", str(directory)], work)
        archive = directory / f"{name}-{CHARTS[name]}.tgz"
        if not archive.is_file():
            raise BuildError(f"the chart in {source.name} is not {name} {CHARTS[name]}")
    helm(["repo", "index", str(directory)], work)
    shutil.rmtree(work)


def item() -> Item:
    """The repository as an item of the cache."""
    return Item(
        name="charts",
        version=versions.CILIUM,
        inputs={
            "charts": " ".join(f"{name}={version}" for name, version in CHARTS.items()),
            "traefik": files_digest(TRAEFIK),
        },
        needs=(goitems.HELM.item,),
        make=_make,
    )
