"""A `VmLegacy`'s inputs as the parameters of `POST /nodes/{node}/qemu` and the config.

Pure. Defaults are the Terraform provider's; keys and property strings are qm.conf(5)'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from lab.plugins.server import UNKNOWN

Inputs = Mapping[str, Any]

UNSUPPORTED = {
    "amdSev": "",
    "audioDevice": "",
    "cdrom": "",
    "clone": "create the disk from an image instead (disks[].fileId or importFrom)",
    "efiDisk": "",
    "hookScriptFileId": "",
    "hostpcis": "",
    "kvmArguments": "",
    "numas": "",
    "poolId": "",
    "rngs": "",
    "smbios": "",
    "template": "",
    "tpmState": "",
    "usbs": "",
    "vga": "",
    "virtiofs": "",
    "watchdog": "",
}
"""What the stand-in does not do, and what to do instead where there is something."""

REBOOT_FREE = ("name", "description", "tags", "onboot", "protection", "startup", "agent", "hotplug")
"""Keys that take effect on a running machine."""

DEFAULT_DATASTORE = "local-lvm"
DEFAULT_DISK_GIB = 8
DISK_OPTIONS = {
    "aio": ("aio", "io_uring"),
    "cache": ("cache", "none"),
    "discard": ("discard", "ignore"),
    "serial": ("serial", ""),
}
SPEED = {
    "iopsRead": "iops_rd",
    "iopsReadBurstable": "iops_rd_max",
    "iopsWrite": "iops_wr",
    "iopsWriteBurstable": "iops_wr_max",
    "read": "mbps_rd",
    "readBurstable": "mbps_rd_max",
    "write": "mbps_wr",
    "writeBurstable": "mbps_wr_max",
}


def unsupported(inputs: Inputs) -> Iterator[tuple[str, str]]:
    """Properties that the stand-in must refuse, with the reason."""
    for name, instead in UNSUPPORTED.items():
        value = inputs.get(name)
        if value not in (None, False, [], UNKNOWN):
            hint = instead or "install the real provider plugin for it"
            yield name, f"the stand-in plugin does not do this; {hint}"
    for index, disk in enumerate(inputs.get("disks") or []):
        if isinstance(disk, Mapping) and disk.get("pathInDatastore"):
            yield f"disks[{index}].pathInDatastore", "the stand-in plugin makes its own volumes"


def config(inputs: Inputs) -> dict[str, str]:
    """Everything of the machine's configuration but its disks."""
    cpu, memory = inputs.get("cpu") or {}, inputs.get("memory") or {}
    found: dict[str, str] = {
        "agent": _agent(inputs.get("agent") or {}),
        "acpi": _flag(inputs.get("acpi", True)),
        "bios": str(inputs.get("bios") or "seabios"),
        "cores": str(cpu.get("cores", 1)),
        "sockets": str(cpu.get("sockets", 1)),
        "cpu": _cpu(cpu),
        "memory": str(memory.get("dedicated", 512)),
        "balloon": str(memory.get("floating", 0)),
        "onboot": _flag(inputs.get("onBoot", True)),
        "ostype": str((inputs.get("operatingSystem") or {}).get("type") or "other"),
        "protection": _flag(inputs.get("protection", False)),
        "scsihw": str(inputs.get("scsiHardware") or "virtio-scsi-pci"),
        "tablet": _flag(inputs.get("tabletDevice", True)),
    }
    optional = {
        "name": inputs.get("name"),
        "description": inputs.get("description"),
        "hotplug": inputs.get("hotplug"),
        "keyboard": inputs.get("keyboardLayout"),
        "machine": inputs.get("machine"),
        "cpulimit": cpu.get("limit"),
        "cpuunits": cpu.get("units"),
        "affinity": cpu.get("affinity"),
        "vcpus": cpu.get("hotplugged") or None,
        "tags": tags(inputs.get("tags") or []) or None,
    }
    found |= {key: str(value) for key, value in optional.items() if value is not None}
    if inputs.get("bootOrders"):
        found["boot"] = "order=" + ";".join(inputs["bootOrders"])
    if inputs.get("startup"):
        found["startup"] = _startup(inputs["startup"])
    for index, device in enumerate(inputs.get("serialDevices") or []):
        found[f"serial{index}"] = str(device.get("device", "socket"))
    for index, nic in enumerate(inputs.get("networkDevices") or []):
        if nic.get("enabled", True):
            found[f"net{index}"] = network_device(nic, _mac(inputs, index))
    found |= initialization(inputs.get("initialization"))
    return found


def tags(values: Sequence[str]) -> str:
    """Tags as Proxmox keeps them: lower case, sorted, separated by semicolons."""
    return ";".join(sorted({value.lower() for value in values}))


def network_device(nic: Inputs, mac: str | None) -> str:
    """A `netN` value."""
    model = nic.get("model") or "virtio"
    parts = [f"{model}={mac}" if mac else f"model={model}"]
    parts.append(f"bridge={nic.get('bridge') or 'vmbr0'}")
    parts.append(f"firewall={_flag(nic.get('firewall', False))}")
    if nic.get("disconnected"):
        parts.append("link_down=1")
    if nic.get("mtu"):
        parts.append(f"mtu={nic['mtu']}")
    if nic.get("queues"):
        parts.append(f"queues={nic['queues']}")
    if nic.get("rateLimit"):
        parts.append(f"rate={nic['rateLimit']}")
    if nic.get("vlanId"):
        parts.append(f"tag={nic['vlanId']}")
    if nic.get("trunks"):
        parts.append(f"trunks={nic['trunks']}")
    return ",".join(parts)


