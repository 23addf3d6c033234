"""Machines in maintenance, restarted by Proxmox where something waits for that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import requests

from components.host import HostAction, HostActionArgs, LayerError, Machine, dependencies
from components.host.pair.health import SCRIPT
from components.machines.api import Api, ApiTrouble
from components.machines.render import render_restart
from settings.models import MachineSpec, Proxmox

LEAVE_SECONDS = 60
"""For the addresses of a pair to be at the peer, which takes a second or two."""
SHUTDOWN_SECONDS = 180
"""For the guest to shut down; nobody forces one that does not."""
START_SECONDS = 300
"""For Proxmox to have it run again, with what waited."""
WELL_SECONDS = 300
"""For its daemons to be what they should, once it answers."""
PAUSE = 1.0
"""Seconds between two questions to Proxmox."""


@dataclass(frozen=True, kw_only=True)
class RestartsArgs:
    """`machines` are those in maintenance that Proxmox runs and our pushes reach, with what the
    stack says of each; `vips` the addresses that a role's pair holds."""

    machines: Sequence[tuple[Machine, MachineSpec]]
    proxmox: Proxmox
    api_token: pulumi.Input[str]
    vips: Mapping[str, Sequence[object]]


class Restarts(pulumi.ComponentResource):
    """Each machine that is named, restarted if Proxmox says that something waits for that.

    Promises: one after the other, the next one once the one before is well. A machine that holds an
    address of its pair is not restarted, since its peer does not serve; it is asked in that very
    update. None is forced off. A machine that nothing waits for, or that is off, is left alone, and
    so is one that was here before and of whose size nothing changed.

    Leaves out: drains, and what balancers lead to a node, which go before (`opts` waits for them);
    appliances, and machines that nobody can stand in for, which are restarted by hand.

    Raises nothing before the update; then `LayerError`, from the engine's hook, with Proxmox' own
    words.
    """

    def __init__(
        self, name: str, args: RestartsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:machines:Restarts", name, {}, opts)
        asked = _Asked(name, args.proxmox, args.api_token)
        before: list[pulumi.Input[pulumi.Resource]] = dependencies(opts)
        for machine, spec in args.machines:
            epoch = pulumi.Output.concat(f"{spec.cores}-{spec.memory}-", machine.incarnation or "")
            spared = HostAction(
                f"{machine.name}-spared",
                HostActionArgs(
                    machine=machine,
                    name="spared",
                    do=render_restart(
                        "spared", vips=args.vips.get(machine.role, ()), seconds=LEAVE_SECONDS
                    ),
                    epoch=epoch,
                    seconds=2 * LEAVE_SECONDS,
                ),
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=before, hooks=_before(asked.noting)
                ),
            )
            restarted = Restart(
                f"{machine.name}-restart",
                # By the URN it comes after what has one: an option orders no component.
                {
                    **{"machine": machine.name, "vmId": spec.vm_id, "life": machine.incarnation},
                    **{"cores": spec.cores, "memory": spec.memory, "after": spared.urn},
                },
                pulumi.ResourceOptions(parent=self, hooks=_before(asked.restarting)),
            )
            well = HostAction(
                f"{machine.name}-well",
                HostActionArgs(
                    machine=machine,
                    name="well",
                    do=render_restart(
                        "well", role=machine.role, health=SCRIPT, seconds=WELL_SECONDS
                    ),
                    epoch=epoch,
                    seconds=2 * WELL_SECONDS,
                ),
                # Its parent is there before it is asked for.
                opts=pulumi.ResourceOptions(parent=restarted, depends_on=[spared]),
            )
            before = [well]
        self.register_outputs({})


