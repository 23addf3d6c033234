"""What a new machine is told by its cloud-init. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Seed:
    """What a machine's cloud-init is told of it; keys are OpenSSH texts, `authorized_key` is the
    deploy key's public half."""

    hostname: str
    fqdn: str
    host_private_key: str
    host_public_key: str
    authorized_key: str