def initialization(block: Inputs | None) -> dict[str, str]:
    """The cloud-init keys, without the drive."""
    if not block:
        return {}
    found: dict[str, str] = {}
    dns = block.get("dns") or {}
    if dns.get("domain"):
        found["searchdomain"] = str(dns["domain"])
    if dns.get("servers"):
        found["nameserver"] = " ".join(dns["servers"])
    for index, entry in enumerate(block.get("ipConfigs") or []):
        text = _ip_config(entry or {})
        if text:
            found[f"ipconfig{index}"] = text
    account = block.get("userAccount") or {}
    if account.get("username"):
        found["ciuser"] = str(account["username"])
    if account.get("password"):
        found["cipassword"] = str(account["password"])
    if account.get("keys"):
        found["sshkeys"] = quote("\n".join(key.strip() for key in account["keys"]), safe="")
    files = {
        kind: block.get(f"{kind}DataFileId")
        for kind in ("meta", "network", "user", "vendor")
        if block.get(f"{kind}DataFileId")
    }
    if files:
        found["cicustom"] = ",".join(f"{kind}={volume}" for kind, volume in files.items())
    if block.get("type"):
        found["citype"] = str(block["type"])
    if block.get("upgrade") is not None:
        found["ciupgrade"] = _flag(block["upgrade"])
    return found


def cloudinit_drive(inputs: Inputs) -> tuple[str, str] | None:
    """Interface and value of the cloud-init drive, or None when there is none."""
    block = inputs.get("initialization")
    if not block:
        return None
    store = block.get("datastoreId") or DEFAULT_DATASTORE
    return str(block.get("interface") or "ide2"), f"{store}:cloudinit,media=cdrom"


def disk(entry: Inputs, *, create: bool) -> str:
    """A drive's value: on creation with the volume to make, else with its options only."""
    parts = []
    if create:
        store = entry.get("datastoreId") or DEFAULT_DATASTORE
        source = entry.get("importFrom") or entry.get("fileId")
        parts.append(f"{store}:{0 if source else size_of(entry)}")
        if source:
            parts.append(f"import-from={source}")
        if entry.get("fileFormat"):
            parts.append(f"format={entry['fileFormat']}")
    parts += disk_options(entry)
    return ",".join(parts)


def disk_options(entry: Inputs) -> list[str]:
    """A drive's options, in the order the provider writes them."""
    interface = str(entry.get("interface", ""))
    parts = []
    for name, (key, default) in DISK_OPTIONS.items():
        value = entry.get(name) or default
        if value:
            parts.append(f"{key}={value}")
    parts.append(f"backup={_flag(entry.get('backup', True))}")
    if not interface.startswith(("sata", "ide")):
        parts.append(f"iothread={_flag(entry.get('iothread', False))}")
    parts.append(f"replicate={_flag(entry.get('replicate', True))}")
    if not interface.startswith("virtio"):
        parts.append(f"ssd={_flag(entry.get('ssd', False))}")
    if entry.get("queues"):
        parts.append(f"queues={entry['queues']}")
    for name, key in SPEED.items():
        value = (entry.get("speed") or {}).get(name)
        if value:
            parts.append(f"{key}={value}")
    return parts


def size_of(entry: Inputs) -> int:
    """A disk's size in GiB."""
    return int(entry.get("size") or DEFAULT_DISK_GIB)


def _flag(value: Any) -> str:
    return "1" if value else "0"


def _agent(block: Inputs) -> str:
    if not block.get("enabled"):
        return "enabled=0"
    trim, kind = _flag(block.get("trim", False)), block.get("type") or "virtio"
    return f"enabled=1,fstrim_cloned_disks={trim},type={kind}"


def _cpu(block: Inputs) -> str:
    kind = f"cputype={block.get('type') or 'qemu64'}"
    flags = block.get("flags") or []
    return f"{kind},flags={';'.join(flags)}" if flags else kind


def _startup(block: Inputs) -> str:
    names = {"order": "order", "upDelay": "up", "downDelay": "down"}
    return ",".join(
        f"{key}={block[name]}" for name, key in names.items() if block.get(name, -1) >= 0
    )


def _mac(inputs: Inputs, index: int) -> str | None:
    nic = inputs["networkDevices"][index]
    given = nic.get("macAddress")
    if not given:
        macs = inputs.get("macAddresses") or []
        given = macs[index] if index < len(macs) else None
    return str(given).upper() if given else None


def _ip_config(entry: Inputs) -> str:
    parts = []
    for family, address, gateway in (("ipv4", "ip", "gw"), ("ipv6", "ip6", "gw6")):
        block = entry.get(family) or {}
        if block.get("gateway"):
            parts.append(f"{gateway}={block['gateway']}")
        if block.get("address"):
            parts.append(f"{address}={block['address']}")
    return ",".join(parts)
