"""Where a daemon must stand besides its own part, as a list of the places that lack it.

A fault names the daemon, the table and its file, and says what to write there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from components.host.pair import watch
from components.host.part import Part
from components.host.speakers import figures
from lab.probes.edge import SCANNED
from lab.software import apt, base, checkers, packages
from ops.inspect.questions import units
from policy.closed import MANAGEMENT
from settings.checks.balancers import TAKEN
from settings.files import examine
from settings.models import Balancers
from tests.golden_files import GOLDEN
from tests.settings.fixtures import patched

DOCS = Path(__file__).parent.parent / "docs"
GOLDENS = {
    "baseline": "tests/components/host/baseline",
    "cluster": "tests/components/cluster/test_cluster_parts.py",
    "routers": "tests/components/routers/linux/test_router_parts.py",
    "loadbalancers": "tests/components/loadbalancers/test_balancer_parts.py",
}
"""What writes a layer's whole files, by the first word of its pushes' names."""
ROLES = {
    "baseline": ("router", "balancer", "control_plane", "worker"),
    "cluster": ("control_plane", "worker"),
    "routers": ("router",),
    "loadbalancers": ("balancer",),
}
"""The machines that a layer's pushes reach, by its first word."""
HANDED_ON = {
    "/etc/haproxy/tls/clients.pem": "certificates, as another layer made them",
    "/etc/layered-certbot/authorities.pem": "certificates, as the stack has them",
}
"""Files that are not rendered here, and what they are."""
OFF_NODES = {
    "journal": "Alloy reads the nodes' journals, and __main__.py names a collector to others alone",
}
"""Parts of the baseline that no node gets, and why."""
STACKS_OWN = "extras"
"""The part that is what a stack adds: it is in no table of the program."""

Sum = tuple[str, tuple[Part, ...]]
"""A push's layer and the parts that are summed into it."""


def absences(sums: Iterable[Sum]) -> set[str]:
    """What the parts need in tables of others that is not there. Files of secrets, of repositories
    and those that are pushed as they stand need no golden."""
    return {
        fault
        for layer, parts in sums
        for part in parts
        if part.name != STACKS_OWN
        for rule in (_free, _owned, _managed, _scanned, _served, _judges, _told, _golden)
        for fault in rule(layer, part)
    }


def _listened(part: Part) -> set[int]:
    return {port.number for port in part.ports if port.number and port.protocol == "tcp"}


def on_balancers(layer: str) -> bool:
    """Whether a push of this layer reaches balancers."""
    return layer == "baseline" or layer.startswith("loadbalancers.")


def chosen() -> set[int]:
    """Ports of the balancers that a stack chooses, by default."""
    return {Balancers.model_fields[key].default for key in ("api_port", "stats_port")}


def _free(layer: str, part: Part) -> Iterator[str]:
    if on_balancers(layer):
        for port in _listened(part) - chosen() - set(TAKEN):
            yield (
                f"{part.name} listens on {port} of the balancers, which a stack may choose: add it "
                "to TAKEN in settings/checks/balancers.py"
            )


def _owned(layer: str, part: Part) -> Iterator[str]:
    if layer not in ("baseline", "cluster") or part.name in OFF_NODES:
        return
    files, installed = _untaken(
        tuple(file.path for file in part.files), tuple(package.name for package in part.packages)
    )
    for path in files:
        yield (
            f"{part.name} writes {path} on nodes, which a stack may name in cluster.node_files: "
            "add it to OWNED in settings/checks/cluster_nodes.py"
        )
    for name in installed:
        yield (
            f"{part.name} installs {name} on nodes, which a stack may name in "
            "cluster.extra_packages: add it to INSTALLED in settings/checks/cluster_nodes.py"
        )


