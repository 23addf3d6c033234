"""A whole stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import Field

from settings.models.access import Access
from settings.models.balancers import Balancers
from settings.models.base import Name, Strict
from settings.models.cdn import Cdn
from settings.models.cluster import Cluster
from settings.models.distributions import DISTRIBUTIONS, Distribution
from settings.models.logging import Logging, LogServer
from settings.models.machines import MachineSpec, PhysicalSpec
from settings.models.maintenance import Maintenance
from settings.models.networks import Networks
from settings.models.platform import Platform
from settings.models.platform_logging import Collector
from settings.models.proxmox import Image, Proxmox
from settings.models.routers import Routers
from settings.models.routing import Route
from settings.models.services import PublicService
from settings.models.software import Software
from settings.models.storage import VOLUME_ROLES
from settings.models.topology import TopologyName
from settings.models.walk import walk

ROLES: Final = {
    "routers.machines": "router",
    "routers.physical": "router",
    "balancers.machines": "balancer",
    "cluster.control_planes": "control_plane",
    "cluster.workers": "worker",
}
"""The role of every list of machines."""
SECTIONS: Final = {role: path.partition(".")[0] for path, role in ROLES.items()}
"""The section of every role, which may have an image of its own."""


class Stack(Strict):
    """Everything a stack file says, section by section; secrets are separate flat keys."""

    environment: Name
    """The stack's name for people, such as dev or prod."""
    topology: TopologyName = "external"
    """How visitors get to the ingress. `external`: through the balancers, to whichever ingress
    controller. `cilium-ingress`: so too, with Cilium's own; `platform.ingress` is what that needs
    where it says nothing."""
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
    services: list[PublicService] = Field(default_factory=list, max_length=200)
    """Public services: applications on the cluster, each with its names, its way through the chain
    and its alerts."""
    cdn: Cdn
    """The CDN in front."""
    maintenance: Maintenance = Maintenance()
    """Machines that are looked after."""

    @property
    def published(self) -> Cdn:
        """The CDN with a record for each service's name in its zone, too."""
        names = [*self.cdn.records, *(each for one in self.services for each in one.hosts)]
        ours = [each for each in dict.fromkeys(names) if self.cdn.holds(each)]
        return self.cdn.model_copy(update={"records": ours})

    @property
    def collector(self) -> Collector | None:
        """Where the machines that are no nodes send their lines, if anywhere."""
        logging = self.platform.logging
        return None if logging is None else logging.collector

    @property
    def collected_balancers(self) -> Balancers:
        """The balancers, whose access log goes to the collector, too."""
        given, collector = self.balancers.logging, self.collector
        if collector is None:
            return self.balancers
        further = LogServer(address=collector.address, port=collector.port)
        known = Logging(servers=[further], queue=collector.queue)
        if given is not None:
            known = given.model_copy(update={"servers": [*given.servers, further]})
        return self.balancers.model_copy(update={"logging": known})

    @property
    def volume_roles(self) -> frozenset[str]:
        """The roles of virtual machines to which somebody else gives disks, too."""
        storage = self.platform.storage
        return VOLUME_ROLES if storage is not None and storage.traits.disks else frozenset()

    @property
    def region(self) -> str | None:
        """What nodes are labelled with for those who place volumes, if anybody does."""
        return None if self.platform.storage is None else self.platform.storage.region

    @property
    def service_routes(self) -> list[Route]:
        """The balancers' routes for the services, in the order in which they are tried: a longer
        path before a shorter one."""
        longest = sorted(self.services, key=lambda each: -len(each.path.rstrip("/")))
        return [each.route for each in longest]

    def references(self) -> list[str]:
        """The lines that `platformSecrets` must have, NAMESPACE/NAME/KEY each."""
        own = (line for service in self.services for line in service.references())
        return [*self.platform.references(), *own]

    def machines(self) -> Iterator[tuple[str, MachineSpec]]:
        """Every virtual machine with its role, in the order of the chain."""
        for path, spec in walk(self, MachineSpec):
            yield ROLES[path.partition("[")[0]], spec

    def physical(self) -> Iterator[tuple[str, PhysicalSpec]]:
        """Every machine that nobody makes, with its role."""
        for path, spec in walk(self, PhysicalSpec):
            yield ROLES[path.partition("[")[0]], spec

    def image(self, role: str) -> tuple[str, Image]:
        """What the disks of a role start from, with the key that says so."""
        section = SECTIONS[role]
        own: Image | None = getattr(self, section).image
        return ("proxmox.image", self.proxmox.image) if own is None else (f"{section}.image", own)

    def distribution(self, role: str, spec: MachineSpec | None = None) -> Distribution:
        """What new machines of a role are, or the one that is given."""
        own = None if spec is None else spec.distribution
        return DISTRIBUTIONS[own or self.image(role)[1].distribution]
