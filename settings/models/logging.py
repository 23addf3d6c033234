"""Where the balancers' access log goes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.models.addresses import Address
from settings.models.base import Domain, Port, Strict, Unit
from settings.models.origin_pulls import Authorities


class LogTls(Strict):
    """How a log server proves who it is (RFC 5425)."""

    authorities: Authorities
    """Who signs its certificate (PEM)."""
    name: Domain
    """The name that its certificate is for."""


class LogServer(Strict):
    """Who takes the access log, as syslog over TCP."""

    address: Address
    """Where it listens."""
    port: Port
    """Its port; 6514 is the one registered for syslog over TLS, 601 for syslog over TCP."""
    tls: LogTls | None = None
    """Null: in plain text."""


class Logging(Strict):
    """The access log of the service's requests, a JSON object a line, sent to servers."""

    servers: list[LogServer] = Field(min_length=1)
    """Each is sent every line (RFC 5424, framed by RFC 6587's octet counting)."""
    queue: Annotated[int, Unit("MiB")] = Field(default=256, ge=16, le=65_536)
    """Disk of each balancer for the lines that a server has not taken yet, for each server. When it
    is full, further lines are dropped."""
    query: bool = False
    """Whether lines have the query of a URL: it may hold secrets, such as tokens."""
