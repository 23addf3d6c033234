"""Who may log in to the machines, and their upkeep."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.models.base import Epoch, Strict, Unit
from settings.models.keys import AuthorizedKey


class Access(Strict):
    """Who may log in to the machines, over the management network only."""

    authorized_keys: list[AuthorizedKey] = Field(default_factory=list)
    """OpenSSH public keys of the operators, beside the stack's own deploy key."""
    baseline_packages: bool = True
    """Install chrony and the like; false where a baked image has them."""
    unattended_upgrades: Literal["off", "security"] = "off"
    """`security`: the distribution's security updates install by themselves."""
    journald_max_mebibytes: Annotated[int, Unit("MiB")] = Field(default=200, ge=16, le=65536)
    """The journal's size on each machine, in MiB."""
    node_exporter: bool = False
    """Prometheus' exporter of each machine's own figures, at TCP 9100 on the management leg. Off
    by default, as it is of use only where Prometheus reads it; `platform.monitoring` needs it."""
    epoch: Epoch = 1
    """Raise to push every machine's configuration again."""
