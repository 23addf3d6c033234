"""What is asked before a machine that runs is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.host import LayerError
from components.machines import moves
from components.machines.moves import Known, Moves, refusals
from tests.components.machines.test_machines_component import run, vm
from tests.components.machines.test_machines_diff import changed
from tests.components.mocks import run_program

ROLES = {"router-a": "router", "router-b": "router", "worker-1": "worker", "worker-2": "worker"}
NETWORKS = {
    "router": ("management", "lan", "wan", "sync"),
    "balancer": ("management", "lan"),
    "control_plane": ("management", "lan"),
    "worker": ("management", "lan"),
}


def told(name: str, role: str, **values: Any) -> list[str]:
    """What is refused of one machine of the lab that is given other values."""
    before, now = vm(run(), name).inputs, vm(run(changed(name, **values)), name).inputs
    return list(refusals(name, Known(role=role, networks=NETWORKS[role]), before, now))


@pytest.mark.parametrize(
    ("name", "role", "values"),
    [
        ("lb-a", "balancer", {"cores": 4, "memory": 4096}),
        ("worker-1", "worker", {"disk": 100}),
        ("cp-1", "control_plane", {"host": "pve3", "cores": 4}),
    ],
)
def test_what_a_machine_can_become_is_not_refused(
    name: str, role: str, values: dict[str, Any]
) -> None:
    assert told(name, role, **values) == []


def test_a_smaller_disk_is_refused_with_the_one_that_it_has() -> None:
    (wrong,) = told("worker-1", "worker", disk=1)
    assert wrong.startswith("cluster.workers: worker-1: disk is 1 GiB where it has 20 GiB")
    assert "write 20, or make the machine anew" in wrong


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"cores": 7}, "disk and cores differ"),
        ({"memory": 7168}, "disk and memory differ"),
        ({"cores": 7, "memory": 7168}, "disk and cores and memory differ"),
    ],
)
def test_a_disk_does_not_grow_together_with_what_waits_for_a_restart(
    values: dict[str, Any], words: str
) -> None:
    (wrong,) = told("cp-1", "control_plane", disk=100, **values)
    assert wrong.startswith(f"cluster.control_planes: cp-1: {words}")
    assert wrong.endswith("change disk in an update of its own")


def configured(*pairs: tuple[str, str | None], v6: Any = None) -> dict[str, Any]:
    return {
        "initialization": {
            "ipConfigs": [
                {"ipv4": {"address": address, "gateway": gateway}, "ipv6": v6}
                for address, gateway in pairs
            ]
        }
    }


HAS = configured(("198.18.0.21/24", None), ("198.18.10.11/24", "198.18.10.1"))


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (
            configured(("198.18.0.21/24", None), ("198.18.10.12/24", "198.18.10.1")),
            "lan makes 198.18.10.12/24 of 198.18.10.11/24",
        ),
        (
            configured(("198.18.0.21/23", None), ("198.18.10.11/24", "198.18.10.1")),
            "networks.management.cidr makes 198.18.0.21/23 of 198.18.0.21/24",
        ),
        (
            configured(("198.18.0.21/24", None), ("198.18.10.11/24", "198.18.10.2")),
            "the gateway on lan becomes 198.18.10.2 where it was 198.18.10.1",
        ),
        (configured(("198.18.0.21/24", None)), "1 legs where it has 2"),
        (
            configured(
                ("198.18.0.21/24", None),
                ("198.18.10.11/24", "198.18.10.1"),
                v6={"address": "fd00::1/64"},
            ),
            "lan6 makes fd00::1/64 of nothing",
        ),
    ],
)
def test_an_address_a_prefix_or_a_gateway_is_refused_with_both_ways(
    now: Mapping[str, Any], words: str
) -> None:
    known = Known(role="balancer", networks=NETWORKS["balancer"])
    (wrong,) = refusals("lb-a", known, HAS, now)
    assert wrong.startswith("balancers.machines: lb-a: ")
    assert words in wrong
    assert "Take it back; or name the machine in proxmox.replaceable" in wrong
    assert list(refusals("lb-a", known, HAS, HAS)) == []


def asked(made: Moves, name: str, before: str, now: str, left: str | None = None) -> None:
    made.asked(
        pulumi.ResourceHookArgs(
            urn="",
            id="",
            name=name,
            type="",
            old_inputs={"nodeName": before},
            new_inputs={"nodeName": now},
            old_outputs={"nodeName": left or before},
        )
    )


def question() -> Moves:
    found: list[Moves] = []

    def program() -> None:
        made = Moves("machines")
        for name, role in ROLES.items():
            made.knows(name, Known(role=role, networks=NETWORKS[role]))
        found.append(made)

    run_program(program)
    return found[0]


def test_of_a_pair_one_moves_in_an_update() -> None:
    made = question()
    asked(made, "router-a", "pve1", "pve3")
    asked(made, "router-a", "pve1", "pve3")
    asked(made, "router-b", "pve2", "pve2")
    with pytest.raises(LayerError, match="router-b would leave pve2 for pve1 in the update in"):
        asked(made, "router-b", "pve2", "pve1")
    # The next update is another run of the program.
    asked(question(), "router-b", "pve2", "pve1")


def test_any_number_of_workers_moves() -> None:
    made = question()
    for name in ("worker-1", "worker-2"):
        asked(made, name, "pve1", "pve2")
    assert moves.TOGETHER == ("worker",)


def test_a_move_that_failed_asks_for_a_refresh() -> None:
    with pytest.raises(LayerError, match=r"its move to pve2 failed.*pulumi up --refresh"):
        asked(question(), "worker-1", "pve1", "pve2", left="pve2")


def test_every_machine_is_asked_about() -> None:
    seen = run()
    for each in seen.of_type("proxmoxve:index/vmLegacy:VmLegacy"):
        assert each.before_update == ("machines-moves",)
