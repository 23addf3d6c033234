"""Which control plane does what: decided here, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from components.host import Machine


@dataclass(frozen=True, kw_only=True)
class ControlPlanes:
    """`founder` is where `kubeadm init` makes the cluster, so that another machine under its name
    is another cluster; `others` join it."""

    founder: Machine
    others: tuple[Machine, ...]

    @classmethod
    def of(cls, machines: Sequence[Machine]) -> Self:
        """The control planes in the order of the settings; at least one."""
        founder, *others = machines
        return cls(founder=founder, others=tuple(others))

    @property
    def living(self) -> Machine:
        """Where the cluster is asked and told things after its birth: tokens, nodes, objects.

        Each control plane has kubectl and an administrator's kubeconfig that leads through the
        balancers, so any of them will do that answers SSH.
        """
        return self.founder
