"""How visitors get from the routers to the ingress, as one word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

TopologyName = Literal["external", "cilium-ingress"]


@dataclass(frozen=True, kw_only=True)
class Topology:
    """What a topology says of other keys. `unset` is what stands at a key, named by its way from
    the stack, where the stack file says nothing there; `fixed` those that may not be otherwise."""

    unset: Mapping[tuple[str, ...], Any] = field(default_factory=dict)
    fixed: Mapping[tuple[str, ...], Any] = field(default_factory=dict)


TOPOLOGIES: Final[Mapping[TopologyName, Topology]] = {
    "external": Topology(),
    "cilium-ingress": Topology(
        unset={
            ("platform", "ingress", "kind"): "cilium",
            ("platform", "ingress", "external_traffic_policy"): "Cluster",
            ("platform", "ingress", "node_ports", "health"): None,
        },
        fixed={("platform", "ingress", "kind"): "cilium"},
    ),
}
"""By the setting's word."""


def derived(said: Mapping[str, Any]) -> dict[str, Any]:
    """A stack's sections as they were written, with what its topology says of keys that are not
    there. A section that is not there, or is no mapping, is left to those who read it."""
    word = said.get("topology")
    made = dict(said)
    topology = TOPOLOGIES.get(word) if isinstance(word, str) else None  # type: ignore[call-overload]
    for (section, *steps), value in () if topology is None else topology.unset.items():
        if section in made:
            made[section] = _with(made[section], steps, value)
    return made


def _with(held: Any, steps: list[str], value: Any) -> Any:
    if not isinstance(held, Mapping):
        return held
    first, *below = steps
    if below:
        return {**held, first: _with(held.get(first, {}), below, value)}
    return held if first in held else {**held, first: value}
