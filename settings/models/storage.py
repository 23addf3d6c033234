"""Who makes volumes on the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field

from settings.models.base import Name, Strict
from settings.models.charts import Chart
from settings.models.proxmox import Storage
from settings.models.urls import ApiUrl

STORAGE_NAMESPACE: Final = "csi-proxmox"
"""Where proxmox-csi and the Secret with its token are."""
STORAGE_TOKEN: Final = "token"  # noqa: S105 (the name of a Secret)
"""What that Secret is called."""
STORAGE_TOKEN_KEYS: Final = ("id", "secret")
"""The keys of that Secret."""
VOLUMES_VM_ID: Final = 9999
"""Whose disks the volumes are in Proxmox' eyes: of a machine that there must not be
(proxmox-csi's docs/config.md, `controllerVMID`)."""
VOLUME_ROLES: Final = frozenset(("control_plane", "worker"))
"""The roles of machines that get volumes."""


@dataclass(frozen=True, kw_only=True)
class StorageTraits:
    """What a kind of storage asks of a stack: whether volumes are `disks` of the nodes' virtual
    machines."""

    disks: bool


STORAGE_KINDS: Final[Mapping[str, StorageTraits]] = MappingProxyType(
    {"proxmox-csi": StorageTraits(disks=True)}
)
"""By the word of `platform.storage.kind`."""


class VolumeClass(Strict):
    """One StorageClass."""

    name: Name
    """What claims call it."""
    storage: Storage
    """The Proxmox storage that its volumes are on, of content type `images`."""
    default: bool = False
    """Whether claims that name no class get this one. Of one class only."""
    reclaim: Literal["Delete", "Retain"] = "Delete"
    """What becomes of a volume when its claim is deleted."""
    filesystem: Literal["ext4", "xfs"] = "ext4"
    """What is on it."""
    ssd: bool = False
    """Whether the guest is told that it is an SSD, and blocks that are free are given back."""


class PlatformStorage(Strict):
    """Volumes on Proxmox' own storage."""

    kind: Literal["proxmox-csi"]
    """Who makes them: the Proxmox CSI plugin, whose token `platformSecrets` has as
    `csi-proxmox/token/id` and `csi-proxmox/token/secret`."""
    chart: Chart
    """Its chart."""
    endpoint: ApiUrl
    """Proxmox' API as pods reach it, which the management network is closed to."""
    insecure: bool = False
    """Skip verification of that API's certificate: for self-signed installs only."""
    region: Name = "proxmox"
    """What the nodes' label topology.kubernetes.io/region says: the Proxmox cluster."""
    classes: list[VolumeClass] = Field(min_length=1, max_length=50)
    """StorageClasses, one of them the default."""

    @property
    def traits(self) -> StorageTraits:
        """Of its kind."""
        return STORAGE_KINDS[self.kind]

    def references(self) -> list[str]:
        """The lines that `platformSecrets` must have, NAMESPACE/NAME/KEY each."""
        return [f"{STORAGE_NAMESPACE}/{STORAGE_TOKEN}/{key}" for key in STORAGE_TOKEN_KEYS]
