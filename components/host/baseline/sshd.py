"""The way in: sshd on the management address alone, by key alone. Pure. Source: sshd_config(5)."""

from __future__ import annotations

from collections.abc import Sequence

from components.host.baseline.model import BaselineModel
from components.host.baseline.render import NOTICE, render
from components.host.part import Check, Health, Late, OpenPort, Part, Service, Text

CONFIG = "/etc/ssh/sshd_config.d/10-layered-cloud.conf"
UNIT = "/etc/systemd/system/ssh.service.d/10-layered-cloud.conf"


def part(model: BaselineModel) -> Part:
    """sshd; the authorized keys arrive late, under the name `authorized_keys`."""
    user, address, port = model.ssh_user, model.ssh_address, model.ssh_port
    home = "/root" if user == "root" else f"/home/{user}"
    return Part(
        name="sshd",
        files=(
            Text(
                path=f"{home}/.ssh/authorized_keys",
                content=Late(needs=("authorized_keys",), render=_authorized),
                mode="0600",
                owner=f"{user}:{user}",
            ),
            Text(path=CONFIG, content=render("sshd.conf.j2", address=address, port=port)),
            Text(path=UNIT, content=render("sshd-unit.conf.j2")),
        ),
        checks=(Check(name="sshd", argv=("/usr/sbin/sshd", "-t"), watches=("/etc/ssh",)),),
        services=(
            Service(
                name="ssh",
                watches=("/etc/ssh", UNIT),
                health=Health(argv=("timeout", "2", "bash", "-c", f"</dev/tcp/{address}/{port}")),
            ),
        ),
        ports=(
            OpenPort(
                protocol="tcp",
                number=port,
                network="management",
                sources="management",
                purpose="SSH: operators, and every push",
            ),
        ),
    )


def _authorized(authorized_keys: Sequence[str]) -> str:
    """One OpenSSH public key a line, each once, in the order given."""
    return NOTICE + "".join(f"{key.strip()}\n" for key in dict.fromkeys(authorized_keys))
