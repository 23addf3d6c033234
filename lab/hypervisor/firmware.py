"""The firmware layer: a few files that the hypervisor lays under every machine's disk.

A lower layer of the overlay, beneath the disk and above the image: it is no part of either. It
holds one unit that runs before anything else (`firmware.sh`), a list of the kernel's built-in
features for modprobe, and the choice of networkd as cloud-init's renderer: netplan matches by
*permanent* hardware address, which a veth does not have. Router advertisements are off on every
NIC: nobody sends any here, and networkd would hold every boot for the 12 seconds it waits.
"""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

HERE = Path(__file__).parent
UNIT = "lc-firmware.service"

UNIT_TEXT = """\
[Unit]
Description=Machine firmware
DefaultDependencies=no
Before=sysinit.target systemd-sysctl.service systemd-modules-load.service cloud-init-local.service
Before=systemd-tmpfiles-setup.service
After=local-fs-pre.target
RefuseManualStop=yes

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /usr/lib/layered-cloud/firmware.sh

[Install]
WantedBy=sysinit.target
"""

CLOUD_CFG = """\
# Laid here by the hypervisor.
locale: C.UTF-8
system_info:
  network:
    renderers: [networkd]
    activators: [networkd]
"""

NETWORK_DROP_IN = """\
[Network]
IPv6AcceptRA=no
"""
NICS = 8

BUILTIN = {
    "BRIDGE": "net/bridge/bridge",
    "BRIDGE_NETFILTER": "net/bridge/br_netfilter",
    "OVERLAY_FS": "fs/overlayfs/overlay",
    "NF_CONNTRACK": "net/netfilter/nf_conntrack",
    "NF_CT_NETLINK": "net/netfilter/nf_conntrack_netlink",
    "NF_NAT": "net/netfilter/nf_nat",
    "NF_TABLES": "net/netfilter/nf_tables",
    "NFT_CT": "net/netfilter/nft_ct",
    "NFT_NAT": "net/netfilter/nft_chain_nat",
    "NFT_MASQ": "net/netfilter/nft_masq",
    "IP_SET": "net/netfilter/ipset/ip_set",
    "IP_VS": "net/netfilter/ipvs/ip_vs",
    "IP_VS_RR": "net/netfilter/ipvs/ip_vs_rr",
    "IP_NF_IPTABLES": "net/ipv4/netfilter/ip_tables",
    "IP_NF_NAT": "net/ipv4/netfilter/iptable_nat",
    "IP_NF_MANGLE": "net/ipv4/netfilter/iptable_mangle",
    "IP_NF_RAW": "net/ipv4/netfilter/iptable_raw",
    "IP_NF_FILTER": "net/ipv4/netfilter/iptable_filter",
    "IP6_NF_IPTABLES": "net/ipv6/netfilter/ip6_tables",
    "IP6_NF_NAT": "net/ipv6/netfilter/ip6table_nat",
    "IP6_NF_MANGLE": "net/ipv6/netfilter/ip6table_mangle",
    "IP6_NF_RAW": "net/ipv6/netfilter/ip6table_raw",
    "IP6_NF_FILTER": "net/ipv6/netfilter/ip6table_filter",
    "NETFILTER_XT_MATCH_COMMENT": "net/netfilter/xt_comment",
    "NETFILTER_XT_MATCH_SOCKET": "net/netfilter/xt_socket",
    "NETFILTER_XT_TARGET_TPROXY": "net/netfilter/xt_TPROXY",
    "NETFILTER_XT_TARGET_CT": "net/netfilter/xt_CT",
    "NETFILTER_XT_MARK": "net/netfilter/xt_mark",
    "NETFILTER_XT_SET": "net/netfilter/xt_set",
    "VXLAN": "drivers/net/vxlan/vxlan",
    "TUN": "drivers/net/tun",
    "VETH": "drivers/net/veth",
    "MACVLAN": "drivers/net/macvlan",
    "NET_CLS_BPF": "net/sched/cls_bpf",
    "NET_SCH_INGRESS": "net/sched/sch_ingress",
    "CRYPTO_USER_API_HASH": "crypto/algif_hash",
}
"""Kernel option to the module that it would be, were it one."""


def kernel_options(text: str) -> set[str]:
    """Options that a kernel configuration switches on (`CONFIG_X=y` gives `X`)."""
    return {
        line[len("CONFIG_") :].partition("=")[0]
        for line in text.splitlines()
        if line.startswith("CONFIG_") and line.endswith(("=y", "=m"))
    }


def builtin_list(config: Path = Path("/proc/config.gz")) -> str:
    """A modules.builtin for this kernel; empty when it does not tell its configuration."""
    try:
        options = kernel_options(gzip.decompress(config.read_bytes()).decode())
    except OSError:
        return ""
    return "".join(f"kernel/{path}.ko\n" for option, path in BUILTIN.items() if option in options)


def write_layer(root: Path) -> None:
    """Write the layer afresh below `root`."""
    shutil.rmtree(root, ignore_errors=True)
    library = root / "usr/lib/layered-cloud"
    units = root / "etc/systemd/system"
    clouds = root / "etc/cloud/cloud.cfg.d"
    wants = units / "sysinit.target.wants"
    for index in range(NICS):
        drop_in = root / f"etc/systemd/network/10-cloud-init-eth{index}.network.d"
        drop_in.mkdir(parents=True)
        (drop_in / "lc-firmware.conf").write_text(NETWORK_DROP_IN)
    for directory in (library, wants, clouds):
        directory.mkdir(parents=True)
    shutil.copyfile(HERE / "firmware.sh", library / "firmware.sh")
    (library / "modules.builtin").write_text(builtin_list())
    (units / UNIT).write_text(UNIT_TEXT)
    (wants / UNIT).symlink_to(f"/etc/systemd/system/{UNIT}")
    (clouds / "99-lc-firmware.cfg").write_text(CLOUD_CFG)
