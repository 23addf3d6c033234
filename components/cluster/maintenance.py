"""Nodes in maintenance: cordoned, drained, and uncordoned when they are no longer named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pulumi

from components.cluster.turns import library
from components.host import HostAction, HostActionArgs, Machine, dependencies

ANSWER_SECONDS = 300
"""For an API that is slow to answer, and what kubectl does beside the drain."""
_PROGRAM = Path(__file__).parent / "scripts" / "maintenance.py"
_BESIDE = re.compile(
    r"^from (__future__ import annotations|components\.[\w.]+ import \(.*?^\))\n", re.M | re.S
)


@dataclass(frozen=True, kw_only=True)
class MaintenanceArgs:
    """`machines` are those of the nodes that are named; `control_plane` is asked. A drain may take
    `drain_seconds`. A changed `epoch` drains again."""

    machines: Sequence[Machine]
    control_plane: Machine
    drain_seconds: int
    epoch: str = "1"


class Maintenance(pulumi.ComponentResource):
    """The nodes that are named, of which there is one at least, without pods.

    Promises: all are cordoned, then one after the other is drained: its pods are evicted as their
    budgets allow, but for those of DaemonSets and static ones. A drain that was cut off, or that a
    budget stopped, goes on with the next update. One that is named no longer takes pods again, at
    the end of the update, unless it was cordoned before it was named. A machine that is made anew
    under its name is drained again.

    Leaves out: the balancers, which must lead nothing to a node before (`opts` waits for them);
    pods that somebody binds to a node past the scheduler.

    Raises nothing before the update; a drain that does not end in time names each pod and its
    budget.
    """

    def __init__(
        self, name: str, args: MaintenanceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("layered-cloud:cluster:Maintenance", name, {}, opts)
        epochs = {each.name: _epoch(each, args.epoch) for each in args.machines}
        # A command waits for what its component waits for only where it is told so itself.
        cordoned = [
            HostAction(
                f"{called}-maintenance",
                HostActionArgs(
                    machine=args.control_plane,
                    name=f"maintenance-{called}",
                    do=cordon(called),
                    undo=back(called),
                    epoch=epoch,
                    seconds=ANSWER_SECONDS,
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=dependencies(opts)),
            )
            for called, epoch in epochs.items()
        ]
        # No pod moves to a node that is drained next, and no drain waits for the machine's lock
        # while another one holds it.
        before = cordoned
        for called, epoch in epochs.items():
            drained = HostAction(
                f"{called}-maintenance-drain",
                HostActionArgs(
                    machine=args.control_plane,
                    name=f"maintenance-drain-{called}",
                    do=empty(called, args.drain_seconds),
                    epoch=epoch,
                    seconds=args.drain_seconds + ANSWER_SECONDS,
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(before)),
            )
            before = [*cordoned, drained]
        self.register_outputs({})


def _epoch(machine: Machine, epoch: str) -> pulumi.Input[str]:
    life = machine.incarnation
    return epoch if life is None else pulumi.Output.concat(epoch, "-", life)


def cordon(name: str) -> str:
    """On a control plane: the node takes no new pods."""
    return _asked(f"cordon {name}")


def empty(name: str, seconds: int) -> str:
    """On a control plane: its pods leave, in `seconds` at most."""
    return _asked(f"empty {name} {seconds}")


def back(name: str) -> str:
    """On a control plane: it takes pods again, unless it took none before."""
    return _asked(f"back {name}")


def _asked(words: str) -> str:
    program = f"python3 - {words} <<'PROGRAM'\n{_source()}PROGRAM"
    return f"export KUBECONFIG=/etc/kubernetes/admin.conf\n{program}\n"


@cache
def _source() -> str:
    return library() + "\n\n" + _BESIDE.sub("", _PROGRAM.read_text(encoding="utf-8"))
