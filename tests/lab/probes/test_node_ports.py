"""The probe of the NodePorts: every node, or those that have a pod of the ingress."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lab.probes.inside import node_ports
from lab.probes.result import Broken


def world(pods: set[str], *, replicas: int | None, health: int | None = 30081) -> Any:
    """Nodes of which these have a pod: others' health checks say 503, and NodePorts are closed
    there, unless there is no health port, as with the policy Cluster."""
    platform = SimpleNamespace(
        ingress=SimpleNamespace(replicas=replicas), demo=SimpleNamespace(host="echo.test")
    )
    nodes = {name: SimpleNamespace(lan=f"198.18.10.{at}") for at, name in enumerate("abc", 21)}
    holders = {str(each.lan) for name, each in nodes.items() if name in pods or health is None}

    def ask(_: str, __: str, spec: dict[str, Any]) -> list[dict[str, Any]]:
        held = spec["address"] in holders
        asked_of_its_health = spec["port"] == health
        status = 200 if held else 503 if asked_of_its_health else 0
        return [{"status": status, "error": "" if status else "refused"}]

    return SimpleNamespace(
        stack=SimpleNamespace(platform=platform),
        outputs={"node_ports": {"http": 30080, "https": 30443, "health": health}},
        role=lambda _: ["router-a"],
        nodes=list(nodes),
        machines=nodes,
        ask=ask,
    )


def test_with_a_pod_on_every_node_each_must_answer() -> None:
    assert node_ports(world({*"abc"}, replicas=None)) == "9 of 9 answer on a, b, c"
    with pytest.raises(Broken, match="b health check"):
        node_ports(world({*"ac"}, replicas=None))


def test_with_so_many_pods_those_nodes_that_have_one_must_answer() -> None:
    assert node_ports(world({*"ac"}, replicas=2)) == "7 of 7 answer on a, c"
    with pytest.raises(Broken, match="of 2 nodes only c serve"):
        node_ports(world({"c"}, replicas=2))


def test_without_a_health_port_every_node_must_answer() -> None:
    assert node_ports(world(set(), replicas=2, health=None)) == "6 of 6 answer on a, b, c"
