"""The lab's Proxmox cluster as one thing: up, down, status, and a hand on its machines."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lab.hypervisor import cgroups, firmware, hosts, images, kernel
from lab.hypervisor.layout import Layout
from lab.hypervisor.machine import NspawnDriver, clean_machine, port_of
from lab.hypervisor.netns import inside
from lab.hypervisor.pve.server import PORT, TOKEN_ID
from lab.hypervisor.serve import tokens_file
from lab.hypervisor.settings import Settings
from lab.hypervisor.spec import MachineError, MachineSpec
from lab.hypervisor.status import Credentials, HostStatus, MachineStatus, Status
from lab.network import Network, Topology
from lab.network.ip import NETNS_DIR
from lab.paths import cache_dir
from lab.paths import state_dir as default_state_dir
from lab.processes import Process, detached, identify

READY_SECONDS = 30.0
JOIN = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1"; shift; n=$((n-1)); done; exec "$@"'
"""Shell: enter N control groups (their cgroup.procs follow), then become the command."""


class Hypervisor:
    """The Proxmox cluster of one lab.

    Args:
        state_dir: where its state lies (`lab.paths.state_dir()` by default).
        topology: its networks; what a running lab uses, when None.
        image_cache: where unpacked images are kept.
    """

    def __init__(
        self,
        state_dir: Path | None = None,
        topology: Topology | None = None,
        image_cache: Path | None = None,
    ) -> None:
        self.layout = Layout(state_dir or default_state_dir())
        cache = image_cache or cache_dir() / "images"
        if topology is None:
            try:
                self.settings = Settings.read(self.layout)
            except (OSError, ValueError):
                self.settings = Settings(topology=Topology.default(), image_cache=cache)
        else:
            self.settings = Settings(topology=topology, image_cache=cache)
        self.topology = self.settings.topology
        self.network = Network(self.topology, self.layout.state_dir)
        self.driver = NspawnDriver(self.layout, self.settings)

    # ---------------------------------------------------------------- life

    def up(self, base_image: Path) -> Credentials:
        """Bring networks, hosts and API up; what already runs is kept.

        Args:
            base_image: the archive of a root file system; the hosts' own SSH runs from it.

        Raises:
            MachineError: the API or a host's SSH did not come up; with its last words.
        """
        self.network.up()
        self.settings.write(self.layout)
        kernel.enter(self.layout.state_dir)
        if not self.layout.firmware.is_dir():
            firmware.write_layer(self.layout.firmware)
        authorized = hosts.key_pair(self._operator_key, "operator@lab")
        rootfs = images.unpack(base_image, self.settings.image_cache)
        for host in self.topology.hosts:
            hosts.prepare(self.layout, self.settings, host, authorized)
            if not self._answers(host, 22):
                self._end_group(hosts.group_of(self.settings, host))
                hosts.start_sshd(self.layout, self.settings, host, rootfs)
        self._ensure_token()
        if self._api_process() is None:
            self._start_api()
        self._wait_ready()
        return self.credentials()

    def down(self) -> None:
        """Remove machines, hosts, networks and state, from any state they are in.

        Raises:
            MachineError: a process or a control group would not go.
        """
        self._stop_api()
        prefix = self.topology.prefix
        vmids = set(self.driver.known())
        for group in cgroups.present(f"{prefix}vm-"):
            if match := re.fullmatch(re.escape(prefix) + r"vm-(\d+)", group):
                vmids.add(int(match.group(1)))
        for vmid in sorted(vmids):
            self.driver.destroy(vmid)
            clean_machine(self.network, self.driver.group(vmid), vmid)
        for group in cgroups.present(f"{prefix}host-"):
            self._end_group(group)
        self._end_group(f"{prefix}supervisors")
        self._end_group(f"{prefix}api")
        self.network.down()
        kernel.leave(self.layout.state_dir)
        shutil.rmtree(self.layout.root, ignore_errors=True)
        for folder in ("locks", "propagate", "."):
            with contextlib.suppress(OSError):
                (Path("/run/systemd/nspawn") / folder).rmdir()

    def status(self) -> Status:
        """Every host and machine, from what runs now."""
        found = []
        for host in self.topology.hosts:
            api, ssh = self._answers(host, PORT), self._answers(host, 22)
            found.append(HostStatus(name=host, address=self._address(host), api=api, ssh=ssh))
        return Status(hosts=tuple(found), machines=tuple(self.machines()))

    def credentials(self) -> Credentials:
        """Endpoint, token and keys; raises `FileNotFoundError` before the first `up`."""
        token = json.loads(tokens_file(self.layout).read_text())[TOKEN_ID]
        first = self.topology.hosts[0]
        return Credentials(
            endpoint=f"https://{self._address(first)}:{PORT}/",
            api_token=f"{TOKEN_ID}={token}",
            ssh_private_key=self._operator_key.read_text(),
            certificate=hosts.HostFiles(self.layout.node(first)).certificate.read_text(),
        )

    # ------------------------------------------------------------ machines

    def machines(self) -> list[MachineStatus]:
        """Every virtual machine the API knows, by number."""
        try:
            guests = json.loads(self.layout.pve_state.read_text())["guests"]
        except (OSError, ValueError):
            return []
        found = []
        for guest in sorted(guests, key=lambda one: int(one["vmid"])):
            running = self.driver.running(guest["vmid"])
            found.append(
                MachineStatus(
                    vmid=guest["vmid"],
                    name=guest["name"],
                    host=guest["node"],
                    running=running is not None,
                    pid=running.leader.pid if running else None,
                    uptime=time.time() - running.started_at if running else 0.0,
                    memory=self.driver.memory_bytes(guest["vmid"]),
                    boots=running.boots if running else 0,
                )
            )
        return found

    def vmid(self, name: str) -> int:
        """The number of a machine by name (or number); raises `MachineError`, naming all."""
        known = {machine.name: machine.vmid for machine in self.machines()}
        known |= {str(vmid): vmid for vmid in known.values()}
        if name not in known:
            names = ", ".join(sorted(n for n in known if not n.isdigit())) or "none"
            raise MachineError(f"no machine {name}; there are: {names}")
        return known[name]

    def power_off(self, name: str) -> None:
        """Pull a machine's plug."""
        self.driver.stop(self.vmid(name))

    def reset(self, name: str) -> None:
        """Press a machine's reset button."""
        self.driver.reset(self.vmid(name))

    def power_on(self, name: str) -> None:
        """Switch a machine that went off back on, with the disk and NICs it had."""
        self.driver.restart(self.vmid(name))

    def port(self, name: str, bridge: str) -> str:
        """The switch's end of a machine's NIC on a bridge (a segment's name or alias).

        Raises:
            MachineError: no such machine, or it has no NIC there.
        """
        vmid = self.vmid(name)
        spec = MachineSpec.from_json(self.layout.machine(vmid).spec.read_text())
        wanted = self.topology.segment_of(bridge)
        for index, nic in enumerate(spec.nics):
            if self.topology.segment_of(nic.bridge) == wanted:
                return port_of(vmid, index)
        raise MachineError(f"{name} has no NIC on {bridge}")

    def machine_exec(
        self,
        name: str,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        timeout: float = 60,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a machine, as a transient unit of its own systemd.

        Raises:
            MachineError: no such machine, or it is off.
            subprocess.CalledProcessError, subprocess.TimeoutExpired: as `subprocess.run` does.
        """
        return subprocess.run(
            self.driver.argv_inside(self.vmid(name), argv),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=check,
        )

    def shell(self, name: str) -> int:
        """An interactive shell in a machine or a host's namespace; returns its exit status."""
        nodes = {node.name for node in self.topology.nodes.values()}
        if name in nodes:
            argv = self.network.argv_in(name, ["bash"])
        else:
            env = {"TERM": os.environ.get("TERM", "linux")}
            argv = self.driver.argv_inside(self.vmid(name), ["bash", "-l"], tty=True, env=env)
        return subprocess.run(argv, check=False).returncode

    # ----------------------------------------------------------- internals

    @property
    def _operator_key(self) -> Path:
        return self.layout.root / "operator_key"

    def _address(self, host: str) -> str:
        return str(self.topology.nodes[host].legs[0].address.ip)

    def _answers(self, host: str, port: int) -> bool:
        def connect() -> bool:
            with socket.create_connection((self._address(host), port), timeout=1):
                return True

        try:
            return inside(NETNS_DIR / self.topology.namespace(host), connect)
        except OSError:
            return False

    def _ensure_token(self) -> None:
        path = tokens_file(self.layout)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(json.dumps({TOKEN_ID: secrets.token_hex(16)}))

    @property
    def _api_record(self) -> Path:
        return self.layout.root / "api.json"

    def _api_process(self) -> Process | None:
        try:
            found = Process(**json.loads(self._api_record.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.alive else None

    def _start_api(self) -> None:
        group = f"{self.topology.prefix}api"
        self._end_group(group)
        cgroups.create(group)
        tasks = [str(base / group / "cgroup.procs") for base in cgroups.hierarchies()]
        # It joins its groups before it becomes the API: whatever it starts can be found.
        argv = ["sh", "-c", JOIN, "api", str(len(tasks)), *tasks]
        argv += [sys.executable, "-m", "lab.hypervisor", "serve", str(self.layout.state_dir)]
        api = detached(argv, self.layout.root / "api.log", {"PYTHONDONTWRITEBYTECODE": "1"})
        me = identify(api.pid)
        if me is not None:
            self._api_record.write_text(json.dumps(asdict(me)))

    def _stop_api(self) -> None:
        found = self._api_process()
        if found is not None:
            found.kill()
        self._api_record.unlink(missing_ok=True)

    def _end_group(self, group: str) -> None:
        if not cgroups.kill(group) or not cgroups.remove(group):
            raise MachineError(f"control group {group} does not go: {cgroups.members(group)}")

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        for host in self.topology.hosts:
            sshd = hosts.HostFiles(self.layout.node(host)).log
            for port, log in ((PORT, self.layout.root / "api.log"), (22, sshd)):
                while not self._answers(host, port):
                    if time.monotonic() > deadline:
                        words = log.read_text(errors="replace")[-1500:]
                        raise MachineError(f"{host}: nothing answers on port {port}\n{words}")
                    time.sleep(0.05)
