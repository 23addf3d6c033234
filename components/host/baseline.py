"""What every machine gets, whatever its role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from components.host import baseline_render as render
from components.host.configuration import HostConfiguration, HostConfigurationArgs
from components.host.errors import HostError
from components.host.files import File
from components.host.machine import Machine
from components.host.packages import Repository
from components.host.part import Check, ConfirmPolicy, Health, Package, Service, Step

LAYER = "baseline"
SSHD = "/etc/ssh/sshd_config.d/10-layered-cloud.conf"
SSHD_UNIT = "/etc/systemd/system/ssh.service.d/10-layered-cloud.conf"
JOURNALD = "/etc/systemd/journald.conf.d/60-layered-cloud.conf"
CHRONY = "/etc/chrony/chrony.conf"
HOSTNAME = "/etc/hostname"


@dataclass(frozen=True, kw_only=True)
class BaselineArgs:
    """`authorized_keys` are OpenSSH public keys, the run's own among them. `hosts` maps names to
    addresses for /etc/hosts. `repositories`, when not empty, replace the image's own apt sources.
    Without `ntp_servers` the clock is left to the hypervisor. `install_packages` is false where a
    baked image has chrony and unattended-upgrades. `confirm_seconds` bounds how long a mistaken
    sshd lasts.
    """

    machine: Machine
    authorized_keys: tuple[pulumi.Input[str], ...]
    repositories: tuple[Repository, ...] = ()
    resolvers: tuple[str, ...] = ()
    domain: str | None = None
    ntp_servers: tuple[str, ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)
    journal_mebibytes: int = 200
    automatic_upgrades: Literal["off", "security"] = "off"
    install_packages: bool = True
    confirm_seconds: int = 60
    epoch: str = "1"


class Baseline(pulumi.ComponentResource):
    """Authorized keys, host name, time, resolvers, journal limits, upgrade policy, sshd, apt.

    Promises: sshd answers on the management address only, and by key only; a mistake that cuts
    the way in off is put back by the machine itself. Rotating a key is a push, never a new VM.

    Leaves out: the network's own configuration (cloud-init's), the firewall (the layers'), users
    other than the connection's.
    """

    configuration: HostConfiguration

    def __init__(
        self,
        name: str,
        args: BaselineArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not args.authorized_keys:
            raise HostError(
                f"baseline {name!r}: without an authorized key nobody, this program included, "
                "could log in again; give the run's own public key"
            )
        super().__init__("layered-cloud:host:Baseline", name, {}, opts)
        self.configuration = HostConfiguration(
            name,
            HostConfigurationArgs(
                machine=args.machine,
                layer=LAYER,
                repositories=args.repositories,
                packages=_packages(args),
                files=(*_access(args), *_names(args), *_upkeep(args)),
                checks=(Check(name="sshd", argv=("/usr/sbin/sshd", "-t"), watches=("/etc/ssh",)),),
                steps=(
                    Step(
                        name="hostname",
                        argv=("hostname", "-F", HOSTNAME),
                        watches=(HOSTNAME,),
                    ),
                ),
                services=_services(args),
                confirm=ConfirmPolicy(seconds=args.confirm_seconds),
                epoch=args.epoch,
            ),
            pulumi.ResourceOptions(
                parent=self,
                depends_on=opts.depends_on if opts else None,
                replace_with=opts.replace_with if opts else None,
            ),
        )
        self.register_outputs(
            {"machine": args.machine.name, "generation": self.configuration.generation}
        )


def _packages(args: BaselineArgs) -> tuple[Package, ...]:
    names = []
    if args.install_packages and args.ntp_servers:
        names.append("chrony")
    if args.install_packages and args.automatic_upgrades != "off":
        names.append("unattended-upgrades")
    return tuple(Package(name=name) for name in names)


def _access(args: BaselineArgs) -> tuple[File, ...]:
    connection = args.machine.connection
    home = "/root" if connection.user == "root" else f"/home/{connection.user}"
    keys = pulumi.Output.all(*args.authorized_keys).apply(render.authorized_keys)
    return (
        File(
            path=f"{home}/.ssh/authorized_keys",
            content=keys,
            mode="0600",
            owner=f"{connection.user}:{connection.user}",
        ),
        File(path=SSHD, content=render.sshd(address=connection.host, port=connection.port)),
        File(path=SSHD_UNIT, content=render.sshd_unit()),
    )


def _names(args: BaselineArgs) -> tuple[File, ...]:
    machine = args.machine
    own = machine.addresses.get("lan") or machine.addresses["management"]
    files = [
        File(path=HOSTNAME, content=f"{machine.name}\n"),
        File(
            path="/etc/hosts",
            content=render.hosts(
                name=machine.name, address=str(own.ip), domain=args.domain, others=args.hosts
            ),
        ),
        File(path="/etc/cloud/cloud.cfg.d/99-layered-cloud.cfg", content=render.cloud_init()),
    ]
    if args.resolvers:
        text = render.resolv_conf(args.resolvers, args.domain)
        files.append(File(path="/etc/resolv.conf", content=text))
    return tuple(files)


def _upkeep(args: BaselineArgs) -> tuple[File, ...]:
    security = args.automatic_upgrades == "security"
    files = [
        File(path=JOURNALD, content=render.journald(args.journal_mebibytes)),
        File(
            path="/etc/apt/apt.conf.d/52layered-cloud-upgrades",
            content=render.upgrades(security=security),
        ),
    ]
    if args.ntp_servers:
        files.append(File(path=CHRONY, content=render.chrony(args.ntp_servers)))
    if args.repositories:
        own = {repository.name for repository in args.repositories}
        replaced = ["/etc/apt/sources.list"]
        replaced += [] if "debian" in own else ["/etc/apt/sources.list.d/debian.sources"]
        files += [File(path=path, content=render.NOTICE) for path in replaced]
    return tuple(files)


def _services(args: BaselineArgs) -> tuple[Service, ...]:
    host, port = args.machine.connection.host, args.machine.connection.port
    services = [
        Service(name="systemd-journald", on_change="restart", watches=(JOURNALD,)),
        Service(
            name="ssh",
            watches=("/etc/ssh", SSHD_UNIT),
            health=Health(argv=("timeout", "2", "bash", "-c", f"</dev/tcp/{host}/{port}")),
        ),
    ]
    if args.ntp_servers:
        services.append(Service(name="chrony", on_change="restart", watches=(CHRONY,)))
    return tuple(services)
