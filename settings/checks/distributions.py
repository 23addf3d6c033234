"""Distributions: who takes which repositories, and what a release has not in all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Final

from settings.checks.registry import doubts, reads
from settings.checks.releases import family_of, release_of
from settings.checks.routers_kind import KINDS
from settings.models.distributions import DISTRIBUTIONS, Distribution, DistributionName
from settings.models.proxmox import Image
from settings.models.software import AptRepository
from settings.models.stack import ROLES, SECTIONS, Stack
from settings.problems import Problem, problem

_ALL = ("software", "proxmox", "routers", "balancers", "cluster")


def _speaks_by_bird(stack: Stack, role: str) -> bool:
    bgp, announces = stack.routers.bgp, stack.balancers.reach.kind == "bgp"
    speaks = role == "router" or (role == "balancer" and announces)
    return speaks and bgp is not None and bgp.daemon == "bird"


def _orders(stack: Stack, role: str) -> bool:
    return role == "balancer" and stack.balancers.certificate.ordered is not None


def _orders_by_records(stack: Stack, role: str) -> bool:
    ordered = stack.balancers.certificate.ordered
    return role == "balancer" and ordered is not None and ordered.traits.zones


BROUGHT: Final[Mapping[str, Callable[[Stack, str], bool]]] = {
    "bird": _speaks_by_bird,
    "certbot": _orders,
    "certbot-dns-cloudflare": _orders_by_records,
    "conntrackd": lambda stack, role: role == "router" and len(stack.routers.machines) > 1,
    "node-exporter": lambda stack, _: stack.access.node_exporter and stack.access.baseline_packages,
}
"""Whether machines of a role install what some release has elsewhere (`Distribution.elsewhere`), if
they have a distribution."""


def installed(stack: Stack, role: str) -> set[str]:
    """What machines of a role install that some release has elsewhere; a test compares it with what
    the parts install."""
    if not _has_one(stack, role):
        return set()
    return {what for what, does in BROUGHT.items() if does(stack, role)}


def images(stack: Stack) -> dict[str, Image]:
    """Every image that machines of ours really start from, by its key: an appliance brings a system
    of its own, and takes no packages."""
    return dict(stack.image(role) for role in ROLES.values() if _has_one(stack, role))


def _has_one(stack: Stack, role: str) -> bool:
    """Whether machines of a role have a distribution at all."""
    return role != "router" or not KINDS[stack.routers.kind].appliance


@reads(*_ALL)
def repositories_are_somebodys(stack: Stack) -> Iterator[Problem]:
    """A repository for a distribution that no machine has is never written."""
    there = list(
        dict.fromkeys(
            stack.distribution(role, spec).name
            for role, spec in stack.machines()
            if _has_one(stack, role)
        )
    )
    for index, each in enumerate(stack.software.repositories):
        for place, name in enumerate(each.distributions):
            if name not in there:
                yield problem(
                    f"software.repositories[{index}].distributions[{place}]",
                    name,
                    "is no machine's",
                    f"write {' or '.join(there)}, or remove the repository",
                )


@doubts(*_ALL)
def repositories_are_the_images(stack: Stack) -> Iterator[Problem]:
    """Names are only names, so that another release's is a doubt and no error."""
    software, used = stack.software, images(stack)
    for index, each in enumerate(software.repositories):
        mine = {k: v for k, v in used.items() if each in software.of(v.distribution)}
        yield from _odd(f"software.repositories[{index}]", each, mine, alone=len(used) == 1)
    nodes = dict([stack.image("worker")])
    for key in ("kubernetes_repository", "containerd_repository"):
        repository = getattr(software, key)
        if repository is not None:
            yield from _odd(f"software.{key}", repository, nodes, alone=True)


def _odd(path: str, each: AptRepository, of: dict[str, Image], *, alone: bool) -> Iterator[Problem]:
    or_else = "" if alone else f", or say in {path}.distributions whose it is"
    for image in _distinct(list(of.values())):
        distribution = image.distribution
        for index, suite in enumerate(each.suites):
            if release_of(suite) not in (None, distribution):
                yield problem(
                    f"{path}.suites[{index}]",
                    suite,
                    f"is another release than the image's ({image.file_name}: {distribution})",
                    f"write {distribution}{or_else}",
                )
        family = family_of(distribution)
        for index, uri in enumerate(each.uris):
            if (said := family_of(uri)) not in (None, family):
                yield problem(
                    f"{path}.uris[{index}]",
                    uri,
                    f"is {said}'s, and the image is {family}'s ({image.file_name})",
                    f"write {family}'s{or_else}",
                )


def _distinct(images: Sequence[Image]) -> list[Image]:
    """One of each distribution."""
    return list({image.distribution: image for image in reversed(images)}.values())[::-1]


@doubts("access", *_ALL)
def repositories_have_every_component(stack: Stack) -> Iterator[Problem]:
    """What a role's machines install may be in a part of their distribution's archive that is not
    listed."""
    wanted: dict[DistributionName, tuple[str, set[str]]] = {}
    for role in SECTIONS:
        row = DISTRIBUTIONS[stack.distribution(role).name]
        if _has_one(stack, role):
            _, components = wanted.setdefault(row.name, (role, set()))
            components |= {
                row.elsewhere[what] for what in row.elsewhere.keys() & installed(stack, role)
            }
            if not components:
                del wanted[row.name]
    for name, (role, components) in wanted.items():
        yield from _lacking(stack, DISTRIBUTIONS[name], components, role.replace("_", " "))


def _lacking(stack: Stack, row: Distribution, wanted: Set[str], role: str) -> Iterator[Problem]:
    taken = {
        index: each
        for index, each in enumerate(stack.software.repositories)
        if each in stack.software.of(row.name) and row.name in each.suites
    }
    listed = {component for each in taken.values() for component in each.components}
    lacking = [each for each in row.components if each in wanted - listed]
    if lacking and not listed.isdisjoint(row.components):
        index, each = next(iter(taken.items()))
        yield problem(
            f"software.repositories[{index}].components",
            each.components,
            f"lack {', '.join(lacking)}, where {row.name} has some of what its {role}s install",
            f"write [{', '.join([*each.components, *lacking])}]",
        )


@doubts(*_ALL)
def pairs_are_of_one_distribution(stack: Stack) -> Iterator[Problem]:
    """Two releases of a daemon understand each other while one machine after the other moves; for
    longer nobody tries it."""
    pairs = {"router": stack.routers.machines, "balancer": stack.balancers.machines}
    for role, machines in pairs.items():
        names = [stack.distribution(role, spec).name for spec in machines]
        for index, spec in enumerate(machines):
            if spec.distribution is not None and len(set(names)) > 1:
                yield problem(
                    f"{SECTIONS[role]}.machines[{index}].distribution",
                    spec.distribution,
                    f"is not what the other of the pair is ({names[1 - index]})",
                    f"replace {spec.name} next, and remove this key",
                )
