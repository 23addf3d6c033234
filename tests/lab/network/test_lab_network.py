"""The networks for real, in namespaces with a prefix of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.network import Network, NetworkError, Topology, faults, ip
from lab.network.inspection import port_of

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(not shutil.which("ip"), reason="needs ip(8) from iproute2"),
]

PREFIX = "tnet-"


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(Topology.default(prefix=PREFIX), tmp_path)
    yield made
    made.down()


def links() -> set[str]:
    out = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return {line.split(": ")[1] for line in out.splitlines()}


def mine() -> list[str]:
    return [name for name in ip.namespaces() if name.startswith(PREFIX)]


def test_up_is_quick_repeatable_and_changes_nothing_the_second_time(network: Network) -> None:
    before, started = links(), time.monotonic()
    assert len(network.up()) == 9
    assert time.monotonic() - started < 3
    assert network.up() == []
    assert [s.wrong for s in network.status() if not s.ok] == []
    assert links() == before, "an interface appeared in the machine's own namespace"


def test_packets_travel_only_where_the_topology_says(network: Network) -> None:
    network.up()

    def reaches(node: str, address: str) -> bool:
        argv = ["ping", "-c", "1", "-W", "1", address]
        return network.exec_in(node, argv, check=False).returncode == 0

    assert reaches("client", "203.0.113.1")
    assert reaches("client", "192.0.2.4")
    assert reaches("stranger", "198.51.100.10")
    assert reaches("runner", "198.18.0.2")
    assert not reaches("client", "198.18.0.2")
    assert not reaches("runner", "192.0.2.4")
    for node in network.topology.nodes:
        routes = network.exec_in(node, ["ip", "-6", "route"]).stdout
        assert "default" not in routes
    assert "default" not in network.exec_in("isp", ["ip", "route"]).stdout


def test_a_half_made_network_converges(network: Network) -> None:
    network.up()
    ip.batch(network.topology.namespace("client"), ["link del eth0"])
    ip.batch(network.topology.namespace("depot"), ["addr flush dev eth1"])
    ip.batch(network.topology.switch, ["link set lc-wan mtu 1400"])
    wrong = {s.name: s.wrong for s in network.status() if not s.ok}
    assert wrong[f"{PREFIX}client"][0] == "eth0 is missing"
    assert wrong[f"{PREFIX}depot"] == ("eth1 has no address, not 198.18.0.4/24",)
    assert wrong[f"{PREFIX}net"] == ("lc-wan has MTU 1400, not 1500",)
    assert network.up() == [f"{PREFIX}client", f"{PREFIX}depot"]
    assert [s.wrong for s in network.status() if not s.ok] == []


def test_an_interrupted_add_is_cleared_away_and_made_again(network: Network) -> None:
    network.up()
    network.down()
    network.state_dir.mkdir(exist_ok=True)
    network.ledger.add(f"{PREFIX}isp")
    ip.NETNS_DIR.mkdir(exist_ok=True)
    (ip.NETNS_DIR / f"{PREFIX}isp").touch()
    assert f"{PREFIX}isp" in network.up()
    assert all(s.ok for s in network.status())


def test_down_ends_what_runs_inside_and_leaves_nothing(network: Network) -> None:
    network.up()
    child = network.popen_in("client", ["sleep", "600"])
    deadline = time.monotonic() + 5
    while child.pid not in ip.pids_in(f"{PREFIX}client") and time.monotonic() < deadline:
        time.sleep(0.01)
    network.down()
    assert child.wait(timeout=5) < 0
    assert mine() == []
    assert not (network.state_dir / "network.json").exists()
    network.down()


def test_down_works_without_its_ledger(network: Network) -> None:
    network.up()
    (network.state_dir / "network.json").unlink()
    network.down()
    assert mine() == []


def test_a_namespace_of_somebody_elses_is_refused_and_left_alone(network: Network) -> None:
    name = f"{PREFIX}client"
    ip.run(["ip", "netns", "add", name])
    try:
        with pytest.raises(NetworkError, match=f"{name} exists that is not this lab's; remove it"):
            network.up()
        network.down()
        assert mine() == [name]
    finally:
        ip.run(["ip", "netns", "del", name])


def test_a_machine_is_plugged_in_with_its_address_and_mtu(network: Network) -> None:
    network.up()
    full = network.add_namespace("vm-7")
    network.plug("vmbr1", full, interface="eth0", port="tap7i0", mac="bc:24:11:00:00:07", mtu=1400)
    row = next(r for r in ip.query(full, "link", "show") if r["ifname"] == "eth0")
    assert (row["address"], row["mtu"]) == ("bc:24:11:00:00:07", 1400)
    assert network.ports()["tap7i0"] == "lc-lan"
    network.plug("wan", full, interface="eth1", port="tap7i1", linked=False)
    ip.batch(full, ["link set eth1 up"])
    row = next(r for r in ip.query(full, "link", "show") if r["ifname"] == "eth1")
    assert "LOWER_UP" not in row["flags"]
    network.remove_namespace("vm-7")
    assert "tap7i0" not in network.ports()
    with pytest.raises(KeyError):
        network.plug("vmbr9", "client", interface="eth9", port="x")


def test_a_dead_leg_keeps_its_carrier_and_a_pulled_cable_does_not(network: Network) -> None:
    network.up()
    port = port_of(network.topology.nodes["client"], network.topology.nodes["client"].legs[0])

    def carrier() -> str:
        path = "/sys/class/net/eth0/carrier"
        # ip(8) mounts the namespace's own /sys.
        argv = ip.argv_in(network.topology.namespace("client"), ["cat", path])
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    def reaches() -> bool:
        argv = ["ping", "-c", "1", "-W", "1", "198.51.100.1"]
        return network.exec_in("client", argv, check=False).returncode == 0

    assert reaches()
    faults.isolate(network.topology, port)
    assert (carrier(), reaches()) == ("1", False)
    faults.join(network.topology, port, "users")
    assert (carrier(), reaches()) == ("1", True)
    faults.pull(network.topology, port)
    assert carrier() == "0"
    faults.join(network.topology, port, "users")
    assert (carrier(), reaches()) == ("1", True)
    assert network.up() == []