class Restart(pulumi.ComponentResource):
    """One machine's: there once Proxmox runs it with everything that waited.

    Promises: the engine makes it, and notes another size or another VM, only after Proxmox was
    asked; in a preview nobody is.

    Leaves out: asking the machine whether its peer serves, which goes before (`after`).

    Raises `LayerError`, from the engine's hook, with Proxmox' words.
    """

    def __init__(self, name: str, asked: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("layered-cloud:machines:Restart", name, dict(asked), opts)
        self.register_outputs({})


class _Asked:
    """What the engine is told before it asks a machine (`noting`), and before it notes a restart
    (`restarting`).

    A machine that was asked in an earlier update has nothing to say about its peer of today.
    """

    def __init__(self, name: str, proxmox: Proxmox, api_token: pulumi.Input[str]) -> None:
        self._proxmox, self._token = proxmox, api_token
        self._now: set[str] = set()
        self.noting = pulumi.ResourceHook(f"{name}-noting", self._noted)
        self.restarting = pulumi.ResourceHook(f"{name}-restarting", self._restarted)

    def _noted(self, of: pulumi.ResourceHookArgs) -> None:
        self._now.add(of.urn)

    async def _restarted(self, of: pulumi.ResourceHookArgs) -> None:
        now = of.new_inputs or {}
        name = str(now["machine"])
        if str(now["after"]) not in self._now:
            raise LayerError("machines", [_again(name)])
        token = await pulumi.Output.from_input(self._token).future()
        await asyncio.to_thread(_restarted, self._proxmox, str(token), name, int(now["vmId"]))


def _before(hook: pulumi.ResourceHook) -> pulumi.ResourceHookBinding:
    return pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])


def _again(name: str) -> str:
    return (
        f"{name} is not restarted: whether its peer serves it said in an earlier update; take "
        f"{name} out of maintenance.machines, run `pulumi up`, and name it again"
    )


def _restarted(proxmox: Proxmox, token: str, name: str, number: int) -> None:
    with requests.Session() as session:
        api = Api(proxmox.endpoint, token, not proxmox.insecure, session)
        try:
            restart(api, name, number)
        except ApiTrouble as trouble:
            raise LayerError("machines", [f"{name} is not restarted: {trouble}"]) from trouble


def restart(
    api: Api, name: str, number: int, *, pause: Callable[[float], None] = time.sleep
) -> bool:
    """Restarts the VM if something waits for it, and returns whether; not before it runs with that.

    By Proxmox, since a restart from within is one of the same virtual hardware: qm(1) says of
    `qm reboot` that it shuts the VM down, starts it again and applies pending changes.

    Raises:
        ApiTrouble: Proxmox refused, the guest did not shut down, or it does not run again.
    """
    node = _node(api, name, number)
    here = f"/nodes/{node}/qemu/{number}"
    if api.get(f"{here}/status/current").get("status") != "running" or not _waiting(api, here):
        return False
    task = api.post(f"{here}/status/reboot", timeout=str(SHUTDOWN_SECONDS))
    if not _until(lambda: _ended(api, node, task, name), SHUTDOWN_SECONDS + 60, pause):
        raise ApiTrouble(f"the task {task} does not end; look at it in Proxmox")
    if not _until(lambda: _runs(api, here), START_SECONDS, pause):
        left = ", ".join(_waiting(api, here)) or "nothing"
        raise ApiTrouble(
            f"{START_SECONDS} s after it went off it does not run with what waited ({left} waits "
            "still); look at it in Proxmox"
        )
    return True


def _node(api: Api, name: str, number: int) -> str:
    for each in api.get("/cluster/resources", type="vm"):
        if int(each["vmid"]) == number and each.get("name") == name:
            return str(each["node"])
    raise ApiTrouble(f"Proxmox has no VM {number} of that name")


def _waiting(api: Api, here: str) -> list[str]:
    """The options that have another value from the next start on."""
    return [
        str(each["key"])
        for each in api.get(f"{here}/pending")
        if ("pending" in each and str(each["pending"]) != str(each.get("value")))
        or ("delete" in each and "value" in each)
    ]


def _ended(api: Api, node: str, task: str, name: str) -> bool:
    status = api.get(f"/nodes/{node}/tasks/{task}/status")
    if status.get("status") != "stopped":
        return False
    if status.get("exitstatus") != "OK":
        raise ApiTrouble(
            f"{status.get('exitstatus')}; {name} is not forced off: find out what its shutdown "
            "waits for"
        )
    return True


def _runs(api: Api, here: str) -> bool:
    running = api.get(f"{here}/status/current").get("status") == "running"
    return running and not _waiting(api, here)


def _until(holds: Callable[[], bool], seconds: float, pause: Callable[[float], None]) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        pause(PAUSE)
    return True
