"""Repositories and the cluster: what it needs can be installed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from settings.checks.registry import reads
from settings.checks.releases import release_of
from settings.models.stack import SECTIONS, Stack
from settings.problems import Problem, problem

_MINOR = re.compile(r"/v(\d+\.\d+)(/|$)")


@reads("software", "proxmox", "cluster")
def kubernetes_can_be_installed(stack: Stack) -> Iterator[Problem]:
    """Some repository has kubeadm, of the minor that is wanted, and some has the runtime."""
    software, cluster = stack.software, stack.cluster
    minor = ".".join(cluster.kubernetes_version.split(".")[:2])
    kubernetes = software.kubernetes_repository
    nodes = [("control_plane", each) for each in cluster.control_planes]
    nodes += [("worker", each) for each in cluster.workers]
    taken = all(software.of(stack.distribution(*node).name) for node in nodes)
    if kubernetes is None and not taken:
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
        and not taken
        and cluster.containerd.package == "containerd.io"
    ):
        yield problem(
            "software.containerd_repository",
            None,
            "leaves no repository that has containerd.io",
            "write the repository, or name a package of the image's own sources in "
            "cluster.containerd.package",
        )


@reads("software", "proxmox", "routers", "balancers", "cluster")
def the_runtime_is_of_the_release(stack: Stack) -> Iterator[Problem]:
    """A version that names a release comes out of a repository of that release only, and goes on
    machines of that release."""
    repository, containerd = stack.software.containerd_repository, stack.cluster.containerd
    named = release_of(containerd.version.replace("~", " "))
    if named is None:
        return
    for suite in repository.suites if repository is not None else []:
        if release_of(suite) not in (None, named):
            yield problem(
                "cluster.containerd.version",
                containerd.version,
                f"is of {named}, and software.containerd_repository has {suite}",
                f"write the version that {suite} has",
            )
            return
    for role, spec in stack.machines():
        its = stack.distribution(role, spec).name
        if SECTIONS[role] == "cluster" and its != named:
            yield problem(
                "cluster.containerd.version",
                containerd.version,
                f"is of {named}, and {spec.name} is {its}",
                f"write the version for {its}: the nodes are of one distribution",
            )
            return
