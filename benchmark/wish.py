"""What every host is to carry, whoever brings it: three files, two checkers, two daemons. Pure.

Both sides are given the very same texts, checkers and reloads, so that what differs is the way.
"""

from __future__ import annotations

from dataclasses import dataclass

from components.host.part import Check, Service

HAPROXY = "/etc/haproxy/haproxy.cfg"
"""The file with the line that changes."""
FIRST = 30
"""Seconds in that line before anybody pushed anything."""

_HAPROXY = """\
global
    log /dev/log local0
    user haproxy
    group haproxy
    maxconn 4000

defaults
    log global
    mode http
    option httplog
    option dontlognull
    option redispatch
    retries 2
    timeout connect 2s
    timeout client {seconds}s
    timeout server 30s
    timeout http-request 10s
    timeout queue 5s

frontend web
    bind 127.0.0.1:8080
    http-request set-header X-Forwarded-Proto http
    acl static path_beg /static/ /images/
    use_backend static if static
    default_backend application

backend application
    balance roundrobin
    server one 127.0.0.1:9001
    server two 127.0.0.1:9002

backend static
    balance leastconn
    server three 127.0.0.1:9003
"""
_SSHD = """\
X11Forwarding no
AllowAgentForwarding no
MaxAuthTries 4
LoginGraceTime 30
"""
_MOTD = "This host is configured by a program. What is changed by hand is lost.\n"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One file of mode 0644, root's; `checker` is given its path, `unit` is reloaded when it
    changed. Empty and None where nothing reads it."""

    path: str
    text: str
    checker: tuple[str, ...] = ()
    unit: str | None = None


def pieces(seconds: int) -> tuple[Piece, ...]:
    """The files; `seconds` stands in the one line that a change changes."""
    return (
        Piece(
            path=HAPROXY,
            text=_HAPROXY.format(seconds=seconds),
            checker=("/usr/sbin/haproxy", "-c", "-f"),
            unit="haproxy",
        ),
        Piece(
            path="/etc/ssh/sshd_config.d/10-benchmark.conf",
            text=_SSHD,
            checker=("/usr/sbin/sshd", "-t", "-f"),
            unit="ssh",
        ),
        Piece(path="/etc/motd", text=_MOTD),
    )


def checks(wanted: tuple[Piece, ...]) -> tuple[Check, ...]:
    """The checkers as a push of ours has them."""
    return tuple(
        Check(name=each.unit or each.path, argv=(*each.checker, each.path), watches=(each.path,))
        for each in wanted
        if each.checker
    )


def services(wanted: tuple[Piece, ...]) -> tuple[Service, ...]:
    """The daemons as a push of ours has them."""
    return tuple(
        Service(name=each.unit, watches=(each.path,)) for each in wanted if each.unit is not None
    )
