"""Build, inspect and remove the lab's networks.

Every segment is a bridge in one namespace (`PREFIXnet`), every node a namespace with veth legs on
those bridges. No interface is ever made in the machine's own namespace and none leads there, so
nothing in the lab has a way out.

A namespace is the lab's when it carries the mark (the alias of its loopback), or when the ledger
in the state directory says that the lab was about to make it: the ledger is written first, so an
interrupted run is still known. Everything else is left alone, whatever its name.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.network import ip
from lab.network.inspection import (
    NamespaceStatus,
    node_status,
    port_of,
    ports,
    switch_status,
)
from lab.network.ledger import Ledger
from lab.network.topology import Node, Topology
from lab.paths import state_dir as default_state_dir

MARK = "layered-cloud"
END_SECONDS = 5.0


class Network:
    """The networks of one lab.

    Args:
        topology: what to build.
        state_dir: where the ledger lies; made when missing.
    """

    def __init__(self, topology: Topology | None = None, state_dir: Path | None = None) -> None:
        self.topology = topology or Topology.default()
        self.state_dir = state_dir or default_state_dir()
        self.ledger = Ledger(self.state_dir)

    # ---------------------------------------------------------------- life

    def up(self) -> list[str]:
        """Make what is missing and correct what differs; returns the names it touched.

        Raises:
            NetworkError: the kernel refused, or a namespace of that name is not the lab's.
        """
        touched = []
        with self.ledger.locked():
            if self._ensure_namespace(self.topology.switch):
                touched.append(self.topology.switch)
            self._ensure_bridges()
            for node in self.topology.nodes.values():
                if self._ensure_node(node):
                    touched.append(self.topology.namespace(node.name))
        return touched

    def down(self) -> None:
        """Remove every namespace of the lab's with what runs in it, from any state."""
        if not self.state_dir.is_dir() and not self.owned():
            return
        with self.ledger.locked():
            # The switch goes last: taking a leg's namespace takes its port on the bridge along.
            names = sorted(self.owned(), key=lambda name: name == self.topology.switch)
            for name in names:
                self._remove(name)
            made_dir = self.ledger.made_netns_dir
            self.ledger.clear()
            if made_dir and not ip.namespaces():
                _forget_netns_dir()

    def status(self) -> list[NamespaceStatus]:
        """Every namespace of the topology, the one with the bridges first."""
        found = [switch_status(self.topology)]
        found += [node_status(self.topology, node) for node in self.topology.nodes.values()]
        return found

    def owned(self) -> list[str]:
        """Namespaces that exist and are this lab's, virtual machines' included."""
        intended = self.ledger.names()
        return [
            name
            for name in ip.namespaces()
            if name.startswith(self.topology.prefix) and (name in intended or self._marked(name))
        ]

    # ------------------------------------------------------------ processes

    def popen_in(self, node: str, argv: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a process in a node's namespace; options are `subprocess.Popen`'s."""
        return subprocess.Popen(self.argv_in(node, argv), **options)

    def exec_in(
        self,
        node: str,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        timeout: float = 60,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a node's namespace and wait for it (seconds).

        Raises:
            subprocess.CalledProcessError: it failed and `check` is true.
            subprocess.TimeoutExpired: it took longer than `timeout`.
        """
        return subprocess.run(
            self.argv_in(node, argv),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=check,
        )

    def argv_in(self, node: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` in a node's network namespace."""
        return ["nsenter", f"--net={ip.NETNS_DIR / self.topology.namespace(node)}", "--", *argv]

    # ---------------------------------------------- what machines plug into

    def add_namespace(self, name: str) -> str:
        """Make (or keep) a namespace of the lab's, loopback up; returns its full name."""
        full = self.topology.namespace(name)
        with self.ledger.locked():
            self._ensure_namespace(full)
        return full

    def remove_namespace(self, name: str) -> None:
        """Remove one namespace if it is the lab's, with what still runs in it."""
        full = self.topology.namespace(name)
        with self.ledger.locked():
            if full in self.owned():
                self._remove(full)
                self.ledger.discard(full)

    def plug(
        self,
        bridge: str,
        namespace: str,
        *,
        interface: str,
        port: str,
        mac: str | None = None,
        mtu: int | None = None,
        up: bool = True,
        linked: bool = True,
    ) -> None:
        """Give a namespace an interface on a segment, replacing one of that port's name.

        Args:
            bridge: a segment's name or alias.
            namespace: with or without the prefix.
            interface: its name in the namespace.
            port: the other end's name, in the switch.
            mac: hardware address, else the kernel's choice.
            mtu: bytes, else the segment's.
            up: set the interface up (its owner may prefer to do that itself).
            linked: whether the cable is in: without it the interface has no carrier.

        Raises:
            KeyError: no such bridge.
            NetworkError: the kernel refused.
        """
        segment = self.topology.segment_of(bridge)
        switch, full = self.topology.switch, self.topology.namespace(namespace)
        size = mtu or segment.mtu
        self.unplug(port)
        address = f" address {mac}" if mac else ""
        ip.batch(
            switch,
            [
                f"link add {port} mtu {size} type veth"
                f" peer name {interface}{address} mtu {size} netns {full}",
                f"link set {port} master {segment.bridge} {'up' if linked else 'down'}",
            ],
        )
        if up:
            ip.batch(full, [f"link set {interface} up"])

    def unplug(self, port: str) -> None:
        """Take a port off the switch; its interface vanishes with it. Missing is fine."""
        with contextlib.suppress(ip.NetworkError):
            ip.batch(self.topology.switch, [f"link del {port}"])

    def ports(self) -> dict[str, str]:
        """Every port of the switch and the bridge it is in."""
        return ports(self.topology)

    # ------------------------------------------------------------ internals

    def _ensure_namespace(self, name: str) -> bool:
        self.ledger.note_netns_dir()
        exists = name in ip.namespaces()
        if exists and not ip.usable(name):
            if name not in self.ledger.names():
                raise ip.NetworkError(f"/run/netns/{name} is there but is no namespace; remove it")
            self._remove(name)
            exists = False
        if exists:
            if name not in self.owned():
                raise ip.NetworkError(
                    f"a network namespace {name} exists that is not this lab's; "
                    f"remove it (ip netns del {name}) or choose another prefix"
                )
            if self._marked(name):
                return False
        else:
            self.ledger.add(name)
            ip.run(["ip", "netns", "add", name])
        ip.sysctl(
            name,
            {
                "net.ipv6.conf.all.accept_ra": 0,
                "net.ipv6.conf.default.accept_ra": 0,
            },
        )
        ip.batch(name, ["link set lo up", f"link set lo alias {MARK}"])
        return True

    def _ensure_bridges(self) -> None:
        switch = self.topology.switch
        present = {row["ifname"]: row for row in ip.query(switch, "link", "show")}
        if not present.get("lo"):
            raise ip.NetworkError(f"{switch} has no loopback; run the lab's down, then up")
        lines = []
        for segment in self.topology.segments.values():
            row = present.get(segment.bridge)
            if row is None:
                lines.append(
                    f"link add {segment.bridge} mtu {segment.mtu} type bridge"
                    " stp_state 0 forward_delay 0 mcast_snooping 0"
                )
                lines.append(f"link set {segment.bridge} up")
            elif row["mtu"] != segment.mtu or "UP" not in row["flags"]:
                lines.append(f"link set {segment.bridge} mtu {segment.mtu} up")
        ip.batch(switch, lines)
        ip.sysctl(
            switch,
            {"net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1},
        )

    def _ensure_node(self, node: Node) -> bool:
        name = self.topology.namespace(node.name)
        changed = self._ensure_namespace(name)
        if not changed and node_status(self.topology, node).ok:
            return False
        off = 0 if node.ipv6 else 1
        ip.sysctl(
            name,
            {
                "net.ipv6.conf.all.disable_ipv6": off,
                "net.ipv6.conf.default.disable_ipv6": off,
                "net.ipv4.ip_forward": int(node.forward),
            },
        )
        lines = []
        for leg in node.legs:
            self.plug(leg.segment, name, interface=leg.interface, port=port_of(node, leg), up=False)
            lines.append(f"addr add {leg.address} dev {leg.interface}")
            lines.append(f"link set {leg.interface} up")
        lines += [f"route add {to} via {via}" for to, via in node.routes.items()]
        ip.batch(name, lines)
        return True

    def _marked(self, name: str) -> bool:
        try:
            rows = ip.query(name, "link", "show", "lo")
        except ip.NetworkError:
            return False
        return bool(rows) and rows[0].get("ifalias") == MARK

    def _remove(self, name: str) -> None:
        end_processes(name)
        with contextlib.suppress(ip.NetworkError):
            # Deleting the veths first frees the ports at once: a namespace's own end is deferred.
            lines = [
                f"link del {row['ifname']}"
                for row in ip.query(name, "link", "show")
                if row.get("linkinfo", {}).get("info_kind") in ("veth", "bridge")
            ]
            ip.batch(name, lines)
        path = ip.NETNS_DIR / name
        gone = subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        if gone.returncode:
            subprocess.run(["umount", "-l", str(path)], capture_output=True, check=False)
            path.unlink(missing_ok=True)


def end_processes(namespace: str, seconds: float = END_SECONDS) -> None:
    """End what runs in a namespace of the lab's: asked first, after `seconds` killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pids = ip.pids_in(namespace)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + (seconds if pids else 0)
        while ip.pids_in(namespace) and time.monotonic() < deadline:
            time.sleep(0.05)


def _forget_netns_dir() -> None:
    """Undo the bind mount that the first `ip netns add` on a machine leaves on /run/netns.

    It fails harmlessly (busy) when somebody has put a namespace there in the meantime.
    """
    done = subprocess.run(["umount", str(ip.NETNS_DIR)], capture_output=True, check=False)
    if done.returncode == 0:
        with contextlib.suppress(OSError):
            ip.NETNS_DIR.rmdir()
