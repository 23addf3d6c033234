"""What Kubernetes asks of a node's kernel: modules, forwarding, no swap. Pure.

Sources: sysctl.d(5), modules-load.d(5), swapon(8); kubernetes.io, "Container Runtimes".
"""

from __future__ import annotations

from collections.abc import Mapping

from components.cluster.model import NodeModel
from components.cluster.render import text
from components.host.part import Part, Step, Text

SYSCTL = "/etc/sysctl.d/90-kubernetes.conf"
MODULES = "/etc/modules-load.d/kubernetes.conf"
SWAP = "/etc/layered-cloud/swap-off"
LOADED = ("overlay", "br_netfilter")

# A kernel without module support has no such directory, and all it can do built in.
_LOAD_MODULES = "test ! -e /proc/modules || exec systemctl restart systemd-modules-load.service"


def part(node: NodeModel) -> Part:
    """Kernel modules, sysctls, and swap switched off where fstab names it."""
    return Part(
        name="system",
        files=(
            Text(path=SYSCTL, content=sysctl_config(node.cluster.sysctls)),
            Text(path=MODULES, content="".join(f"{name}\n" for name in LOADED)),
            Text(path=SWAP, content=f"#!/bin/bash -eu\n{text('swap.sh.j2')}", mode="0755"),
        ),
        steps=(
            Step(name="modules", argv=("sh", "-c", _LOAD_MODULES), watches=(MODULES,)),
            Step(
                name="sysctl", argv=("/usr/lib/systemd/systemd-sysctl", SYSCTL), watches=(SYSCTL,)
            ),
            Step(name="swap", argv=(SWAP,), watches=(SWAP,)),
        ),
    )


def sysctl_config(extra: Mapping[str, str]) -> str:
    """sysctl.d file of a node; `extra` keys come last and so win."""
    return text("sysctl.conf.j2", extra=extra)
