"""Names: the machine's own, its neighbours', and who is asked for all others. Pure.

Sources: hostname(1), hosts(5), resolv.conf(5); cloud-init's modules set_hostname,
update_etc_hosts and resolv_conf, which would write the same files at the next boot.
"""

from __future__ import annotations

from components.host.baseline.model import BaselineModel
from components.host.baseline.render import render
from components.host.part import Part, Step, Text

HOSTNAME = "/etc/hostname"


def part(model: BaselineModel) -> Part:
    """Host name, /etc/hosts, resolvers (when some are given), and cloud-init told to keep off."""
    files = [
        Text(path=HOSTNAME, content=f"{model.name}\n"),
        Text(path="/etc/hosts", content=_hosts(model)),
        Text(
            path="/etc/cloud/cloud.cfg.d/99-layered-cloud.cfg",
            content=render("cloud-init.cfg.j2"),
        ),
    ]
    if model.resolvers:
        text = render("resolv.conf.j2", resolvers=model.resolvers, domain=model.domain)
        files.append(Text(path="/etc/resolv.conf", content=text))
    return Part(
        name="names",
        files=tuple(files),
        steps=(Step(name="hostname", argv=("hostname", "-F", HOSTNAME), watches=(HOSTNAME,)),),
    )


def _hosts(model: BaselineModel) -> str:
    """The machine's own name stands on its LAN address, or on management where it has none."""
    own = model.addresses.get("lan") or model.addresses["management"]
    return render(
        "hosts.j2",
        name=model.name,
        address=str(own.ip),
        domain=model.domain,
        hosts=sorted((other, at) for other, at in model.hosts.items() if other != model.name),
    )
