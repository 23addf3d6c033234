"""The journal, on to who collects it: an rsyslogd of its own. Pure.

Sources: rsyslog's manual of imjournal, immark, omfwd and queues (8.2302), RFC 5424, RFC 6587 (octet
counting).
"""

from __future__ import annotations

from components.host.baseline.model import BaselineModel
from components.host.baseline.render import render
from components.host.packages import package
from components.host.part import Check, Health, Part, Service, Text

NAME = "layered-journal"
UNIT = f"{NAME}.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
CONFIG = "/etc/rsyslog-journal/journal.conf"
FOLDER = f"/var/lib/{NAME}"
"""How far it has read, and what waits: below systemd's StateDirectory."""
PACKAGED = "/etc/systemd/system/rsyslog.service.d/10-layered-cloud.conf"
MARK_SECONDS = 600
"""Between two lines that say no more than that there is a way to who collects."""
LINES = 5000
"""Messages that wait in memory at most; above a fifth of them they go on on the disk."""


def part(model: BaselineModel) -> Part | None:
    """The sender of the journal; None where nobody collects it.

    It listens on no port, and nothing waits for it: journald keeps the journal as before. Lines of
    HAProxy's access log are left out, which the balancers send themselves and journald drops where
    they are many.
    """
    if model.collector is None:
        return None
    config = render(
        "journal.conf.j2",
        disk=model.collector.queue,
        folder=FOLDER,
        lines=LINES,
        mark=MARK_SECONDS,
        name=NAME,
        server=model.collector,
        unit=UNIT,
    )
    return Part(
        name="journal",
        packages=(package("rsyslog"),) if model.install_packages else (),
        files=(
            Text(path=CONFIG, content=config),
            Text(path=UNIT_FILE, content=render("journal.service.j2", config=CONFIG, name=NAME)),
            Text(path=PACKAGED, content=render("rsyslog-unit.conf.j2")),
        ),
        checks=(
            Check(
                name="journal",
                argv=("/usr/sbin/rsyslogd", "-N1", "-f", CONFIG),
                watches=(CONFIG,),
            ),
        ),
        services=(
            Service(
                name=UNIT,
                on_change="restart",
                watches=(CONFIG, UNIT_FILE),
                health=Health(argv=("systemctl", "is-active", "--quiet", UNIT)),
                guarded=False,
            ),
        ),
    )
