"""Which control plane does what: decided here, and nowhere else. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """A machine, as far as the choice looks at one."""

    @property
    def name(self) -> str: ...


Each = TypeVar("Each", bound=Named)


@dataclass(frozen=True)
class ControlPlanes(Generic[Each]):
    """The control planes in the order of the settings; at least one, of which more than half
    answer. `unreachable` are the names of those that do not; `backed_up` says whether the cluster
    may come back on other machines than those that it was made on."""

    machines: Sequence[Each]
    unreachable: Collection[str] = field(default=())
    backed_up: bool = False

    @property
    def founder(self) -> Each:
        """The only one that `kubeadm init` may run on, and does while no other has a cluster."""
        return self.machines[0]

    @property
    def living(self) -> Each:
        """Where the cluster is asked and told things after its birth: certificates, nodes, objects.

        Each control plane has kubectl and an administrator's kubeconfig that leads through the
        balancers, so any of them will do that answers SSH.
        """
        return self._answering(self.machines)[0]

    @property
    def outlive_a_machine(self) -> bool:
        """Whether the cluster goes on without any single one of them, or may be brought back."""
        return len(self.machines) > 1 or self.backed_up

    def beside(self, one: Each) -> list[Each]:
        """The others, in order."""
        return [each for each in self.machines if each.name != one.name]

    def admitters(self, one: Each) -> list[Each]:
        """Who is asked to let `one` into the cluster.

        The founder asks all who answer: while one of them has a cluster, it must not make another.
        Nobody else ever makes one, so that a single one will do.
        """
        asked = self._answering(self.beside(one))
        return asked if one.name == self.founder.name else asked[:1]

    def _answering(self, machines: Sequence[Each]) -> list[Each]:
        return [each for each in machines if each.name not in self.unreachable]
