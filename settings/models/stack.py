"""A whole stack."""

from __future__ import annotations

from collections.abc import Iterator

from settings.models.base import Name, Strict
from settings.models.cdn import Cdn
from settings.models.cluster import Cluster, Platform
from settings.models.edge import Balancers, Routers
from settings.models.machines import Access, MachineSpec, Proxmox, Software
from settings.models.network import Networks


class Stack(Strict):
    """Everything a stack file says, section by section; secrets are separate flat keys."""

    environment: Name
    """The stack's name for people, such as dev or prod."""
    networks: Networks
    """Segments, ranges, resolvers."""
    proxmox: Proxmox
    """The hypervisors."""
    access: Access = Access()
    """Logins and upkeep of the machines."""
    software: Software = Software()
    """Package repositories."""
    routers: Routers
    """Routers and firewalls."""
    balancers: Balancers
    """Load balancers."""
    cluster: Cluster
    """The Kubernetes cluster."""
    platform: Platform
    """What runs on the cluster first."""
    cdn: Cdn
    """The CDN in front."""

    def machines(self) -> Iterator[tuple[str, MachineSpec]]:
        """Every machine with its role, in the order of the chain."""
        yield from (("router", spec) for spec in self.routers.machines)
        yield from (("balancer", spec) for spec in self.balancers.machines)
        yield from (("control_plane", spec) for spec in self.cluster.control_planes)
        yield from (("worker", spec) for spec in self.cluster.workers)
