"""One virtual machine, from its host key to the way in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_proxmoxve as proxmoxve
import pulumi_tls as tls

from components.host import Connection, Machine, Seed, Start, once_below
from components.host.entry import way_in
from components.machines.args import DeployKey
from components.machines.legs import Leg
from components.machines.moves import Known, Moves
from components.machines.render import render_user_data
from settings.models import Distribution, MachineSpec, Proxmox

STARTUP_ORDER = {"router": 1, "balancer": 2, "control_plane": 3, "worker": 4}
"""The chain's own order, for a host that boots."""

CREATE_SECONDS = 900
"""How long making a machine may take, its disk's import included. The provider has inputs for its
time limits and does not look at Pulumi's `customTimeouts`."""
STOP_SECONDS = 300
"""How long switching a machine off may take."""
SHUTDOWN_SECONDS = 600
"""How long a guest may take to shut down; the longer of this and `STOP_SECONDS` bounds a whole
delete (bpg/terraform-provider-proxmox v0.111.1)."""

ADDRESSED = ("initialization.ipConfigs", "networkDevices[*].macAddress")
"""What cloud-init is told once. The provider would write it beside a machine that runs, and the
next start would bring it other addresses than anybody knows: it is made anew, or not at all."""


@dataclass(frozen=True, kw_only=True)
class VirtualMachineArgs:
    """`image_id` is the id of the disk image on the machine's host, `distribution` what is on it;
    `entry` is the gate that every use of the deploy key waits for, `moves` is asked before the
    machine is changed. With `volumes` somebody else gives the machine disks, too."""

    environment: str
    role: str
    spec: MachineSpec
    legs: Sequence[Leg]
    resolvers: Sequence[str]
    domain: str
    proxmox: Proxmox
    deploy_key: DeployKey
    deploy_key_before: DeployKey | None
    entry: pulumi.Resource
    moves: Moves
    start: Start
    image_id: str
    image: pulumi.Resource
    distribution: Distribution
    volumes: bool = False


class VirtualMachine:
    """A host key, a user-data snippet, the machine, and what tells its successor from it. One that
    takes no cloud-init has neither of the first two (`Start`).

    Promises: the machine is reached on its management address with exactly the generated host key;
    whatever is pushed to it first waits for that, and for cloud-init's end. Neither a rotated key
    nor a changed resolver or image replaces it, and to another host it is migrated; a changed id
    replaces it, a changed address, gateway or segment's prefix where the stack lets it go, and is
    refused elsewhere (docs/machines.md has the whole list).

    Leaves out: Proxmox HA (VRRP carries failover; a Proxmox restart takes minutes) and affinity
    rules: settings place machines on hosts explicitly, and check the spread.

    Raises nothing before the update; a machine that does not answer fails its first push.
    """

    machine: Machine
    vm: proxmoxve.VmLegacy

    def __init__(
        self, name: str, args: VirtualMachineArgs, parent: pulumi.ComponentResource
    ) -> None:
        below = _Below(name, parent)
        spec, proxmox = args.spec, args.proxmox
        stores = proxmox.datastores
        seed = _seed(name, args, below) if args.start.cloud_init else None
        args.moves.knows(name, Known(role=args.role, networks=[leg.network for leg in args.legs]))
        self.vm = proxmoxve.VmLegacy(
            name,
            name=name,
            vm_id=spec.vm_id,
            node_name=spec.host,
            # To another host the machine goes as it is; without this it would be destroyed.
            migrate=True,
            description=f"{args.role} of {args.environment}, made by layered-cloud",
            tags=sorted({args.environment, args.role.replace("_", "-"), *proxmox.tags}),
            agent=proxmoxve.VmLegacyAgentArgs(enabled=False),
            # An answer from a guest that is being destroyed is worth no wait.
            stop_on_destroy=True,
            reboot_after_update=False,
            on_boot=True,
            started=True,
            startup=proxmoxve.VmLegacyStartupArgs(order=STARTUP_ORDER[args.role]),
            timeout_create=CREATE_SECONDS,
            timeout_stop_vm=STOP_SECONDS,
            timeout_shutdown_vm=SHUTDOWN_SECONDS,
            operating_system=proxmoxve.VmLegacyOperatingSystemArgs(type="l26"),
            cpu=proxmoxve.VmLegacyCpuArgs(cores=spec.cores, type="x86-64-v2-AES"),
            memory=proxmoxve.VmLegacyMemoryArgs(dedicated=spec.memory),
            scsi_hardware="virtio-scsi-single",
            # Debian's cloud kernel logs to the first serial port.
            serial_devices=[proxmoxve.VmLegacySerialDeviceArgs(device="socket")],
            disks=[_disk(spec, stores.disks, args.image_id)],
            network_devices=[_nic(leg) for leg in args.legs],
            initialization=proxmoxve.VmLegacyInitializationArgs(
                datastore_id=stores.disks,
                interface="ide2",
                user_data_file_id=None if seed is None else seed.file_id,
                dns=proxmoxve.VmLegacyInitializationDnsArgs(
                    domain=args.domain, servers=list(args.resolvers)
                ),
                ip_configs=[
                    proxmoxve.VmLegacyInitializationIpConfigArgs(
                        ipv4=proxmoxve.VmLegacyInitializationIpConfigIpv4Args(
                            address=str(leg.address),
                            gateway=None if leg.gateway is None else str(leg.gateway),
                        ),
                        ipv6=_ipv6(leg),
                    )
                    for leg in args.legs
                ],
            ),
            opts=pulumi.ResourceOptions(
                parent=parent,
                aliases=below.aliases,
                depends_on=[args.image] if seed is None else [seed.snippet, args.image],
                protect=proxmox.keeps(name) or None,
                # The id and the name are this machine's: two cannot exist side by side.
                delete_before_replace=True,
                ignore_changes=[
                    # Resolvers are pushed to machines that exist; cloud-init applies them once.
                    "initialization.dns",
                    # The provider fills in zeros of its own and reads none back (v0.111.1). With a
                    # change of any disk it takes away all that are not in its plan: the volumes
                    # of pods that run.
                    "disks" if args.volumes else "disks[0].speed",
                ],
                replace_on_changes=[*ADDRESSED] if proxmox.lets_go(name) else [],
                hooks=pulumi.ResourceHookBinding(before_update=[args.moves.hook]),
                # It goes in by cloud-init, once: with another one nobody would know the machine.
                replace_with=[] if seed is None else [seed.host_key],
            ),
        )
        # Another key for another VM: what was pushed to the old one is pushed to the new one.
        life = tls.PrivateKey(
            f"{name}-incarnation",
            algorithm="ED25519",
            opts=pulumi.ResourceOptions(
                parent=parent,
                aliases=below.aliases,
                depends_on=[self.vm],
                replace_with=[self.vm],
            ),
        )
        self.machine = Machine(
            name=name,
            role=args.role,
            addresses={leg.network: leg.address for leg in args.legs},
            interfaces={leg.network: leg.interface for leg in args.legs},
            addresses6={leg.network: leg.address6 for leg in args.legs if leg.address6 is not None},
            connection=Connection(
                host=str(spec.management),
                user=args.start.user,
                private_key=args.deploy_key.private_key,
                host_key=args.start.host_keys[name]
                if seed is None
                else seed.host_key.public_key_openssh.apply(str.strip),
            ),
            vm=self.vm,
            host=spec.host,
            incarnation=life.public_key_fingerprint_sha256,
            lifetime=life,
            entry=(args.entry,),
            distribution=args.distribution,
            python=args.start.python,
        )
        if args.deploy_key_before is not None and args.start.python:
            let_in = way_in(
                f"{name}-way-in",
                self.machine,
                public_key=args.deploy_key.public_key,
                before=args.deploy_key_before.private_key,
                parent=parent,
                aliases=below.aliases,
            )
            self.machine = dataclasses.replace(self.machine, entry=(args.entry, let_in))


