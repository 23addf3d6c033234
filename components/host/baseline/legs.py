"""The legs: what was put on them stays when a cable or networkd moves. Pure.

Sources: systemd.network(5), networkd.conf(5); cilium#18706 (routes to pods that went with the
node's address come back with the agent's background pass only), keepalived#1385 (VIPs that went
with a restart of networkd).
"""

from __future__ import annotations

from components.host.baseline.model import BaselineModel
from components.host.baseline.render import render
from components.host.part import Part, Step, Text

CONFIG = "/etc/systemd/networkd.conf.d/60-layered-cloud.conf"
RENDERERS = ("netplan", "cloud-init")
"""Who writes networkd's files on a cloud image: `10-RENDERER-INTERFACE.network`."""


def drop_in(renderer: str, interface: str) -> str:
    """The path of what is laid over a renderer's file of one interface."""
    return f"/etc/systemd/network/10-{renderer}-{interface}.network.d/60-layered-cloud.conf"


def part(model: BaselineModel) -> Part:
    """networkd keeps addresses while a carrier is away, and leaves others' routes and rules alone.

    On a machine without networkd the files are read by nobody. A restart and no reload: networkd
    reads its own configuration at its start only, and a reload before that would drop what the
    files are to keep.
    """
    text = render("legs.network.j2")
    leg_files = [
        Text(path=drop_in(renderer, interface), content=text)
        for interface in sorted(model.interfaces.values())
        for renderer in RENDERERS
    ]
    files = (Text(path=CONFIG, content=render("legs.networkd.j2")), *leg_files)
    return Part(
        name="legs",
        files=files,
        steps=(
            Step(
                name="networkd",
                argv=("systemctl", "try-restart", "systemd-networkd.service"),
                watches=tuple(file.path for file in files),
            ),
        ),
    )
