"""Which control plane does what: decided here, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.host import Machine


@dataclass(frozen=True)
class ControlPlanes:
    """The control planes in the order of the settings; at least one."""

    machines: Sequence[Machine]

    @property
    def founder(self) -> Machine:
        """Where `kubeadm init` makes the cluster: on another machine it is another cluster."""
        return self.machines[0]

    @property
    def living(self) -> Machine:
        """Where the cluster is asked and told things after its birth: certificates, nodes, objects.

        Each control plane has kubectl and an administrator's kubeconfig that leads through the
        balancers, so any of them will do that answers SSH.
        """
        return self.founder
