"""Where packages come from, and which of them install by themselves. Pure.

Sources: apt.conf(5), sources.list(5), unattended-upgrades' README.
"""

from __future__ import annotations

from components.host.baseline.model import BaselineModel
from components.host.baseline.render import NOTICE, render
from components.host.packages import package
from components.host.part import Part, Text

UPGRADES = "/etc/apt/apt.conf.d/52layered-cloud-upgrades"


def part(model: BaselineModel) -> Part:
    """Security updates daily or none at all, never a reboot by itself; the image's own sources
    emptied where the stack brings some (which the push itself writes)."""
    security = model.automatic_upgrades == "security"
    text = render("upgrades.conf.j2", security=security, distribution=model.distribution)
    files = [Text(path=UPGRADES, content=text.replace("# Written", "// Written", 1))]
    if model.repositories:
        own = {f"/etc/apt/sources.list.d/{each.name}.sources" for each in model.repositories}
        images = ("/etc/apt/sources.list", model.distribution.sources)
        files += [Text(path=path, content=NOTICE) for path in images if path not in own]
    return Part(
        name="apt",
        packages=(package("unattended-upgrades"),) if security and model.install_packages else (),
        files=tuple(files),
    )
