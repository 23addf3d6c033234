"""Every check, in the order in which they are shown. A new one is a file and a row here."""

from __future__ import annotations

from ops.checks import (
    bgp,
    certificates,
    clocks,
    fill,
    firewall,
    haproxy,
    kubernetes,
    manifests,
    reboots,
    units,
    vips,
)
from ops.checks.model import Check

CHECKS: tuple[Check, ...] = (
    units.CHECK,
    units.PAIRS,
    manifests.CHECK,
    certificates.CHECK,
    reboots.CHECK,
    clocks.CHECK,
    fill.CHECK,
    vips.ROUTERS,
    firewall.CHECK,
    bgp.CHECK,
    vips.BALANCERS,
    haproxy.CHECK,
    kubernetes.READY,
    kubernetes.VERSIONS,
    kubernetes.RUN,
    kubernetes.MEMBERS,
    kubernetes.API,
)
