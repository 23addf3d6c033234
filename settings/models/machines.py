"""Machines, the Proxmox they run on, and who may log in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from settings.models.base import Address, Name, Port, Sha256, Strict


class Image(Strict):
    """The bare disk image every machine starts from, downloaded by Proxmox and checked."""

    url: str = Field(pattern=r"^https?://")
    """Where Proxmox downloads it from; a dated, unchanging file."""
    sha256: Sha256
    """Its SHA-256; all zeros is a blank to fill in before `up`."""
    file_name: str = Field(pattern=r"^[A-Za-z0-9._-]+\.(img|qcow2|raw)$")
    """Its name in the datastore."""


class Datastores(Strict):
    """Where Proxmox keeps what; each must be enabled for the content named."""

    images: str = "local"
    """Content type `import` (or `iso`)."""
    snippets: str = "local"
    """Content type `snippets`."""
    disks: str = "local-lvm"
    """Content type `images`."""


class ProxmoxHost(Strict):
    """One hypervisor of the Proxmox cluster."""

    name: Name
    """As the Proxmox cluster calls it."""
    ssh_address: Address
    """Where snippets are uploaded over SSH."""
    ssh_port: Port = 22
    """Its sshd's port."""


class Proxmox(Strict):
    """The hypervisors. The token is the secret `proxmoxApiToken`, the SSH key `proxmoxSshKey`."""

    endpoint: str = Field(pattern=r"^https://[^/]+/?$")
    """The API, without a path."""
    insecure: bool = False
    """Skip verification of the API's certificate: for self-signed installs only."""
    ssh_user: str = "root"
    """The user who uploads snippets."""
    hosts: list[ProxmoxHost] = Field(min_length=1)
    """The hypervisors machines may stand on."""
    datastores: Datastores = Datastores()
    """Where Proxmox keeps images, snippets and disks."""
    image: Image
    """What every machine's disk starts from."""
    protect: bool = False
    """Refuse to delete or replace any VM (Pulumi's protect)."""
    tags: list[str] = Field(default_factory=list)
    """Tags of every VM, in lower case."""


class Access(Strict):
    """Who may log in to the machines, over the management network only."""

    authorized_keys: list[str] = Field(default_factory=list)
    """OpenSSH public keys of the operators, beside the stack's own deploy key."""
    baseline_packages: bool = True
    """Install chrony and the like; false where a baked image has them."""
    unattended_upgrades: Literal["off", "security"] = "off"
    """`security`: Debian's security updates install by themselves."""
    journald_max_mebibytes: int = Field(default=200, ge=16, le=65536)
    """The journal's size on each machine, in MiB."""
    epoch: int = Field(default=1, ge=1)
    """Raise to push every machine's configuration again."""


class AptRepository(Strict):
    """One apt repository, pinned to a key (`man sources.list`, deb822 style)."""

    name: Name
    """Names its file under /etc/apt/sources.list.d."""
    uris: list[str] = Field(min_length=1)
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


class MachineSpec(Strict):
    """One virtual machine. Its legs stand on the networks its role has."""

    name: Name
    """Host name and resource name: a change replaces the machine."""
    host: Name
    """The Proxmox host it stands on."""
    vm_id: int = Field(ge=100, le=999_999_999)
    """The Proxmox id, unique in the Proxmox cluster."""
    cores: int = Field(default=2, ge=1, le=256)
    """Virtual CPUs."""
    memory: int = Field(default=2048, ge=256)
    """MiB."""
    disk: int = Field(default=16, ge=4)
    """GiB."""
    management: Address
    """Address on the management segment."""
    lan: Address
    """Address on the LAN."""
    wan: Address | None = None
    """A router's own address on the WAN, beside the VIP; nobody else has one."""
    sync: Address | None = None
    """A router's address on the sync segment; needed by both of a pair."""
