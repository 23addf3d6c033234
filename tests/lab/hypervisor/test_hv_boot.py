"""A machine for real: booted, reached, unplugged, started again, destroyed; and nothing left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from lab.hypervisor import cgroups, hosts
from lab.hypervisor.hypervisor import Hypervisor
from lab.hypervisor.netns import inside
from lab.hypervisor.spec import MachineError
from lab.hypervisor.status import Credentials
from lab.network import Topology, ip
from lab.processes import identify, wait_until
from lab.software import base
from tests.lab.hypervisor.cluster import Api

IMAGE = base.item().path / base.IMAGE
PREFIX = "thv-"
NAME = "router-a"
ADDRESS = "198.18.0.11"
VM = "/nodes/pve1/qemu/101"
BOOT_SECONDS = 60
Result = TypeVar("Result")

pytestmark = [
    pytest.mark.root,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to boot machines"),
    pytest.mark.skipif(not shutil.which("systemd-nspawn"), reason="needs systemd-nspawn"),
    pytest.mark.skipif(not shutil.which("ssh"), reason="needs an SSH client"),
    pytest.mark.skipif(not IMAGE.exists(), reason="needs the base image (make up builds it)"),
]


@dataclass
class Lab:
    """One machine's lab: the hypervisor, what a stack would be given, and keys."""

    hypervisor: Hypervisor
    credentials: Credentials
    folder: Path
    public_key: str
    host_key: str

    def on_management(self, work: Callable[[], Result]) -> Result:
        name = self.hypervisor.topology.namespace("runner")
        return inside(ip.NETNS_DIR / name, work)

    @property
    def api(self) -> Api:
        return Api(self.credentials.endpoint, self.credentials.api_token)

    def task(self, method: str, path: str, /, **form: Any) -> None:
        ended = self.on_management(lambda: self.api.task(method, path, **form))
        assert ended["exitstatus"] == "OK", ended

    def snippet(self, greeting: str) -> None:
        key = (self.folder / "host_key").read_text()
        lines = "".join(f"    {line}\n" for line in key.splitlines())
        (self.hypervisor.layout.vz("pve1") / "snippets" / f"{greeting}.yaml").write_text(
            f"#cloud-config\nhostname: {NAME}\nusers: []\ndisable_root: false\n"
            f"ssh_authorized_keys:\n  - {self.public_key}\n"
            f"ssh_keys:\n  ed25519_private: |\n{lines}  ed25519_public: {self.host_key}\n"
            f"package_upgrade: false\nruncmd:\n  - echo {greeting} >>/root/ran\n"
        )

    def create(self, greeting: str) -> None:
        """A started machine, its user-data the snippet of that greeting."""
        self.snippet(greeting)
        self.task(
            "POST",
            "/nodes/pve1/qemu",
            vmid=101,
            name=NAME,
            memory=512,
            scsi0="local:0,import-from=local:iso/base.img",
            ide2="local:cloudinit,media=cdrom",
            net0="virtio=BC:24:11:00:00:01,bridge=mgmt",
            net1="virtio=BC:24:11:00:00:02,bridge=wan",
            ipconfig0=f"ip={ADDRESS}/24",
            ipconfig1="ip=203.0.113.2/24,gw=203.0.113.1",
            cicustom=f"user=local:snippets/{greeting}.yaml",
        )
        self.task("POST", f"{VM}/status/start")

    def status(self) -> str:
        seen = self.on_management(lambda: self.api.get(f"{VM}/status/current"))
        return str(seen["status"])

    def ssh(self, command: str) -> subprocess.CompletedProcess[str]:
        known = self.folder / "known_hosts"
        known.write_text(f"{ADDRESS} {self.host_key}\n")
        argv = ["ssh", "-i", str(self.folder / "key"), "-o", "BatchMode=yes"]
        argv += ["-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={known}"]
        argv += ["-o", "ConnectTimeout=2", f"root@{ADDRESS}", command]
        return self.hypervisor.network.exec_in("runner", argv, timeout=60, check=False)

    def until_ssh(self, command: str) -> str:
        done: list[subprocess.CompletedProcess[str]] = []

        def answered() -> bool:
            done.append(self.ssh(command))
            return done[-1].returncode == 0

        assert wait_until(answered, BOOT_SECONDS), done[-1].stderr
        return done[-1].stdout


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    hypervisor = Hypervisor(tmp_path / "state", Topology.default(PREFIX), tmp_path / "cache")
    try:
        credentials = hypervisor.up(IMAGE)
        iso = hypervisor.layout.vz("pve1") / "template/iso/base.img"
        iso.symlink_to(IMAGE)
        public = hosts.key_pair(tmp_path / "key", "me")
        host = hosts.key_pair(tmp_path / "host_key", "machine")
        yield Lab(hypervisor, credentials, tmp_path, public, host)
    finally:
        hypervisor.down()


