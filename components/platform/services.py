"""The stack's public services (`services`): pods of an image, or an Ingress for what is there."""

from __future__ import annotations

from collections.abc import Iterable

from components.platform.addon import Addon, Object, Site
from components.platform.entrance import Entrance, ingress
from components.platform.ingress import CONTROLLERS
from components.platform.workload import Workload, address, budget, pods
from settings.models import PublicService


def addons(site: Site, others: Iterable[Addon]) -> tuple[Addon, ...]:
    """One a service. One whose Service somebody else brings waits for all of `others`, and of the
    services, that are in its namespace."""
    there = list(others)
    made = {each.name: _run(site, each) for each in site.services if each.image is not None}
    there += made.values()
    for each in site.services:
        if each.name not in made:
            after = tuple(addon.name for addon in there if addon.namespace == each.namespace)
            made[each.name] = _shown(site, each, after)
    return tuple(made[each.name] for each in site.services)


def _run(site: Site, service: PublicService) -> Addon:
    workload = Workload(
        name=service.name,
        image=service.image or "",
        port=service.port,
        replicas=service.replicas,
        user=service.user,
        cpu=service.cpu,
        memory=service.memory,
        memory_limit=service.memory_limit,
        env=service.env,
        secret=service.name if service.secrets else None,
        health_path=service.health_path,
        alive_path=service.alive_path,
        writable=service.writable,
    )
    return Addon(
        name=service.name,
        namespace=service.namespace,
        pod_security="restricted",
        objects={
            f"{service.name}-pods": pods(workload),
            f"{service.name}-service": address(workload),
            f"{service.name}-budget": budget(workload),
            f"{service.name}-ingress": _entrance(site, service),
        },
        secrets={service.name: tuple(service.secrets)} if service.secrets else {},
    )


def _shown(site: Site, service: PublicService, after: tuple[str, ...]) -> Addon:
    return Addon(
        name=service.name,
        namespace=service.namespace,
        objects={f"{service.name}-ingress": _entrance(site, service)},
        after=after,
    )


def _entrance(site: Site, service: PublicService) -> Object:
    name, port = service.behind
    entrance = Entrance(
        name=service.name,
        namespace=service.namespace,
        hosts=service.hosts,
        path=service.path,
        service=name,
        port=int(port) if port.isdecimal() else port,
        issuer=service.issuer,
        annotations=service.annotations,
        other_class=service.ingress_class,
    )
    return ingress(entrance, CONTROLLERS[site.settings.ingress.kind])
