"""Parts of the hypervisor that need neither root nor a machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from lab.hypervisor import firmware, hosts, images, kernel, preflight
from lab.hypervisor.hypervisor import Hypervisor
from lab.hypervisor.layout import Layout
from lab.hypervisor.settings import Settings
from lab.hypervisor.spec import MachineError, MachineSpec, NicSpec, Running
from lab.network import Topology
from lab.processes import Process, identify, start_time, wait_until

HERE = Path(__file__).resolve().parents[3] / "lab" / "hypervisor"


def archive(path: Path, init: bool = True) -> Path:
    tree = path.parent / "tree"
    (tree / "sbin").mkdir(parents=True, exist_ok=True)
    (tree / "dev").mkdir(exist_ok=True)
    (tree / "dev" / "sda").touch()
    if init:
        (tree / "sbin" / "init").symlink_to("/lib/systemd/systemd")
    with tarfile.open(path, "w") as tar:
        tar.add(tree, ".")
    return path


def test_an_image_is_unpacked_once_per_content(tmp_path: Path) -> None:
    image = archive(tmp_path / "base.img")
    tree = images.unpack(image, tmp_path / "cache")
    assert tree.name == images.checksum(image)
    assert (tree / "sbin/init").is_symlink()
    assert not (tree / "dev/sda").exists()
    stamp = tree.stat().st_ino
    copy = tmp_path / "other-name.qcow2"
    copy.write_bytes(image.read_bytes())
    assert images.unpack(copy, tmp_path / "cache").stat().st_ino == stamp


@pytest.mark.parametrize("kind", ["no archive", "no init"])
def test_what_does_not_boot_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    image = tmp_path / "disk.qcow2"
    if kind == "no init":
        archive(image, init=False)
    else:
        image.write_bytes(b"QFI\xfb" + bytes(4096))
    with pytest.raises(images.ImageError, match=r"disk\.qcow2 is not what this hypervisor boots"):
        images.unpack(image, tmp_path / "cache")
    left = [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    assert left == []


def test_a_checksum_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "x.img"
    path.write_bytes(b"one")
    first = images.checksum(path)
    memory = tmp_path / ".x.img.sha256"
    assert json.loads(memory.read_text())["sum"] == first
    path.write_bytes(b"other")
    assert images.checksum(path) != first


def test_the_firmware_layer_is_whole_and_lists_what_the_kernel_has(tmp_path: Path) -> None:
    firmware.write_layer(tmp_path / "fw")
    unit = tmp_path / "fw/etc/systemd/system" / firmware.UNIT
    assert "ExecStart=/bin/sh /usr/lib/layered-cloud/firmware.sh" in unit.read_text()
    wanted = tmp_path / "fw/etc/systemd/system/sysinit.target.wants" / firmware.UNIT
    assert str(wanted.readlink()) == f"/etc/systemd/system/{firmware.UNIT}"
    assert (tmp_path / "fw/etc/systemd/network/10-cloud-init-eth3.network.d").is_dir()
    script = (tmp_path / "fw/usr/lib/layered-cloud/firmware.sh").read_text()
    assert "mount -o remount,rw,bind /proc/sys" in script


def test_built_in_features_are_those_the_kernels_configuration_names() -> None:
    options = firmware.kernel_options("CONFIG_BRIDGE=y\n# CONFIG_TUN is not set\nCONFIG_VETH=m\n")
    assert options == {"BRIDGE", "VETH"}


def test_a_process_is_known_by_id_and_start_time() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = identify(child.pid)
    assert found is not None and found.alive
    assert not Process(pid=child.pid, started=found.started + 1).alive
    assert not Process(pid=child.pid, started=found.started + 1).signal(9)
    assert child.poll() is None
    child.kill()
    assert wait_until(lambda: not found.alive, 5)
    child.wait()
    assert start_time(child.pid) is None and identify(child.pid) is None


def test_what_one_process_writes_the_next_one_reads(tmp_path: Path) -> None:
    spec = MachineSpec(
        vmid=101,
        name="a",
        uuid="u",
        image="/i",
        memory_bytes=1,
        cores=1,
        nics=(NicSpec(interface="eth0", mac="m", bridge="lan", mtu=1500, link_up=False),),
    )
    assert MachineSpec.from_json(spec.to_json()) == spec
    process = Process(pid=1, started=2)
    run = Running(supervisor=process, nspawn=process, leader=process, started_at=1.5, boots=3)
    assert Running.from_json(run.to_json()) == run
    layout = Layout(tmp_path)
    settings = Settings(topology=Topology.default("x-", 1400), image_cache=tmp_path / "c")
    settings.write(layout)
    assert Settings.read(layout) == settings


def test_a_hosts_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    first = hosts.key_pair(tmp_path / "key", "me@lab")
    assert first.startswith("ssh-ed25519 ") and first.endswith(" me@lab")
    assert hosts.key_pair(tmp_path / "key", "other") == first
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    made = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(tmp_path / "key")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert first.startswith(made.stdout.strip())


def test_shared_kernel_settings_are_put_back_when_the_last_lab_ends(tmp_path: Path) -> None:
    sys_dir, note = tmp_path / "sys", tmp_path / "run" / "kernel.json"
    limit, panic = sys_dir / "fs/inotify/max_user_instances", sys_dir / "kernel/panic"
    for path, value in ((limit, "128\n"), (panic, "0\n")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)
    labs = [tmp_path / "one", tmp_path / "two"]
    for lab in labs:
        lab.mkdir()
        kernel.enter(lab, note, sys_dir)
    assert limit.read_text() == "8192"
    panic.write_text("10")
    kernel.leave(labs[0], note, sys_dir)
    assert (limit.read_text(), panic.read_text()) == ("8192", "10")
    kernel.leave(labs[1], note, sys_dir)
    assert (limit.read_text(), panic.read_text()) == ("128", "0")
    assert not note.parent.exists()
    kernel.leave(labs[1], note, sys_dir)


def test_the_preflight_names_every_lack_and_what_to_do(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        (lack,) = preflight.check(tmp_path)
        assert str(lack).startswith("root: user ") and str(lack).endswith("run as root (sudo)")
        return
    lacks = {x.name: str(x) for x in preflight.check(tmp_path / "no", memory=1 << 60, disk=1 << 60)}
    assert lacks["memory"].startswith("memory: ") and "use a bigger machine" in lacks["memory"]
    assert f"free at {tmp_path}" in lacks["disk"] and "LAYERED_CLOUD_STATE" in lacks["disk"]


def test_a_lab_that_stands_has_what_it_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    for name in ("_memory", "_disk"):
        monkeypatch.setattr(preflight, name, lambda *args: asked.append(args[-1]) or [])
    for name in ("_capabilities", "_cgroups", "_devices", "_bpf"):
        monkeypatch.setattr(preflight, name, list)
    monkeypatch.setattr(preflight, "_overlay", lambda state: [])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert preflight.check(tmp_path) == []
    running = Layout(tmp_path).machine(101).run
    running.parent.mkdir(parents=True)
    running.touch()
    assert preflight.check(tmp_path) == []
    assert asked == [10 << 30, 15 << 30, 1 << 30, 2 << 30]


def test_the_preflight_asks_for_missing_tools_by_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    said = [str(lack) for lack in preflight._tools()]
    assert any(line.startswith("tool systemd-nspawn: not installed; apt-get") for line in said)
    assert " iproute2 " in said[0] and " systemd-container " in said[0]


@pytest.mark.parametrize("script", sorted(path.name for path in HERE.glob("*.sh")))
def test_shell_scripts_pass_shellcheck(script: str) -> None:
    import shutil

    tool = shutil.which("shellcheck")
    if tool is None:
        pytest.skip("needs shellcheck")
    done = subprocess.run([tool, str(HERE / script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_machines_port_is_found_by_the_bridge_its_nic_is_on(tmp_path: Path) -> None:
    hypervisor = Hypervisor(tmp_path, Topology.default(), tmp_path / "cache")
    layout, names = hypervisor.layout, ("mgmt", "vmbr1")
    folder = layout.machine(101)
    folder.root.mkdir(parents=True)
    layout.pve_state.write_text(
        json.dumps({"guests": [{"vmid": 101, "name": "router-a", "node": "pve1"}]})
    )
    nics = tuple(
        NicSpec(interface=f"eth{index}", mac=f"02:00:00:00:00:0{index}", bridge=name, mtu=1500)
        for index, name in enumerate(names)
    )
    spec = MachineSpec(
        vmid=101, name="router-a", uuid="u", image="i", memory_bytes=1, cores=1, nics=nics
    )
    folder.spec.write_text(spec.to_json())
    assert hypervisor.port("router-a", "lan") == "tap101i1"
    assert hypervisor.port("router-a", "mgmt") == "tap101i0"
    with pytest.raises(MachineError, match="router-a has no NIC on wan"):
        hypervisor.port("router-a", "wan")
