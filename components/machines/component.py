"""The layer of machines: images, keys, virtual machines; and the way into physical ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pulumi
import pulumi_tls as tls
from pulumi_proxmoxve import download

from components.host import Machine
from components.host.entry import gate
from components.machines.args import DeployKey, MachinesArgs
from components.machines.legs import legs
from components.machines.machine import VirtualMachine, VirtualMachineArgs
from components.machines.moves import Moves
from components.machines.physical import physical
from components.machines.preflight import contents
from settings.models import DISTRIBUTIONS, Image, MachineSpec


class Machines(pulumi.ComponentResource):
    """Every machine of the stack, and the way into each.

    Promises: each image once per Proxmox host, refused unless its SHA-256 is the pinned one; one
    machine per entry, on the host, with the id, addresses and MAC addresses settings decide; a
    key pair of the stack's own that may log in. Another deploy key is let in with the one before,
    or refused before a machine is asked anything. A physical machine is reached as the stack says,
    with the host key that it names.

    Leaves out: what is on the machines. Needs a Proxmox provider (`proxmox_provider`), given in
    `opts.providers`.

    Raises nothing of its own: settings judge machines, the provider's preflight judges Proxmox
    (`LayerError`).
    """

    machines: Mapping[str, Machine]
    """By name, in the order given; physical ones last."""
    deploy_key: DeployKey

    def __init__(
        self, name: str, args: MachinesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        # Rules over the stack ask for it (docs/policy.md).
        allowed = {"replaceable": sorted(args.proxmox.replaceable)}
        super().__init__("layered-cloud:machines:Machines", name, allowed, opts)
        self._specs = args.machines
        self.deploy_key = args.deploy_key or self._make_deploy_key(name)
        before = args.deploy_key_before
        entry = gate(
            f"{name}-deploy-key-gate",
            now=self.deploy_key.public_key,
            before=None if before is None else before.public_key,
            parent=self,
        )
        images = self._download_images(args)
        moves = Moves(name)
        made: dict[str, VirtualMachine] = {}
        for role, spec in args.machines:
            made[spec.name] = VirtualMachine(
                spec.name,
                VirtualMachineArgs(
                    environment=args.environment,
                    role=role,
                    spec=spec,
                    legs=legs(spec, role, args.networks, args.lan_gateway, args.lan_gateway6),
                    resolvers=[str(each) for each in args.networks.resolvers],
                    domain=args.networks.domain,
                    proxmox=args.proxmox,
                    deploy_key=self.deploy_key,
                    deploy_key_before=before,
                    entry=entry,
                    moves=moves,
                    start=args.start(role),
                    image_id=_image_id(args, args.image(role)),
                    image=images[spec.host, args.image(role).file_name],
                    volumes=role in args.volume_roles,
                    distribution=DISTRIBUTIONS[spec.distribution or args.image(role).distribution],
                ),
                parent=self,
            )
        self.machines = {key: each.machine for key, each in made.items()} | {
            spec.name: physical(
                spec,
                role=role,
                networks=args.networks,
                start=args.start(role),
                private_key=self.deploy_key.private_key,
                entry=entry,
            )
            for role, spec in args.physical
        }
        self.register_outputs(
            {
                **allowed,
                "machines": {
                    key: {network: str(leg) for network, leg in each.addresses.items()}
                    for key, each in self.machines.items()
                },
                "deployPublicKey": self.deploy_key.public_key,
            }
        )

    def of(self, *roles: str) -> list[Machine]:
        """The machines of these roles, in the order of the settings."""
        return [machine for machine in self.machines.values() if machine.role in roles]

    def served(self, names: Collection[str]) -> list[tuple[Machine, MachineSpec]]:
        """Those of these names that are virtual and take our pushes, with what the stack says."""
        return [
            (self.machines[spec.name], spec)
            for _, spec in self._specs
            if spec.name in names and self.machines[spec.name].python
        ]

    def _make_deploy_key(self, name: str) -> DeployKey:
        pair = tls.PrivateKey(
            f"{name}-deploy-key", algorithm="ED25519", opts=pulumi.ResourceOptions(parent=self)
        )
        return DeployKey(
            private_key=pair.private_key_openssh,
            public_key=pair.public_key_openssh.apply(str.strip),
        )

    def _download_images(self, args: MachinesArgs) -> dict[tuple[str, str], pulumi.Resource]:
        """By host and file name."""
        store = args.proxmox.datastores.images
        wanted = {
            (spec.host, args.image(role).file_name): args.image(role)
            for role, spec in args.machines
        }
        return {
            (host, file_name): download.File(
                f"{host}-{args.whose(image)}image",
                node_name=host,
                datastore_id=store,
                content_type=_content_type(args),
                url=image.url,
                file_name=file_name,
                checksum=image.sha256,
                checksum_algorithm="sha256",
                # The checksum pins the content: no look at the URL on every refresh.
                overwrite=False,
                overwrite_unmanaged=True,
                upload_timeout=1800,
                # One name on one storage: the old file goes before the new one comes.
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )
            for (host, file_name), image in sorted(wanted.items(), key=lambda each: each[0])
        }


def _content_type(args: MachinesArgs) -> str:
    types = contents(args.proxmox)[args.proxmox.datastores.images]
    return "iso" if "iso" in types else "import"


def _image_id(args: MachinesArgs, image: Image) -> str:
    # Written out, not taken from the download: a new image must not replace machines that exist.
    return f"{args.proxmox.datastores.images}:{_content_type(args)}/{image.file_name}"
