"""Rules that keep machines: what may not go, and what may not go together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from policy.plan import GOES, Change
from policy.rules import ROLES, VM, Resource, StackRule, has_role

MACHINES: Final = "layered-cloud:machines:Machines"
"""Its property `replaceable` names the machines that an update may replace or delete."""
STATEFUL: Final = (
    VM,
    "kubernetes:core/v1:PersistentVolume",
    "kubernetes:core/v1:PersistentVolumeClaim",
    "cloudflare:index/zone:Zone",
)
"""What holds something that nothing brings back: a disk, a volume, a zone with its records."""
EVERY: Final = "*"


@dataclass(frozen=True, kw_only=True)
class ChangeRule:
    """One rule over what a plan does; `check` yields (resource name, what is wrong)."""

    name: str
    description: str
    check: Callable[[Sequence[Change]], Iterable[tuple[str, str]]]


def allowed(resources: Iterable[Resource]) -> frozenset[str]:
    """The names that a stack lets go; `*` is every machine."""
    return frozenset(
        name
        for each in resources
        if each.type == MACHINES
        for name in each.properties.get("replaceable") or ()
    )


def lost_at_most(role: str, machines: int) -> int:
    """How many of a role's machines may go in one update: none but one of a pair, of a quorum
    what leaves a majority. What stands alone, or serves in numbers, is not bound."""
    if machines < 2 or role == "worker":
        return machines
    return (machines - 1) // 2 if role == "control-plane" else machines - 1


def _protected(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    may_go = allowed(resources)
    for each in resources:
        if each.type not in STATEFUL or each.protect:
            continue
        if each.type != VM:
            yield each.name, "is deleted by whoever takes it out: set protect"
        elif may_go.isdisjoint({EVERY, each.name}):
            yield (
                each.name,
                "may be replaced or deleted by any update: set proxmox.protect, or name it in "
                "proxmox.replaceable",
            )


def _list_leaves_enough(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    may_go = allowed(resources)
    for role in ROLES:
        names = [each.name for each in resources if each.type == VM and has_role(each, role)]
        listed = [name for name in names if name in may_go]
        most = lost_at_most(role, len(names))
        for name in listed[most:]:
            yield (
                name,
                f"stands in proxmox.replaceable beside {', '.join(listed[:most]) or 'nobody'}: of "
                f"{len(names)} {_plural(role)} {most} may go in one update; name the others in "
                "the next",
            )


STACK_RULES: Final = (
    StackRule(
        name="stateful-is-protected",
        description="What holds state is protected, or the stack says that it may go.",
        check=_protected,
    ),
    StackRule(
        name="allow-list-leaves-enough",
        description="Who may be replaced is never both of a pair, or a quorum's majority.",
        check=_list_leaves_enough,
    ),
)


def _kept(changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
    may_go = allowed(each.new for each in changes if each.new is not None)
    for each in changes:
        name = each.resource.name
        if each.did not in GOES or each.resource.type != VM:
            continue
        if may_go.isdisjoint({EVERY, name}):
            why = f" ({', '.join(each.paths)})" if each.paths else ""
            yield (
                name,
                f"would be {each.did}{why}: take that change back, or name the machine in "
                "proxmox.replaceable for this update",
            )


def _never_together(changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
    before = [each for each in changes if each.old is not None and each.old.type == VM]
    for role in ROLES:
        machines = [each for each in before if each.old is not None and has_role(each.old, role)]
        going = [each for each in machines if each.did in GOES]
        most = lost_at_most(role, len(machines))
        for each in going[most:]:
            others = ", ".join(one.resource.name for one in going[:most]) or "the others there"
            yield (
                each.resource.name,
                f"would be {each.did} together with {others}: of {len(machines)} {_plural(role)} "
                f"{most} may go in one update; do the others in the next",
            )


def _plural(role: str) -> str:
    return f"{role.replace('-', ' ')}s"


CHANGE_RULES: Final = (
    ChangeRule(
        name="machine-is-kept",
        description="No VM is replaced or deleted unless the stack names it.",
        check=_kept,
    ),
    ChangeRule(
        name="pair-is-kept",
        description="Both of a pair, or a quorum's majority, never go in one update.",
        check=_never_together,
    ),
)