@cache
def _untaken(
    paths: tuple[str, ...], names: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Files and packages that a stack could add to its nodes."""
    if not paths and not names:
        return (), ()
    said: dict[str, object] = {
        "/cluster/node_files": dict.fromkeys(paths, "x"),
        "/cluster/extra_packages": list(names),
    }
    refused = {each.key for each in examine(patched({"set": said})).problems}
    start = "layered-cloud:cluster"
    return (
        tuple(
            path
            for path in paths
            if f"{start}.node_files.{path}" not in refused and not _source(path)
        ),
        tuple(
            name
            for index, name in enumerate(names)
            if f"{start}.extra_packages[{index}]" not in refused
        ),
    )


def _source(path: str) -> bool:
    """A repository's file or key, which carries the name that its own stack gave it."""
    return (
        re.fullmatch(r"/etc/apt/(sources\.list\.d|keyrings)/[^/]+\.(sources|asc)", path) is not None
    )


def _scanned(_: str, part: Part) -> Iterator[str]:
    for port in part.ports:
        number = port.number
        if port.protocol != "tcp" or number is None or port.network == "loopback":
            continue
        if not any(first <= number <= last for first, last in SCANNED):
            yield (
                f"{part.name} listens on {number}, which no probe asks for from outside: add it "
                "to SCANNED in lab/probes/edge.py"
            )


def _managed(_: str, part: Part) -> Iterator[str]:
    by_management = {port.number for port in part.ports if port.network == "management"}
    figures = {exporter.port for exporter in part.exporters}
    for port in sorted(_listened(part) & (by_management | figures) - set(MANAGEMENT)):
        yield (
            f"{part.name} is reached at {port} by whoever runs the machines, and the rules let a "
            "stack open it to the world: add it to MANAGEMENT in policy/closed.py"
        )


def _served(_: str, part: Part) -> Iterator[str]:
    for package in part.packages:
        if package.name not in served():
            yield (
                f"{part.name} installs {package.name}, which the lab does not serve: add it to "
                "DEBIAN_PACKAGES in lab/software/apt.py"
            )


def served() -> set[str]:
    """Packages that the lab's machines have or can install."""
    return {*base.PACKAGES, *apt.DEBIAN_PACKAGES, *_built()}


@cache
def _built() -> frozenset[str]:
    """Packages that the lab makes itself; their programs judge files where they are built."""
    return frozenset(each.name for each in (*packages.kubernetes(), *packages.containerd()))


def _judges(_: str, part: Part) -> Iterator[str]:
    if part.checks:
        for package in part.packages:
            if package.name not in (*checkers.PACKAGES, *_built()):
                yield (
                    f"{part.name} has a checker, and tests have no {package.name} to run it: add "
                    "it to PACKAGES in lab/software/checkers.py"
                )


def _told(layer: str, part: Part) -> Iterator[str]:
    for service in part.services:
        name = service.name.removesuffix(".service")
        for role in ROLES[layer.partition(".")[0]]:
            if not any(fnmatch(name, pattern) for pattern in units(role)):
                yield (
                    f"{part.name} runs {service.name}, whose journal a bug report has not: add it "
                    "to _UNITS in ops/inspect/questions.py"
                )


def _golden(layer: str, part: Part) -> Iterator[str]:
    for file in part.files:
        other = (
            file.path in HANDED_ON
            or file.secrets
            or file.path.startswith((watch.PROGRAM, figures.PROGRAM))
            or _source(file.path)
        )
        if not other and not any(path.endswith(_shape(file.path)) for path in _goldens()):
            yield (
                f"{part.name}: {file.path} lies whole nowhere under tests/golden: UPDATE_GOLDEN=1 "
                f"$(make -s python) -m pytest {GOLDENS[layer.partition('.')[0]]}"
            )


@cache
def _goldens() -> tuple[str, ...]:
    return tuple(_shape(str(path)) for path in GOLDEN.rglob("*") if path.is_file())


def _shape(path: str) -> str:
    """A path without its numbers: of a leg's files one is enough, `eth0`'s or `eth1`'s."""
    return re.sub(r"\d+", "#", path)


def untold() -> set[str]:
    """Packages of the lab's repositories that its page does not name, and names there that none of
    them has."""
    text = (DOCS / "lab-software.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| debian \| (.+?), and all they depend on", text, flags=re.MULTILINE)
    return set(row.split()) ^ set(apt.DEBIAN_PACKAGES)
