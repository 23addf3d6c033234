"""Where software comes from: repositories, charts, images; everything pinned."""

from __future__ import annotations

import re
from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.cluster import Chart
from settings.models.machines import AptRepository
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_EXACT = re.compile(r"^v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$")
_MINOR = re.compile(r"/v(\d+\.\d+)(/|$)")
_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_SCHEMES = ("http://", "https://")


def repositories(stack: Stack) -> list[tuple[str, AptRepository]]:
    """Every apt repository with the path it is written at."""
    software = stack.software
    found = [
        (f"software.repositories[{index}]", each)
        for index, each in enumerate(software.repositories)
    ]
    for key in ("kubernetes_repository", "containerd_repository"):
        single: AptRepository | None = getattr(software, key)
        if single is not None:
            found.append((f"software.{key}", single))
    return found


@reads("software")
def repositories_are_well_formed(stack: Stack) -> Iterator[Problem]:
    """sources.list(5): a suite that ends in a slash is an exact path and takes no components."""
    seen: dict[str, str] = {}
    for path, each in repositories(stack):
        earlier = seen.setdefault(each.name, path)
        if earlier != path:
            yield problem(
                f"{path}.name",
                each.name,
                f"names {earlier} already",
                "give each repository a name of its own: it names its file",
            )
        for index, uri in enumerate(each.uris):
            if not uri.startswith(_SCHEMES):
                yield problem(
                    f"{path}.uris[{index}]", uri, "is no URI apt can fetch", "write http or https"
                )
        exact = [suite for suite in each.suites if suite.endswith("/")]
        if exact and each.components:
            yield problem(
                f"{path}.components",
                each.components,
                f"do not go with the exact path {exact[0]} in suites",
                "remove the components, or the slash",
            )
        if len(exact) < len(each.suites) and not each.components:
            yield problem(
                f"{path}.components",
                each.components,
                f"is empty, and the suite {each.suites[0]} needs some",
                "write [main] or the like, or end the suite in a slash",
            )
        yield from _signed(path, each)


def _signed(path: str, repository: AptRepository) -> Iterator[Problem]:
    key = repository.signed_by
    if key is None or key.strip().startswith(_KEY):
        return
    wrong = "is a private key" if "PRIVATE KEY" in key else "is not an armored public key"
    yield problem(
        f"{path}.signed_by", ABSENT, wrong, f"write the key itself, from {_KEY} to its end"
    )


@reads("software", "cluster")
def kubernetes_can_be_installed(stack: Stack) -> Iterator[Problem]:
    """Some repository has kubeadm, of the minor that is wanted, and some has the runtime."""
    software, cluster = stack.software, stack.cluster
    minor = ".".join(cluster.kubernetes_version.split(".")[:2])
    kubernetes = software.kubernetes_repository
    if kubernetes is None and not software.repositories:
        yield problem(
            "software.kubernetes_repository",
            None,
            "leaves no repository that has kubeadm",
            f"write the one of v{minor}, or list repositories that have it",
        )
    for index, uri in enumerate(kubernetes.uris if kubernetes is not None else []):
        named = _MINOR.search(uri)
        if named is not None and named.group(1) != minor:
            yield problem(
                f"software.kubernetes_repository.uris[{index}]",
                uri,
                f"is the repository of v{named.group(1)}, and cluster.kubernetes_version is "
                f"{cluster.kubernetes_version}",
                f"write the repository of v{minor}",
            )
    if (
        software.containerd_repository is None
        and not software.repositories
        and cluster.containerd.package == "containerd.io"
    ):
        yield problem(
            "software.containerd_repository",
            None,
            "leaves no repository that has containerd.io",
            "write the repository, or name a package of the image's own sources in "
            "cluster.containerd.package",
        )


@reads("platform")
def charts_are_pinned(stack: Stack) -> Iterator[Problem]:
    """An exact version from a known place: the same plan tomorrow as today."""
    platform = stack.platform
    charts: list[tuple[str, Chart]] = [
        ("platform.cilium", platform.cilium),
        ("platform.metallb.chart", platform.metallb.chart),
        ("platform.ingress.chart", platform.ingress.chart),
    ]
    for path, chart in charts:
        if not _EXACT.match(chart.version):
            yield problem(
                f"{path}.version",
                chart.version,
                "is no exact chart version",
                "write all three numbers, such as 1.20.2",
            )
        local = "/" in chart.chart
        if chart.repository is None and not local:
            yield problem(
                f"{path}.repository",
                None,
                f"leaves nowhere to find the chart {chart.chart}",
                "write the repository, or a path or oci:// reference as the chart",
            )
    demo = platform.demo
    if demo is not None and not _pinned(demo.image):
        yield problem(
            "platform.demo.image",
            demo.image,
            "may be another image tomorrow",
            "write a tag other than latest, or a digest",
        )


def _pinned(image: str) -> bool:
    if "@sha256:" in image:
        return True
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return bool(colon) and tag not in ("", "latest")
