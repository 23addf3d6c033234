"""The cloud-init seed of a virtual machine: what Proxmox VE writes on its cloud-init drive.

Pure: from a guest's configuration and its snippets to the four files of the NoCloud datasource.
Keys and defaults are those of the Proxmox VE administration guide ("Cloud-Init Support") and
network configuration version 1 of the cloud-init documentation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from typing import Any
from urllib.parse import unquote

from lab.hypervisor import vmconfig

SEED_DIR = "var/lib/cloud/seed/nocloud"
"""Where the NoCloud datasource looks for a seed that is no disk."""


@dataclass(frozen=True, kw_only=True)
class Seed:
    """The four files, as text."""

    user_data: str
    vendor_data: str
    network_config: str
    meta_data: str

    def files(self) -> dict[str, str]:
        """File name to content."""
        return {
            "user-data": self.user_data,
            "vendor-data": self.vendor_data,
            "network-config": self.network_config,
            "meta-data": self.meta_data,
        }


def build(config: Mapping[str, Any], vmid: int, snippet: Callable[[str], str]) -> Seed | None:
    """The seed of a guest, or None when it has no cloud-init drive.

    Args:
        config: the guest's configuration, as the API returns it.
        vmid: its number, which names it when it has no name.
        snippet: reads a snippet by its volume id (`local:snippets/x.yaml`).

    Raises:
        vmconfig.ConfigError: a value that cannot be understood.
        OSError, KeyError: whatever `snippet` raises for one that is missing.
    """
    if not any(drive.cloudinit for drive in vmconfig.drives(config)):
        return None
    _, custom = vmconfig.pairs(str(config.get("cicustom", "")))
    user = snippet(custom["user"]) if "user" in custom else user_data(config, vmid)
    network = snippet(custom["network"]) if "network" in custom else network_config(config)
    vendor = snippet(custom["vendor"]) if "vendor" in custom else ""
    meta = snippet(custom["meta"]) if "meta" in custom else meta_data(user, network)
    return Seed(user_data=user, vendor_data=vendor, network_config=network, meta_data=meta)


def host_names(config: Mapping[str, Any], vmid: int) -> tuple[str, str | None]:
    """Host name and, when the name or a search domain gives one, the full name."""
    name = str(config.get("name") or f"VM{vmid}")
    short, dot, _ = name.partition(".")
    if dot:
        return short, name
    domain = str(config.get("searchdomain") or "").split()
    return short, f"{short}.{domain[0]}" if domain else None


def user_data(config: Mapping[str, Any], vmid: int) -> str:
    """The generated user-data, when no snippet replaces it."""
    hostname, fqdn = host_names(config, vmid)
    lines = ["#cloud-config", f"hostname: {hostname}", "manage_etc_hosts: true"]
    if fqdn:
        lines.append(f"fqdn: {fqdn}")
    user = config.get("ciuser")
    if user:
        lines.append(f"user: {user}")
    if user == "root":
        lines.append("disable_root: False")
    if config.get("cipassword"):
        lines.append(f"password: {config['cipassword']}")
    keys = [key.strip() for key in unquote(str(config.get("sshkeys") or "")).splitlines()]
    if any(keys):
        lines.append("ssh_authorized_keys:")
        lines += [f"  - {key}" for key in keys if key]
    lines += ["chpasswd:", "  expire: False"]
    if user != "root":
        lines += ["users:", "  - default"]
    if str(config.get("ciupgrade", 1)) == "1":
        lines.append("package_upgrade: true")
    return "\n".join(lines) + "\n"


def network_config(config: Mapping[str, Any]) -> str:
    """Network configuration, version 1: every device by its index, name and hardware address."""
    lines = ["version: 1", "config:"]
    for nic in vmconfig.nics(config):
        lines += [
            "    - type: physical",
            f"      name: eth{nic.index}",
            f"      mac_address: '{nic.mac}'",
        ]
        addresses = vmconfig.ipconfig(config, nic.index)
        subnets = _subnets(addresses) if addresses else []
        if subnets:
            lines += ["      subnets:", *subnets]
    servers = str(config.get("nameserver") or "").split()
    domains = str(config.get("searchdomain") or "").split()
    if servers or domains:
        lines.append("    - type: nameserver")
        if servers:
            lines += ["      address:", *(f"      - '{server}'" for server in servers)]
        if domains:
            lines += ["      search:", *(f"      - '{domain}'" for domain in domains)]
    return "\n".join(lines) + "\n"


def _subnets(addresses: vmconfig.IpConfig) -> list[str]:
    lines = []
    if addresses.ip == "dhcp":
        lines.append("      - type: dhcp4")
    elif isinstance(addresses.ip, IPv4Interface):
        lines += [
            "      - type: static",
            f"        address: '{addresses.ip.ip}'",
            f"        netmask: '{addresses.ip.netmask}'",
        ]
        if addresses.gw:
            lines.append(f"        gateway: '{addresses.gw}'")
    if addresses.ip6 in ("dhcp", "auto"):
        lines.append(f"      - type: {'dhcp6' if addresses.ip6 == 'dhcp' else 'ipv6_slaac'}")
    elif isinstance(addresses.ip6, IPv6Interface):
        lines += ["      - type: static6", f"        address: '{addresses.ip6}'"]
        if addresses.gw6:
            lines.append(f"        gateway: '{addresses.gw6}'")
    return lines


def meta_data(user: str, network: str) -> str:
    """Meta-data with an instance id that changes exactly when user or network data do."""
    digest = hashlib.sha1((user + network).encode(), usedforsecurity=False).hexdigest()
    return f"instance-id: {digest}\n"
