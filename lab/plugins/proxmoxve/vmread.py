"""A live machine's configuration read back into the shape of a `VmLegacy`'s inputs.

Pure. Only what the program said is read back: a default that nobody wrote is no drift.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from lab.hypervisor.vmconfig import pairs
from lab.plugins.proxmoxve import vmparams

Inputs = dict[str, Any]

GIB = 1 << 30
SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

_SIMPLE: dict[str, tuple[str, Callable[[str], Any]]] = {
    "acpi": ("acpi", lambda text: text == "1"),
    "bios": ("bios", str),
    "description": ("description", str),
    "hotplug": ("hotplug", str),
    "keyboardLayout": ("keyboard", str),
    "machine": ("machine", str),
    "name": ("name", str),
    "onBoot": ("onboot", lambda text: text == "1"),
    "protection": ("protection", lambda text: text == "1"),
    "scsiHardware": ("scsihw", str),
    "tabletDevice": ("tablet", lambda text: text == "1"),
}


def observed(inputs: Mapping[str, Any], config: Mapping[str, Any], *, running: bool) -> Inputs:
    """The inputs as they would have been written for the machine as it is now."""
    live: Inputs = copy.deepcopy(dict(inputs))
    wanted = vmparams.config(inputs)
    for name, (key, read) in _SIMPLE.items():
        if name in live and key in wanted and str(config.get(key, "")) != wanted[key]:
            # A switch that the host does not list has its default.
            text = config.get(key)
            live[name] = read(str(text)) if text is not None else None
    if live.get("started") is not None or not running:
        live["started"] = running
    if running and inputs.get("started") is None:
        live.pop("started", None)
    _numbers(live, config)
    _lists(live, config, wanted)
    _devices(live, config, wanted)
    _cloud_init(live, config, wanted)
    return live


def _numbers(live: Inputs, config: Mapping[str, Any]) -> None:
    for block, name, key in (
        ("cpu", "cores", "cores"),
        ("cpu", "sockets", "sockets"),
        ("memory", "dedicated", "memory"),
        ("memory", "floating", "balloon"),
    ):
        if (live.get(block) or {}).get(name) is not None and config.get(key) is not None:
            bare, props = pairs(str(config[key]))
            live[block][name] = int(bare or props.get("current", live[block][name]))
    if (live.get("cpu") or {}).get("type") and config.get("cpu"):
        bare, props = pairs(str(config["cpu"]))
        live["cpu"]["type"] = bare or props.get("cputype")


def _lists(live: Inputs, config: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    have = str(config.get("tags", ""))
    if "tags" in live and ";".join(sorted(have.split(";"))) != wanted.get("tags", ""):
        live["tags"] = sorted(tag for tag in have.split(";") if tag)
    if "operatingSystem" in live and config.get("ostype"):
        live["operatingSystem"]["type"] = str(config["ostype"])
    if live.get("startup") and str(config.get("startup", "")) != wanted["startup"]:
        _, props = pairs(str(config.get("startup", "")))
        names = {"order": "order", "upDelay": "up", "downDelay": "down"}
        live["startup"] = {name: int(props[key]) for name, key in names.items() if key in props}


def _devices(live: Inputs, config: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    nics = live.get("networkDevices") or []
    for index, nic in enumerate(nics):
        text = config.get(f"net{index}")
        if text is None:
            nic["enabled"] = False
        else:
            _nic(nic, str(text))
    extra = len(nics)
    while f"net{extra}" in config:
        _, props = pairs(str(config[f"net{extra}"]))
        live.setdefault("networkDevices", []).append({"bridge": props.get("bridge")})
        extra += 1
    for entry in live.get("disks") or []:
        text = config.get(str(entry.get("interface")))
        if text is not None:
            _disk(entry, str(text))
    live["disks"] = [d for d in live.get("disks") or [] if d.get("interface") in config]
    if not live["disks"]:
        live.pop("disks")


def _nic(nic: Inputs, text: str) -> None:
    _, props = pairs(text)
    model = next((key for key in props if props[key].count(":") == 5), props.get("model", ""))
    mac = props.get(model, props.get("macaddr", ""))
    if nic.get("macAddress") and nic["macAddress"].lower() != mac.lower():
        nic["macAddress"] = mac
    if (nic.get("model") or "virtio") != model:
        nic["model"] = model
    if (nic.get("bridge") or "vmbr0") != props.get("bridge"):
        nic["bridge"] = props.get("bridge")
    for name, key in (("firewall", "firewall"), ("disconnected", "link_down")):
        have = props.get(key) == "1"
        if bool(nic.get(name, False)) != have:
            nic[name] = have
    for name, key in (("mtu", "mtu"), ("vlanId", "tag"), ("queues", "queues")):
        number = int(props.get(key) or 0)
        if int(nic.get(name) or 0) != number:
            nic[name] = number or None


def _disk(entry: Inputs, text: str) -> None:
    volume, props = pairs(text)
    store = str(volume).partition(":")[0]
    if (entry.get("datastoreId") or vmparams.DEFAULT_DATASTORE) != store:
        entry["datastoreId"] = store
    size = bytes_of(props.get("size", "0"))
    if size and size != vmparams.size_of(entry) * GIB:
        entry["size"] = -(-size // GIB)
    for name, (key, default) in vmparams.DISK_OPTIONS.items():
        if (entry.get(name) or default) != props.get(key, default):
            entry[name] = props.get(key, default)


def _cloud_init(live: Inputs, config: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    block = live.get("initialization")
    if not block:
        return
    interface = str(block.get("interface") or "ide2")
    drive = str(config.get(interface, ""))
    if "cloudinit" not in drive:
        live.pop("initialization")
        return
    store = drive.partition(":")[0]
    if (block.get("datastoreId") or vmparams.DEFAULT_DATASTORE) != store:
        block["datastoreId"] = store
    dns = block.get("dns")
    if dns:
        if str(config.get("searchdomain", "")) != wanted.get("searchdomain", ""):
            dns["domain"] = config.get("searchdomain")
        if str(config.get("nameserver", "")).split() != list(dns.get("servers") or []):
            dns["servers"] = str(config.get("nameserver", "")).split()
    if str(config.get("cicustom", "")) != wanted.get("cicustom", ""):
        _, props = pairs(str(config.get("cicustom", "")))
        for kind in ("meta", "network", "user", "vendor"):
            block[f"{kind}DataFileId"] = props.get(kind)
    for index, entry in enumerate(block.get("ipConfigs") or []):
        _, have = pairs(str(config.get(f"ipconfig{index}", "")))
        _, want = pairs(wanted.get(f"ipconfig{index}", ""))
        if have != want:
            entry["ipv4"] = {"address": have.get("ip"), "gateway": have.get("gw")}


def bytes_of(text: str) -> int:
    """Bytes of a size like `8G`; 0 when there is none."""
    unit = text[-1:] if text[-1:] in SIZES else ""
    number = text.removesuffix(unit)
    return int(float(number) * SIZES.get(unit, 1)) if number else 0
