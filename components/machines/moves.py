"""What a machine that runs may become, asked by the engine before it changes one.

Read in the provider's source (bpg/terraform-provider-proxmox v0.111.1, `vmUpdate`): it migrates for
another `node_name`, grows a disk and never shrinks one, and stops half way at a disk that grows
together with what waits for a restart. Proxmox' own words: pve.proxmox.com/pve-docs, qm(1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Any

import pulumi

from components.host import LayerError

LISTS = {
    "router": "routers.machines",
    "balancer": "balancers.machines",
    "control_plane": "cluster.control_planes",
    "worker": "cluster.workers",
}
"""The setting that has a role's machines."""
TOGETHER = ("worker",)
"""Roles of which any number may move in one update. Of the others one: it stands on its new host,
which the settings have judged beside where the others stay, before the next one leaves."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a machine's inputs do not say by themselves: its role, and the networks of its legs in
    their order."""

    role: str
    networks: Sequence[str]


class Moves:
    """The question that goes before every change of a machine, in a preview too.

    Promises: of the routers, the balancers and the control planes no second one leaves its host in
    one update. A disk that shrinks, one that grows together with `cores` or `memory`, and an
    address, prefix length or gateway that a running machine would not take are refused before
    anything is done to the machine.

    Leaves out: whether Proxmox can move it (the preflight, and Proxmox itself); machines that are
    replaced, which the engine does not ask about (`proxmox.protect`, and the rules over a plan).
    """

    hook: pulumi.ResourceHook
    """For `before_update` of every machine."""

    def __init__(self, name: str) -> None:
        self._known: dict[str, Known] = {}
        self._left: dict[str, str] = {}
        self.hook = pulumi.ResourceHook(
            f"{name}-moves", self.asked, pulumi.ResourceHookOptions(on_dry_run=True)
        )

    def knows(self, name: str, known: Known) -> None:
        """Whom it will be asked about."""
        self._known[name] = known

    def asked(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuses what would stop half way, or take both of a pair off their hosts.

        Raises:
            LayerError: names every reason.
        """
        known = self._known[args.name]
        before, now = args.old_inputs or {}, args.new_inputs or {}
        left = _at(args.old_outputs or {}, "nodeName")
        if left not in (None, _at(before, "nodeName")):
            # The provider notes the new host before it has moved the machine, and asks there next.
            raise LayerError("machines", [_half_moved(args.name, left)])
        wrong = list(refusals(args.name, known, before, now))
        if _at(before, "nodeName") != _at(now, "nodeName") and known.role not in TOGETHER:
            other = self._left.setdefault(known.role, args.name)
            if other != args.name:
                wrong.append(
                    f"{LISTS[known.role]}: {args.name} would leave {_at(before, 'nodeName')} for "
                    f"{_at(now, 'nodeName')} in the update in which {other} moves; give one of "
                    "them another host in this update, and the other in the next"
                )
        if wrong:
            raise LayerError("machines", wrong)


def _half_moved(name: str, host: str) -> str:
    return (
        f"{name}: its move to {host} failed, and the state does not know where it stands; run "
        "`pulumi up --refresh`, which asks Proxmox and goes on from there"
    )


def refusals(
    name: str, known: Known, before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[str]:
    """What is wrong with one machine's inputs, by those that it has; each names the key."""
    here = f"{LISTS[known.role]}: {name}"
    had, wanted = _at(before, "disks", 0, "size"), _at(now, "disks", 0, "size")
    if _both(had, wanted) and wanted < had:
        yield (
            f"{here}: disk is {wanted:g} GiB where it has {had:g} GiB: a disk only grows; write "
            f"{had:g}, or make the machine anew by naming it in proxmox.replaceable and "
            "`pulumi up --replace URN-of-the-VM`"
        )
    if _both(had, wanted) and wanted > had and (size := _resized(before, now)):
        yield (
            f"{here}: disk and {' and '.join(size)} differ: the provider grows no disk while "
            "something waits for the machine's restart; change disk in an update of its own"
        )
    if changed := list(_addressed(known, before, now)):
        yield (
            f"{here}: {'; '.join(changed)}: a machine is told this once, when it is made. Take it "
            "back; or name the machine in proxmox.replaceable, one of a pair at a time while the "
            "other one serves, and it is destroyed and made anew"
        )


def _resized(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    paths = {"cores": ("cpu", "cores"), "memory": ("memory", "dedicated")}
    return [key for key, path in paths.items() if _at(before, *path) != _at(now, *path)]


def _addressed(known: Known, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs of each leg, as the settings call it."""
    old, new = (_at(each, "initialization", "ipConfigs") or [] for each in (before, now))
    if len(old) != len(new):
        yield f"{len(new)} legs where it has {len(old)}"
        return
    for index, network in enumerate(known.networks[: len(old)]):
        for family, suffix in (("ipv4", ""), ("ipv6", "6")):
            was, will = (_at(each, index, family) or {} for each in (old, new))
            yield from _differs(f"{network}{suffix}", network, was, will)


def _differs(
    key: str, network: str, was: Mapping[str, Any], will: Mapping[str, Any]
) -> Iterator[str]:
    one, other = was.get("address"), will.get("address")
    if one != other:
        same = bool(one and other and ip_interface(one).ip == ip_interface(other).ip)
        path = f"networks.{network}.cidr{key.removeprefix(network)}" if same else key
        yield f"{path} makes {other or 'nothing'} of {one or 'nothing'}"
    if was.get("gateway") != will.get("gateway"):
        yield (
            f"the gateway on {network} becomes {will.get('gateway') or 'none'} where it was "
            f"{was.get('gateway') or 'none'}"
        )


def _both(*values: Any) -> bool:
    return all(isinstance(each, int | float) for each in values)


def _at(value: Any, *path: str | int) -> Any:
    """What stands at a path of the engine's values; None where nothing does."""
    for key in path:
        if isinstance(key, int):
            value = value[key] if isinstance(value, Sequence) and len(value) > key else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value
