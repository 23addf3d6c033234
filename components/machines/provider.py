"""The Proxmox provider, which cannot reach a host before the preflight has passed."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_proxmoxve as proxmoxve

from components.host import LayerError
from components.machines.preflight import check, planned
from settings.models import MachineSpec, Networks, Proxmox


def proxmox_provider(
    name: str,
    *,
    proxmox: Proxmox,
    networks: Networks,
    machines: Sequence[tuple[str, MachineSpec]],
    api_token: pulumi.Input[str],
    ssh_private_key: pulumi.Input[str],
    opts: pulumi.ResourceOptions | None = None,
) -> proxmoxve.Provider:
    """A provider whose token is handed over only when every check of the preflight has passed.

    A preview changes nothing and may run where the API cannot be reached, so it does not ask.
    `machines` are the pairs of role and machine to be made.
    Every resource of the provider waits for its configuration, so on an update nothing is made
    before the answer. Raises `LayerError` with every lack at once.
    """

    def passed(token: str) -> str:
        if not pulumi.runtime.is_dry_run():
            lacks = check(proxmox, networks, planned(machines), token)
            if lacks:
                raise LayerError(
                    f"Proxmox at {proxmox.endpoint} is not ready for this stack; nothing was made",
                    lacks,
                )
        return token

    return proxmoxve.Provider(
        name,
        endpoint=proxmox.endpoint,
        insecure=proxmox.insecure,
        api_token=pulumi.Output.secret(api_token).apply(passed),
        ssh=proxmoxve.ProviderSshArgs(
            agent=False,
            username=proxmox.ssh_user,
            private_key=pulumi.Output.secret(ssh_private_key),
            nodes=[
                proxmoxve.ProviderSshNodeArgs(
                    name=host.name, address=str(host.ssh_address), port=host.ssh_port
                )
                for host in proxmox.hosts
            ],
        ),
        opts=opts,
    )
