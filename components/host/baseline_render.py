"""The baseline's files as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from components.host.payload import ended
from components.host.text import environment

_TEMPLATES = environment(Path(__file__).parent / "templates")

NOTICE = "# Written by layered-cloud; changes made here are overwritten.\n"


def _render(template: str, **values: object) -> str:
    return NOTICE + _TEMPLATES.get_template(template).render(**values)


def authorized_keys(keys: Sequence[str]) -> str:
    """One OpenSSH public key a line, each once, in the order given."""
    return NOTICE + "".join(ended(key.strip()) for key in dict.fromkeys(keys))


def hosts(*, name: str, address: str, domain: str | None, others: Mapping[str, str]) -> str:
    """`others` maps host names to addresses; the machine's own name stands on `address`."""
    listed = sorted((other, at) for other, at in others.items() if other != name)
    return _render("hosts.j2", name=name, address=address, domain=domain, hosts=listed)


def chrony(servers: Sequence[str]) -> str:
    return _render("chrony.conf.j2", servers=servers)


def resolv_conf(resolvers: Sequence[str], domain: str | None) -> str:
    return _render("resolv.conf.j2", resolvers=resolvers, domain=domain)


def journald(mebibytes: int) -> str:
    return _render("journald.conf.j2", mebibytes=mebibytes)


def upgrades(*, security: bool) -> str:
    """apt's periodic work: off, or security updates daily; never a reboot by itself."""
    return _render("upgrades.conf.j2", security=security).replace("# Written", "// Written", 1)


def sshd(*, address: str, port: int) -> str:
    return _render("sshd.conf.j2", address=address, port=port)


def sshd_unit() -> str:
    return _render("sshd-unit.conf.j2")


def cloud_init() -> str:
    return _render("cloud-init.cfg.j2")
