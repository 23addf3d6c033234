"""The journal: kept over reboots, and bounded. Pure. Source: journald.conf(5)."""

from __future__ import annotations

from components.host.baseline.model import BaselineModel
from components.host.baseline.render import render
from components.host.part import Part, Service, Text

CONFIG = "/etc/systemd/journald.conf.d/60-layered-cloud.conf"


def part(model: BaselineModel) -> Part:
    """systemd-journald with at most `journal_mebibytes` on disk."""
    text = render("journald.conf.j2", mebibytes=model.journal_mebibytes)
    return Part(
        name="journald",
        files=(Text(path=CONFIG, content=text),),
        services=(Service(name="systemd-journald", on_change="restart", watches=(CONFIG,)),),
    )
