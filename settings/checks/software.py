"""Where packages come from: repositories."""

from __future__ import annotations

import re
from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.software import AptRepository
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem


@reads("software")
def repositories_are_well_formed(stack: Stack) -> Iterator[Problem]:
    """sources.list(5): a suite that ends in a slash is an exact path and takes no components."""
    seen: dict[str, str] = {}
    for path, each in walk(stack, AptRepository):
        earlier = seen.setdefault(each.name, path)
        if earlier != path:
            yield problem(
                f"{path}.name",
                each.name,
                f"names {earlier} already",
                "give each repository a name of its own: it names its file",
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


_LEGACY = re.compile(r"https?://(apt\.kubernetes\.io|packages\.cloud\.google\.com/apt)(/|$)")
_UPSTREAM = re.compile(r"https?://pkgs\.k8s\.io(?=/|$)(.*)")
_FLAT = re.compile(r"/core:/stable:/v\d+\.\d+/deb/?")
_RIGHT = "write https://pkgs.k8s.io/core:/stable:/v1.36/deb/ with suites: [/]"


@reads("software")
def upstream_is_where_it_is(stack: Stack) -> Iterator[Problem]:
    """kubernetes.io, "pkgs.k8s.io": one repository a minor, flat; the old hosts are gone."""
    for path, each in walk(stack, AptRepository):
        for index, uri in enumerate(each.uris):
            here, found = f"{path}.uris[{index}]", _UPSTREAM.match(uri)
            if _LEGACY.match(uri):
                yield problem(here, uri, "was taken down in 2024", _RIGHT)
            elif found is not None and _FLAT.fullmatch(found[1]) is None:
                yield problem(here, uri, "is not where upstream's Debian packages are", _RIGHT)
            elif found is not None and each.suites != ["/"]:
                yield problem(
                    f"{path}.suites", each.suites, "are not of a flat repository", "write [/]"
                )


_DOCKERS = re.compile(r"https?://download\.docker\.com(?=/|$)(.*)")
_DOCKER_HAS = ("debian", "ubuntu")


@reads("software")
def each_repository_has_what_it_is_for(stack: Stack) -> Iterator[Problem]:
    """Docker's has containerd, for two families of apt, and upstream's kubeadm alone."""
    software = stack.software
    given = {
        "kubernetes_repository": (software.kubernetes_repository, _DOCKERS, "kubeadm", _RIGHT),
        "containerd_repository": (
            software.containerd_repository,
            _UPSTREAM,
            "containerd",
            "write https://download.docker.com/linux/debian",
        ),
    }
    for key, (repository, others, lacking, right) in given.items():
        for index, uri in enumerate(repository.uris if repository is not None else ()):
            if others.match(uri):
                path = f"software.{key}.uris[{index}]"
                yield problem(path, uri, f"is a repository without {lacking}", right)
    for path, each in walk(stack, AptRepository):
        for index, uri in enumerate(each.uris):
            found = _DOCKERS.match(uri)
            family = found[1].strip("/").removeprefix("linux/") if found else "debian"
            if family not in _DOCKER_HAS:
                right = f"write https://download.docker.com/linux/{' or '.join(_DOCKER_HAS)}"
                yield problem(f"{path}.uris[{index}]", uri, "is no apt repository", right)
