"""rsyslog: HAProxy's lines about the service's requests, on to the log servers. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from components.host.packages import package
from components.host.part import Check, Health, Part, Service, Text
from components.host.text import environment
from components.loadbalancers.access_log import CHROOT, LONGEST, SOCKET
from components.loadbalancers.model import Balancer, BalancersModel
from settings.models import LogServer

UNIT: Final = "rsyslog.service"
UNIT_FILE: Final = f"/etc/systemd/system/{UNIT}"
FOLDER: Final = "/etc/rsyslog-layered"
CONFIG: Final = f"{FOLDER}/access.conf"
AUTHORITIES: Final = f"{FOLDER}/{{queue}}.pem"
"""Who signs a server's certificate."""
SPOOL: Final = "/var/spool/rsyslog"
"""Where the queues go on on the disk; the package's folder, which rsyslogd -N wants to find."""
LINES: Final = 5000
"""Lines that a queue has in memory at most; above a fifth of them it goes on on the disk."""
BATCH: Final = 16
"""Lines that are handed over at a time, and that a restart in the middle of it loses at most."""

_ALIVE = "import socket as s;s.socket(s.AF_UNIX,s.SOCK_DGRAM).connect({socket!r})"
_TEMPLATES = environment(Path(__file__).parent / "templates" / "rsyslog")


def part(model: BalancersModel, _: Balancer) -> Part | None:
    """The sender of the access log; None where the stack names no log server.

    It listens on no port. Nobody's answer about health asks for it, and HAProxy never waits for it:
    a line that it does not take is lost (HAProxy configuration manual, `log`: datagrams).
    """
    if model.logging is None:
        return None
    servers = model.logging.servers
    secured = [each for each in servers if each.tls]
    config = _TEMPLATES.get_template("access.conf.j2").render(
        authorities=_authorities,
        batch=BATCH,
        disk=model.logging.queue,
        line=2 * LONGEST,
        lines=LINES,
        queue=queue,
        servers=servers,
        socket=CHROOT + SOCKET,
        spool=SPOOL,
    )
    unit = _TEMPLATES.get_template("rsyslog.service.j2").render(
        config=CONFIG,
        queues=[queue(each) for each in servers],
        sockets=str(Path(CHROOT + SOCKET).parent),
        spool=SPOOL,
    )
    return Part(
        name="rsyslog",
        packages=(package("rsyslog"), *((package("rsyslog-gnutls"),) if secured else ())),
        files=(
            Text(path=CONFIG, content=config),
            *(
                Text(path=_authorities(each), content=f"{each.tls.authorities.strip()}\n")
                for each in secured
                if each.tls
            ),
            Text(path=UNIT_FILE, content=unit),
        ),
        checks=(
            Check(
                name="rsyslog", argv=("/usr/sbin/rsyslogd", "-N1", "-f", CONFIG), watches=(FOLDER,)
            ),
        ),
        services=(
            Service(
                name=UNIT,
                on_change="restart",
                watches=(FOLDER, UNIT_FILE),
                health=Health(
                    argv=("python3", "-c", _ALIVE.format(socket=CHROOT + SOCKET)),
                ),
                guarded=False,
            ),
        ),
    )


def queue(server: LogServer) -> str:
    """What the files of a server's queue are called: by where it is, whatever its place in the
    list, so that nobody gets another's lines."""
    return f"{server.address}-{server.port}"


def _authorities(server: LogServer) -> str:
    return AUTHORITIES.format(queue=queue(server))
