"""What the resource types need of the provider that configured them."""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from lab.plugins.kubernetes.client import Cluster
from lab.plugins.server import Context, Properties, ReadResult


class Settings(Protocol):
    """The provider, as its resources see it."""

    @property
    def default_namespace(self) -> str:
        """Of objects and releases that name none."""

    @property
    def delete_unreachable(self) -> bool:
        """Whether resources of a cluster that does not answer are dropped from the state."""

    @property
    def kubeconfig(self) -> Mapping[str, Any] | None:
        """The kubeconfig, None while it is not known."""

    @property
    def context(self) -> str:
        """The context of the kubeconfig that is in use."""

    def flag(self, name: str) -> bool:
        """A boolean of the configuration."""

    def cluster(self, ctx: Context) -> Cluster:
        """The cluster. Raises PluginError when it cannot be reached."""

    def unreachable(self, ctx: Context, *, patient: bool = True) -> str:
        """Why the cluster cannot be used, "" when it can; `patient` waits for one that starts."""

    def read_unreachable(
        self, ctx: Context, id: str, state: Properties, inputs: Properties, reason: str
    ) -> ReadResult | None:
        """The answer to a read while the cluster cannot be used. Raises PluginError."""
