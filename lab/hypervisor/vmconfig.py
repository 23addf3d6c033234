"""Read a Proxmox VE guest's configuration: network devices, addresses, drives.

Pure parsing of the property strings qm.conf(5) describes (`net0: virtio=MAC,bridge=vmbr0`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any

NET_KEY = re.compile(r"^net(\d+)$")
DRIVE_KEY = re.compile(r"^(ide[0-3]|sata[0-5]|scsi([12]?[0-9]|30)|virtio([0-9]|1[0-5]))$")
MAC = re.compile(r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$", re.IGNORECASE)
NIC_MODELS = frozenset({"virtio", "e1000", "e1000e", "rtl8139", "vmxnet3", "ne2k_pci"})


class ConfigError(ValueError):
    """A value that a real host would refuse too; the text names the key."""


@dataclass(frozen=True, kw_only=True)
class Nic:
    """One network device. `mtu` is in bytes; None means the bridge's."""

    index: int
    model: str
    mac: str
    bridge: str
    mtu: int | None = None
    firewall: bool = False
    link_down: bool = False

    @property
    def interface(self) -> str:
        """Its name inside the machine: by order, as the lab promises."""
        return f"eth{self.index}"


@dataclass(frozen=True, kw_only=True)
class IpConfig:
    """What `ipconfigN` says; `ip` and `ip6` may also be words (`dhcp`, `auto`)."""

    ip: IPv4Interface | str | None = None
    gw: IPv4Address | None = None
    ip6: IPv6Interface | str | None = None
    gw6: IPv6Address | None = None


@dataclass(frozen=True, kw_only=True)
class Drive:
    """One drive: the volume (`local-lvm:vm-101-disk-0`) and its options."""

    key: str
    volume: str
    options: Mapping[str, str]

    @property
    def cdrom(self) -> bool:
        """Whether it is a CD-ROM, the cloud-init drive included."""
        return self.options.get("media") == "cdrom"

    @property
    def cloudinit(self) -> bool:
        """Whether it is the drive that carries the cloud-init seed."""
        return self.volume.endswith(":cloudinit") or "-cloudinit" in self.volume


def pairs(text: str) -> tuple[str | None, dict[str, str]]:
    """Split a property string: its leading bare value (or None) and its `key=value` pairs."""
    bare: str | None = None
    found: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if equals:
            found[key.strip()] = value.strip()
        elif part.strip():
            bare = part.strip()
    return bare, found


def nics(config: Mapping[str, Any]) -> list[Nic]:
    """The network devices, by index.

    Raises:
        ConfigError: no hardware address, no bridge, or a value out of range.
    """
    found = []
    for key in sorted(config, key=str):
        match = NET_KEY.match(str(key))
        if match:
            found.append(nic(int(match.group(1)), str(config[key])))
    return sorted(found, key=lambda one: one.index)


def nic(index: int, text: str) -> Nic:
    """One `netN` value; raises `ConfigError`."""
    _, props = pairs(text)
    where = f"net{index}"
    model = next((m for m in props if m in NIC_MODELS), props.get("model", ""))
    mac = props.get(model, "") or props.get("macaddr", "")
    if not MAC.match(mac):
        raise ConfigError(f"{where}: no hardware address in '{text}'")
    if "bridge" not in props:
        raise ConfigError(f"{where}: no bridge in '{text}'; name the one it is plugged into")
    mtu = int(props["mtu"]) if props.get("mtu") else None
    if mtu is not None and mtu != 1 and not 576 <= mtu <= 65520:
        raise ConfigError(f"{where}: mtu {mtu} is out of range; 1 (the bridge's) or 576 to 65520")
    if props.get("tag") or props.get("trunks"):
        raise ConfigError(f"{where}: VLAN tags are not carried here; give the segment a bridge")
    return Nic(
        index=index,
        model=model,
        mac=mac.lower(),
        bridge=props["bridge"],
        mtu=None if mtu == 1 else mtu,
        firewall=props.get("firewall") == "1",
        link_down=props.get("link_down") == "1",
    )


def ipconfig(config: Mapping[str, Any], index: int) -> IpConfig | None:
    """What `ipconfigN` says, or None when it is not set; raises `ConfigError`."""
    text = config.get(f"ipconfig{index}")
    if text is None:
        return None
    _, props = pairs(str(text))
    try:
        return IpConfig(
            ip=_address(props.get("ip"), IPv4Interface, ("dhcp",)),
            gw=IPv4Address(props["gw"]) if props.get("gw") else None,
            ip6=_address(props.get("ip6"), IPv6Interface, ("dhcp", "auto")),
            gw6=IPv6Address(props["gw6"]) if props.get("gw6") else None,
        )
    except ValueError as err:
        raise ConfigError(f"ipconfig{index}: {err} in '{text}'") from err


def _address(value: str | None, kind: Any, words: tuple[str, ...]) -> Any:
    if value is None or value in words:
        return value
    return kind(value)


def drives(config: Mapping[str, Any]) -> list[Drive]:
    """The drives, by key."""
    found = []
    for key in sorted(config, key=str):
        if DRIVE_KEY.match(str(key)):
            bare, props = pairs(str(config[key]))
            volume = bare or props.pop("file", "")
            found.append(Drive(key=str(key), volume=volume, options=props))
    return found


def boot_disk(config: Mapping[str, Any]) -> Drive | None:
    """The drive the machine boots from: the first of `boot: order=`, else the first disk."""
    disks = {d.key: d for d in drives(config) if not d.cdrom and not d.cloudinit and d.volume}
    _, props = pairs(str(config.get("boot", "")))
    for key in props.get("order", "").split(";"):
        if key in disks:
            return disks[key]
    return next(iter(disks.values()), None)
