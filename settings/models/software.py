"""Where machines get packages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.models.base import Form, Name, Strict
from settings.models.distributions import DistributionName
from settings.models.keys import ArmoredKey
from settings.models.urls import WebUrl

Suite = Annotated[
    str,
    Form(
        r"/|[A-Za-z0-9./_+:~-]+",
        "is no suite",
        "write one suite an item, such as bookworm, or an exact path that ends in a slash: /",
    ),
]
"""sources.list(5)."""

Component = Annotated[
    str,
    Form(
        r"[A-Za-z0-9][A-Za-z0-9._+/-]*",
        "is no component",
        "write one component an item, such as main",
    ),
]
"""sources.list(5)."""


class AptRepository(Strict):
    """One apt repository, pinned to a key (`man sources.list`, deb822 style)."""

    name: Name
    """Names its file under /etc/apt/sources.list.d."""
    uris: list[WebUrl] = Field(min_length=1)
    """Base URIs, http or https."""
    suites: list[Suite] = Field(min_length=1)
    """Suites, or one exact path that ends in a slash."""
    components: list[Component] = Field(default_factory=list)
    """Components; none with an exact path."""
    signed_by: ArmoredKey | None = None
    """The armored public key itself; null uses the image's own keyring."""


class MachinesRepository(AptRepository):
    """One that machines take for their distribution's own packages."""

    distributions: list[DistributionName] = Field(default_factory=list)
    """The distributions whose machines take it; empty: every machine."""


class Software(Strict):
    """Where machines get packages: replaces the image's own apt sources when not empty."""

    repositories: list[MachinesRepository] = Field(default_factory=list)
    """Repositories of the distribution's own packages, in place of the image's sources; a machine
    for which none is listed keeps its image's."""
    kubernetes_repository: AptRepository | None = None
    """The repository of kubeadm, kubelet and kubectl, of the wanted minor."""
    containerd_repository: AptRepository | None = None
    """The repository of the container runtime."""

    def of(self, distribution: DistributionName) -> list[MachinesRepository]:
        """The repositories that machines of a distribution take."""
        return [
            each
            for each in self.repositories
            if not each.distributions or distribution in each.distributions
        ]
