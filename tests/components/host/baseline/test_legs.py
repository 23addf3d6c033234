"""A leg that goes and comes back, on a booted machine with its real networkd."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from components.cluster import leg
from components.host import payload
from components.host.baseline import legs, parts
from components.host.baseline.model import BaselineModel
from components.host.part import Part
from tests.components.cluster.nodes import worker
from tests.components.host import demo
from tests.components.host.baseline.test_baseline_parts import ARGS
from tests.components.host.booted import Booted, booted, poll
from tests.components.host.cable import Far, far, netplan

pytestmark = [pytest.mark.root, pytest.mark.timeout(240)]

OWN = "198.18.10.11"
VIP = "198.18.10.99"
AWAY_SECONDS = 2
FOREIGN = (
    # As Cilium's auto-direct-node-routes, as FRR, and as keepalived on the owner of a VIP.
    "ip route replace 198.19.1.0/24 via 198.18.10.1 dev eth1 proto kernel",
    "ip route replace 198.19.2.0/24 via 198.18.10.1 dev eth1 proto bgp metric 20",
    "ip route replace default via 198.18.10.1 dev eth1 table 101 proto keepalived",
    f"ip rule add from {VIP}/32 table 101 preference 101 proto keepalived",
)


@pytest.fixture(scope="module")
def cabled() -> Iterator[Far]:
    with booted("legs") as machine, far(machine) as end:
        end.plug("eth1", "198.18.10.1/24")
        netplan(machine, "eth1", f"{OWN}/24", ("Gateway=198.18.10.1",))
        machine.sh("systemctl restart systemd-networkd")
        await_address(machine)
        yield end


def await_address(machine: Booted) -> None:
    poll(lambda: f"{OWN}/24" in machine.sh("ip -4 address show eth1"), 15, "the leg's address")


def push(machine: Booted, part: Part, layer: str) -> None:
    """Push one part, as its layer does."""
    request = demo.request(
        layer, part.texts(), program=False, checks=[], steps=part.steps, services=part.services
    )
    answer = machine.ask("apply", request)
    assert answer.status == 0, answer.err
    assert payload.generation(request) in answer.out


def legs_of(model: BaselineModel) -> Part:
    (part,) = [each for each in parts.parts(model) if each.name == "legs"]
    return part


def lay(machine: Booted, *, vip: bool = True) -> str:
    """Put there what keepalived, FRR and Cilium do; gives all of it as the kernel shows it."""
    machine.sh("ip rule delete preference 101 2>/dev/null || true")
    machine.sh(f"ip address delete {VIP}/32 dev eth1 2>/dev/null || true")
    machine.sh("; ".join(FOREIGN))
    if vip:
        machine.sh(f"ip address add {VIP}/32 dev eth1")
    return seen(machine)


def seen(machine: Booted) -> str:
    return machine.sh(
        "ip -4 -o address show eth1 | sed 's/ *valid_lft.*//; s/.*inet //' | sort; "
        "ip route show table all dev eth1 | grep -v -e ^local -e ^broadcast | sort; "
        "ip rule show preference 101"
    )


def lost(asking: subprocess.Popen[str]) -> int:
    """How many questions of a `ping -q` went without an answer."""
    said = asking.communicate(timeout=90)[0]
    sent, received = (int(said.split(word)[0].split()[-1]) for word in (" packets", " received"))
    return sent - received


def test_a_push_drops_nothing_and_neither_does_a_restart_of_networkd(cabled: Far) -> None:
    machine = cabled.machine
    before = lay(machine)
    asking = cabled.start("ping", "-n", "-q", "-i", "0.02", "-w", "60", "-c", "400", OWN)
    push(machine, legs_of(ARGS.model()), "baseline")
    assert seen(machine) == before
    machine.sh("systemctl restart systemd-networkd; sleep 2")
    assert seen(machine) == before
    assert lost(asking) == 0


def test_a_carrier_that_is_away_for_a_moment_costs_its_own_time(cabled: Far) -> None:
    machine = cabled.machine
    push(machine, legs_of(ARGS.model()), "baseline")
    before = lay(machine, vip=False)
    cabled.carrier("eth1", False)
    time.sleep(AWAY_SECONDS)
    cabled.carrier("eth1", True)
    poll(lambda: cabled.run("ping", "-n", "-c", "1", "-W", "1", OWN).returncode == 0, 10, "answer")
    assert seen(machine) == before


def test_reconfigured_a_node_keeps_the_routes_to_pods(cabled: Far) -> None:
    """What `netplan apply` has networkd do to every leg."""
    machine = cabled.machine
    push(machine, legs_of(ARGS.model()), "baseline")
    push(machine, leg.part(worker()), "cluster")
    before = lay(machine, vip=False)
    assert leg.ADDRESS.split("/")[0] in before
    asking = cabled.start("ping", "-n", "-q", "-i", "0.02", "-c", "100", OWN)
    machine.sh("networkctl reload; networkctl reconfigure eth1")
    await_address(machine)
    poll(lambda: seen(machine) == before, 10, "everything as it was")
    assert lost(asking) <= 10  # 0.2 s of 2
    machine.sh("systemctl stop layered-leg")
    assert leg.ADDRESS.split("/")[0] not in seen(machine)


def test_reconfigured_a_vips_owner_keeps_it_with_its_routes_and_rules(cabled: Far) -> None:
    machine = cabled.machine
    push(machine, legs_of(ARGS.model()), "baseline")
    before = lay(machine)
    machine.sh("networkctl reload; networkctl reconfigure eth1")
    await_address(machine)
    poll(lambda: seen(machine) == before, 10, "everything as it was")


def test_networkd_takes_every_word_of_it(cabled: Far) -> None:
    machine = cabled.machine
    machine.sh("journalctl --rotate; journalctl --vacuum-time=1s 2>/dev/null")
    push(machine, legs_of(ARGS.model()), "baseline")
    machine.sh("systemctl restart systemd-networkd; sleep 1")
    complaints = machine.sh("journalctl -u systemd-networkd -p warning -o cat --no-pager || true")
    # networkd of systemd 256 and newer knows it.
    assert [line for line in complaints.splitlines() if "ManageForeignNextHops" not in line] == []


def test_a_leg_is_covered_whoever_wrote_its_file() -> None:
    paths = legs_of(ARGS.model()).texts()
    assert legs.drop_in("netplan", "eth1") in paths
    assert legs.drop_in("cloud-init", "eth0") in paths
    assert not [path for path in paths if "eth2" in path]
