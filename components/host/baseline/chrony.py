"""The clock. Pure. Source: chrony.conf(5)."""

from __future__ import annotations

from components.host.baseline.model import BaselineModel
from components.host.baseline.render import render
from components.host.packages import package
from components.host.part import Part, Service, Text

CONFIG = "/etc/chrony/chrony.conf"


def part(model: BaselineModel) -> Part | None:
    """chrony as a client of the servers given; without any the clock is the hypervisor's."""
    if not model.ntp_servers:
        return None
    return Part(
        name="chrony",
        packages=(package("chrony"),) if model.install_packages else (),
        files=(Text(path=CONFIG, content=render("chrony.conf.j2", servers=model.ntp_servers)),),
        services=(Service(name="chrony", on_change="restart", watches=(CONFIG,)),),
    )