@dataclass(frozen=True)
class _Below:
    """Where a machine's resources stand; once they had a component of the machine's own around
    them, and states know them by it."""

    name: str
    parent: pulumi.ComponentResource

    @property
    def aliases(self) -> list[pulumi.Alias]:
        return once_below(self.name, ["layered-cloud:machines:VirtualMachine"], self.parent)


@dataclass(frozen=True, kw_only=True)
class _Seed:
    """What cloud-init gives a machine: its host key and its user-data."""

    host_key: tls.PrivateKey
    snippet: pulumi.Resource
    file_id: str


def _seed(name: str, args: VirtualMachineArgs, below: _Below) -> _Seed:
    spec, stores = args.spec, args.proxmox.datastores
    user_data = args.start.user_data or render_user_data
    host_key = tls.PrivateKey(
        f"{name}-host-key",
        algorithm="ED25519",
        opts=pulumi.ResourceOptions(parent=below.parent, aliases=below.aliases),
    )
    # The file keeps its name, so the machine keeps naming it; that is why the old file must be
    # gone before the new one is written, or its removal would take the new one with it.
    file_name = f"{args.environment}-{name}-user-data.yaml"
    snippet = proxmoxve.FileLegacy(
        f"{name}-user-data",
        content_type="snippets",
        datastore_id=stores.snippets,
        node_name=spec.host,
        source_raw=proxmoxve.FileLegacySourceRawArgs(
            file_name=file_name,
            data=pulumi.Output.secret(
                pulumi.Output.all(
                    host_private_key=host_key.private_key_openssh,
                    host_public_key=host_key.public_key_openssh,
                    authorized_key=args.deploy_key.public_key,
                ).apply(
                    lambda keys: user_data(
                        Seed(hostname=name, fqdn=f"{name}.{args.domain}", **keys)
                    )
                )
            ),
        ),
        opts=pulumi.ResourceOptions(
            parent=below.parent,
            aliases=below.aliases,
            delete_before_replace=True,
            depends_on=[args.entry],
        ),
    )
    # Written out, not taken from the snippet: an unknown id would replace the machine.
    file_id = f"{stores.snippets}:snippets/{file_name}"
    return _Seed(host_key=host_key, snippet=snippet, file_id=file_id)


def _disk(spec: MachineSpec, datastore: str, image_id: str) -> proxmoxve.VmLegacyDiskArgs:
    from_import = ":import/" in image_id
    return proxmoxve.VmLegacyDiskArgs(
        interface="scsi0",
        datastore_id=datastore,
        size=spec.disk,
        import_from=image_id if from_import else None,
        file_id=None if from_import else image_id,
        discard="on",
        iothread=True,
    )


def _ipv6(leg: Leg) -> proxmoxve.VmLegacyInitializationIpConfigIpv6Args | None:
    if leg.address6 is None:
        return None
    return proxmoxve.VmLegacyInitializationIpConfigIpv6Args(
        address=str(leg.address6),
        gateway=None if leg.gateway6 is None else str(leg.gateway6),
    )


def _nic(leg: Leg) -> proxmoxve.VmLegacyNetworkDeviceArgs:
    return proxmoxve.VmLegacyNetworkDeviceArgs(
        bridge=leg.segment.bridge,
        mac_address=leg.mac,
        model="virtio",
        firewall=False,
        vlan_id=leg.segment.vlan,
        # 1500 is what a guest assumes; anything else is told to it by its host.
        mtu=None if leg.segment.mtu == 1500 else leg.segment.mtu,
    )