def leftovers(state: Path) -> dict[str, list[str]]:
    """Everything of the lab's that is still in the kernel or among the processes."""
    processes = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(state) in words:
                processes.append(words.replace("\0", " "))
    return {
        "namespaces": [name for name in ip.namespaces() if name.startswith(PREFIX)],
        "cgroups": cgroups.present(PREFIX),
        "mounts": [ln for ln in Path("/proc/mounts").read_text().splitlines() if str(state) in ln],
        "processes": processes,
    }


NOTHING: dict[str, list[str]] = {"namespaces": [], "cgroups": [], "mounts": [], "processes": []}


def test_a_machine_lives_through_boot_unplugging_and_destruction(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hypervisor = lab.hypervisor
    assert hypervisor.up(IMAGE) == lab.credentials, "a second up is no change"
    started = time.monotonic()
    lab.create("first")
    lab.until_ssh("cloud-init status --wait >/dev/null; cloud-init status | grep -q done")
    assert time.monotonic() - started < BOOT_SECONDS

    said = lab.ssh("hostname; systemctl is-system-running --wait; cat /root/ran").stdout.split()
    assert said == [NAME, "running", "first"]
    links = json.loads(lab.ssh("ip -j addr").stdout)
    have = {
        link["ifname"]: (
            link["address"],
            [a["local"] for a in link["addr_info"] if a["family"] == "inet"],
        )
        for link in links
    }
    assert have["eth0"] == ("bc:24:11:00:00:01", [ADDRESS])
    assert have["eth1"] == ("bc:24:11:00:00:02", ["203.0.113.2"])
    assert lab.ssh("ping -c1 -W2 192.0.2.4").returncode == 0
    assert lab.ssh("sysctl -qw net.ipv4.ip_forward=1 && modprobe br_netfilter").returncode == 0
    assert (
        lab.ssh("findmnt -n -o FSTYPE /sys/fs/bpf; test -w /sys/fs/cgroup/cpuset/node").stdout
        == "bpf\n"
    )
    unit = hypervisor.machine_exec(NAME, ["cat", "/proc/self/cgroup"]).stdout
    assert "system.slice/run-" in unit
    (status,) = hypervisor.status().machines
    assert status.running and status.memory > 0 and status.host == "pve1"
    assert lab.status() == "running"

    # A reboot from inside keeps the disk, and starts with a network of its own.
    lab.ssh("touch /root/kept /var/lib/etcd/kept; ip link add extra type bridge; systemctl reboot")
    assert wait_until(lambda: hypervisor.machines()[0].boots == 2, BOOT_SECONDS)
    lab.until_ssh("cloud-init status --wait >/dev/null")
    assert lab.ssh("cat /root/ran; ls /root/kept /var/lib/etcd").stdout.split() == [
        "first", "/root/kept", "/var/lib/etcd:", "kept",
    ]  # fmt: skip
    assert lab.ssh("ip link show extra").returncode != 0

    # Unplugged: off at once, seen by a refresh, and on again without a second first boot.
    leader = hypervisor.machines()[0].pid
    assert leader is not None
    port = hypervisor.port(NAME, "mgmt")
    with monkeypatch.context() as patched:
        carried: list[bool] = []
        kill = cgroups.kill

        def killed(group: str) -> bool:
            (link,) = ip.query(hypervisor.topology.switch, "link", "show", port)
            carried.append("UP" in link["flags"])
            return kill(group)

        patched.setattr(cgroups, "kill", killed)
        hypervisor.power_off(NAME)
    assert carried[0] is False, "its network outlived it"
    assert identify(leader) is None
    with pytest.raises(MachineError, match="VM 101 not running"):
        hypervisor.machine_exec(NAME, ["true"])
    assert lab.status() == "stopped"
    lab.task("POST", f"{VM}/status/start")
    lab.until_ssh("cloud-init status --wait >/dev/null")
    assert lab.ssh("cat /root/ran").stdout == "first\n"

    # Other user-data is another instance: its first boot runs again.
    lab.snippet("second")
    form = {"cicustom": "user=local:snippets/second.yaml"}
    assert lab.on_management(lambda: lab.api.request("PUT", f"{VM}/config", **form)).ok
    lab.task("POST", f"{VM}/status/reboot")
    lab.until_ssh("cloud-init status --wait >/dev/null; grep -q second /root/ran")

    lab.task("POST", f"{VM}/status/stop")
    lab.task("DELETE", VM, purge=1)
    assert hypervisor.machines() == []
    assert not hypervisor.layout.machine(101).root.exists()
    assert cgroups.present(f"{PREFIX}vm-") == []
    hypervisor.down()
    assert leftovers(tmp_path / "state") == NOTHING


def test_machines_outlive_the_api_and_nothing_outlives_down(lab: Lab, tmp_path: Path) -> None:
    hypervisor = lab.hypervisor
    lab.create("first")
    before = hypervisor.machines()[0]
    api = hypervisor._api_process()
    assert api is not None and api.kill()
    assert wait_until(lambda: not hypervisor.status().hosts[0].api, 10)
    hypervisor.up(IMAGE)
    after = hypervisor.machines()[0]
    assert (after.pid, after.running) == (before.pid, True)
    assert lab.status() == "running"

    # Its supervisor killed: the machine is off, as when a KVM process dies.
    running = hypervisor.driver.running(101)
    assert running is not None and running.supervisor.kill()
    assert wait_until(lambda: not running.leader.alive, 10)
    hypervisor.power_on(NAME)
    # Everything killed at once, and no record of it left.
    api = hypervisor._api_process()
    running = hypervisor.driver.running(101)
    assert api is not None and running is not None
    api.kill()
    running.supervisor.kill()
    shutil.rmtree(hypervisor.layout.root)
    hypervisor.down()
    assert leftovers(tmp_path / "state") == NOTHING


def test_a_host_takes_files_over_ssh_and_shows_nothing_of_this_machine(lab: Lab) -> None:
    key = lab.folder / "operator"
    key.touch(mode=0o600)
    key.write_text(lab.credentials.ssh_private_key)

    def ssh(command: str) -> subprocess.CompletedProcess[str]:
        argv = ["ssh", "-i", str(key), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"]
        argv += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "root@198.18.0.3"]
        return lab.hypervisor.network.exec_in("runner", [*argv, command], timeout=20, check=False)

    assert ssh("id -u; echo x >/var/lib/vz/snippets/y").stdout == "0\n"
    assert (lab.hypervisor.layout.vz("pve2") / "snippets/y").read_text() == "x\n"
    for refused in (
        "mount -t tmpfs x /mnt",
        "ip link add x type bridge",
        "chroot / true && mknod /a c 1 1",
    ):
        assert ssh(refused).returncode != 0, refused
    assert not ssh(f"test -e {lab.folder}").stdout
    assert ssh(f"test -e {lab.folder}").returncode == 1
    assert int(ssh("ls -d /proc/[0-9]* | wc -l").stdout) < 10
