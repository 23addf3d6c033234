"""The way in: sshd on the management leg alone, by key alone. Pure.

Sources: sshd_config(5), systemd.socket(5), udev(7); Ubuntu's openssh, whose default is a socket of
systemd's (ssh.socket) in place of the addresses of sshd_config.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.host.baseline.model import BaselineModel
from components.host.baseline.render import NOTICE, render
from components.host.part import Check, Health, Late, OpenPort, Part, Service, Step, Text

CONFIG = "/etc/ssh/sshd_config.d/10-layered-cloud.conf"
UNIT = "/etc/systemd/system/ssh.service.d/10-layered-cloud.conf"
SOCKET = "/etc/systemd/system/ssh.socket.d/10-layered-cloud.conf"
LEG = "/etc/udev/rules.d/90-layered-cloud-sshd.rules"

# Where a socket of systemd's starts sshd, its folder goes with whichever connection ends.
_FOLDER = "mkdir -p /run/sshd"
_SOUND = f"{_FOLDER}; exec /usr/sbin/sshd -t"
# sshd adds up what its files say: an address that the image brought stays beside ours.
_ALONE = rf"""
{_FOLDER}
others=$(/usr/sbin/sshd -T | sed -n 's/^listenaddress //p' | grep -vxF -e "$1") || exit 0
echo "sshd would listen on $others too: take that ListenAddress out of /etc/ssh, or its file away"
exit 1
"""
# sshd holds the port where our file is there; where it was put back, whoever held it before.
_HOLDER = f"""
if [ -e {CONFIG} ]; then
    systemctl is-active --quiet ssh.socket || exit 0
    systemctl stop ssh.socket ssh.service
    exec systemctl start ssh.service
fi
systemctl is-enabled --quiet ssh.socket || exit 0
systemctl is-active --quiet ssh.socket && exit 0
systemctl stop ssh.service
exec systemctl start ssh.socket
"""
_LISTENS = 'ss -Hltn src "$1" | grep -qF -e "$2"'


def part(model: BaselineModel) -> Part:
    """sshd; the authorized keys arrive late, under the name `authorized_keys`.

    It is bound to the address and to the leg. Nothing on the machine can connect to it then, so its
    health is that it listens, and the new connection that confirms the push is the proof.
    """
    user, address, port = model.ssh_user, model.ssh_address, model.ssh_port
    interface = model.interfaces.get("management")
    home = "/root" if user == "root" else f"/home/{user}"
    listens = f"{address}:{port}" + (f" rdomain {interface}" if interface else "")
    shown = f"{address}%{interface}:{port}" if interface else f"{address}:{port}"
    rules = Text(path=LEG, content=render("sshd-leg.rules.j2", interface=interface))
    return Part(
        name="sshd",
        files=(
            Text(
                path=f"{home}/.ssh/authorized_keys",
                content=Late(needs=("authorized_keys",), render=_authorized),
                mode="0600",
                owner=f"{user}:{user}",
            ),
            Text(path=CONFIG, content=_config(model, listens)),
            Text(path=UNIT, content=render("sshd-unit.conf.j2")),
            Text(path=SOCKET, content=render("sshd-socket.conf.j2", config=CONFIG)),
            *([rules] if interface else []),
        ),
        checks=(
            Check(name="sshd", argv=("/bin/sh", "-c", _SOUND), watches=("/etc/ssh",)),
            Check(
                name="sshd alone",
                argv=("/bin/bash", "-c", _ALONE, "sshd", listens),
                watches=("/etc/ssh",),
            ),
        ),
        steps=(
            Step(
                name="sshd holds the port",
                argv=("/bin/bash", "-c", _HOLDER),
                watches=(SOCKET,),
                seconds=120,
            ),
        ),
        services=(
            Service(
                name="ssh",
                watches=("/etc/ssh", UNIT),
                health=Health(argv=("/bin/bash", "-c", _LISTENS, "ss", f"{address}:{port}", shown)),
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


def _config(model: BaselineModel, listens: str) -> str:
    return render("sshd.conf.j2", listens=listens, further=model.distribution.sshd)


def _authorized(authorized_keys: Sequence[str]) -> str:
    """One OpenSSH public key a line, in the order given. One that is given twice stands twice: a
    rule over the plan tells it by that (docs/policy.md)."""
    return NOTICE + "".join(f"{key.strip()}\n" for key in authorized_keys)
