"""Where machines get packages."""

from __future__ import annotations

from pydantic import Field

from settings.models.base import Name, Strict
from settings.models.urls import WebUrl


class AptRepository(Strict):
    """One apt repository, pinned to a key (`man sources.list`, deb822 style)."""

    name: Name
    """Names its file under /etc/apt/sources.list.d."""
    uris: list[WebUrl] = Field(min_length=1)
    """Base URIs, http or https."""
    suites: list[str] = Field(min_length=1)
    """Suites, or one exact path that ends in a slash."""
    components: list[str] = Field(default_factory=list)
    """Components; none with an exact path."""
    signed_by: str | None = None
    """The armored public key itself; null uses the image's own keyring."""


class Software(Strict):
    """Where machines get packages: replaces the image's own apt sources when not empty."""

    repositories: list[AptRepository] = Field(default_factory=list)
    """Debian's own packages; empty leaves the image's sources as they are."""
    kubernetes_repository: AptRepository | None = None
    """The repository of kubeadm, kubelet and kubectl, of the wanted minor."""
    containerd_repository: AptRepository | None = None
    """The repository of the container runtime."""
