"""The hypervisors machines run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from settings.models.addresses import Address
from settings.models.base import Form, Port, Sha256, Strict
from settings.models.distributions import DEFAULT_DISTRIBUTION, DistributionName
from settings.models.machines import NodeName
from settings.models.urls import ApiUrl, WebUrl

Tag = Annotated[
    str,
    Form(
        r"[a-z0-9_][a-z0-9_+.-]*",
        "is no tag Proxmox keeps as written",
        "write lower-case letters, digits and _ + . -",
    ),
]
"""Proxmox lower-cases tags, which would read back as a change for ever."""

DiskImage = Annotated[
    str,
    Form(
        r"[A-Za-z0-9._-]+\.(img|qcow2|raw)",
        "is no disk image Proxmox imports",
        "write a file name that ends in .qcow2, .raw or .img",
    ),
]
"""A file name. `.qcow2` and `.raw` are of content type `import`, `.img` is of `iso`."""


Storage = Annotated[
    str,
    Form(
        r"[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]",
        "is no name of a datastore",
        "write it as Proxmox lists it, such as local-lvm; not a path",
    ),
]
"""A storage's identifier (pvesm(1))."""

SshUser = Annotated[
    str,
    Form(
        r"[a-z_][a-z0-9_-]{0,31}",
        "is no Linux user",
        "write the user on the host, such as root; a Proxmox realm such as @pam is none of it",
    ),
]
"""useradd(8)."""


Replaceable = Annotated[
    str,
    Form(
        r"\*|[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        "is no name of a machine",
        "write its name, such as lb-a, or * for every machine of the stack",
    ),
]
"""Any name: a machine that is to go stands in no list of machines any more."""


class Image(Strict):
    """The bare disk image machines start from, downloaded by Proxmox and checked."""

    url: WebUrl
    """Where Proxmox downloads it from; a dated, unchanging file."""
    sha256: Sha256
    """Its SHA-256; all zeros is a blank to fill in before `up`."""
    file_name: DiskImage
    """Its name in the datastore."""
    distribution: DistributionName = DEFAULT_DISTRIBUTION
    """The release that is on it, by its code name (os-release(5), VERSION_CODENAME)."""


class Datastores(Strict):
    """Where Proxmox keeps what; each must be enabled for the content named."""

    images: Storage = "local"
    """Content type `import` (or `iso`)."""
    snippets: Storage = "local"
    """Content type `snippets`."""
    disks: Storage = "local-lvm"
    """Content type `images`."""


class ProxmoxHost(Strict):
    """One hypervisor of the Proxmox cluster."""

    name: NodeName
    """As the Proxmox cluster calls it."""
    ssh_address: Address
    """Where snippets are uploaded over SSH."""
    ssh_port: Port = 22
    """Its sshd's port."""


class Proxmox(Strict):
    """The hypervisors. The token is the secret `proxmoxApiToken`, the SSH key `proxmoxSshKey`."""

    elsewhere: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("api_token", "token", "username", "password"),
        "put the token into the secret proxmoxApiToken",
    )

    endpoint: ApiUrl
    """The API, without a path."""
    insecure: bool = False
    """Skip verification of the API's certificate: for self-signed installs only."""
    ssh_user: SshUser = "root"
    """The user who uploads snippets."""
    hosts: list[ProxmoxHost] = Field(min_length=1)
    """The hypervisors machines may stand on."""
    datastores: Datastores = Datastores()
    """Where Proxmox keeps images, snippets and disks."""
    image: Image
    """What the disks start from of every machine whose role has no image of its own."""
    protect: bool = False
    """Refuse to delete or replace any VM (Pulumi's protect)."""
    replaceable: list[Replaceable] = Field(default_factory=list)
    """Machines that an update may replace or delete: their names, for the update that does; `*`, a
    stack that may lose them all."""
    tags: list[Tag] = Field(default_factory=list)
    """Tags of every VM, in lower case."""

    def keeps(self, machine: str) -> bool:
        """Whether the engine must refuse to replace or delete this machine."""
        return self.protect and not self.lets_go(machine)

    def lets_go(self, machine: str) -> bool:
        """Whether the stack says that an update may replace or delete this machine."""
        return not set(self.replaceable).isdisjoint({machine, "*"})
