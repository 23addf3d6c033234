"""The Debian trees: the bare machine's image, and the tree in which files are checked."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from lab.software import base, checkers
from lab.software.checkers import CheckerUnavailable, run_checker
from lab.software.software import paths

_REASON = checkers.lacking()
needs_checkers = [
    pytest.mark.root,
    pytest.mark.skipif(_REASON is not None, reason=_REASON or ""),
]
needs_base = pytest.mark.skipif(not base.item().ready, reason="the base image is not built")


@pytest.fixture(scope="module")
def image_members() -> dict[str, tarfile.TarInfo]:
    with tarfile.open(paths().base_image) as archive:
        return {member.name.removeprefix("./"): member for member in archive.getmembers()}


def image_text(name: str) -> str:
    with tarfile.open(paths().base_image) as archive:
        source = archive.extractfile(f"./{name}")
        assert source is not None
        return source.read().decode()


@needs_base
def test_the_image_has_never_been_booted(image_members: dict[str, tarfile.TarInfo]) -> None:
    assert image_members["etc/machine-id"].size == 0
    assert image_members["etc/resolv.conf"].size == 0
    assert not any(name.startswith("etc/ssh/ssh_host_") for name in image_members)
    assert "etc/hostname" not in image_members
    assert "usr/sbin/policy-rc.d" not in image_members


@needs_base
def test_the_image_names_no_package_source(image_members: dict[str, tarfile.TarInfo]) -> None:
    assert "etc/apt/sources.list" not in image_members
    assert [
        n for n in image_members if n.startswith("etc/apt/sources.list.d/") and n[-1] != "/"
    ] == []
    assert not any("mmdebstrap" in n for n in image_members if n.startswith("etc/apt/"))


@needs_base
def test_the_image_is_bare_and_renders_networks_for_networkd(
    image_members: dict[str, tarfile.TarInfo],
) -> None:
    installed = {
        line.removeprefix("Package: ")
        for line in image_text("var/lib/dpkg/status").splitlines()
        if line.startswith("Package: ")
    }
    assert {"systemd", "openssh-server", "cloud-init", "sudo", "python3"} <= installed
    assert installed.isdisjoint(
        {"haproxy", "keepalived", "containerd", "containerd.io", "frr", "conntrackd", "nftables"}
    )
    assert installed.isdisjoint({"netplan.io", "ifupdown"})
    wants = "etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
    assert wants in image_members


@needs_base
def test_the_checksum_beside_the_image_is_true() -> None:
    image = paths().base_image
    with image.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    assert paths().base_sha256 == digest
    assert image.with_name(f"{image.name}.sha256").read_text() == f"{digest}  {image.name}\n"


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="unpacking an image keeps its owners: needs root")
def test_an_image_is_unpacked_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path / "cache"))
    image = tmp_path / "image.tar"
    with tarfile.open(image, "w") as archive:
        entry = tarfile.TarInfo("./etc/shadow")
        entry.size, entry.mode, entry.uid, entry.gid = 5, 0o640, 0, 42
        archive.addfile(entry, io.BytesIO(b"root\n"))
    trees = tmp_path / "trees"
    left = trees / f".partial-{hashlib.sha256(image.read_bytes()).hexdigest()}"
    left.mkdir(parents=True)
    (left / "half").write_text("of an interrupted run")
    tree = base.unpack(image, trees)
    assert tree.name == hashlib.sha256(image.read_bytes()).hexdigest()
    assert not (tree / "half").exists()
    found = (tree / "etc" / "shadow").stat()
    assert (found.st_mode & 0o777, found.st_gid) == (0o640, 42)
    inode = tree.stat().st_ino
    assert base.unpack(image, trees).stat().st_ino == inode


class TestCheckers:
    """Real daemons, each refusing a file with its own words."""

    pytestmark = needs_checkers

    def test_each_daemon_accepts_a_good_file_and_names_the_line_of_a_bad_one(self) -> None:
        haproxy = ["haproxy", "-c", "-f", "/etc/haproxy/haproxy.cfg"]
        good = "global\n    user haproxy\nfrontend a\n    mode http\n    bind :80\n"
        assert run_checker(haproxy, {"/etc/haproxy/haproxy.cfg": good}).returncode == 0
        bad = run_checker(haproxy, {"/etc/haproxy/haproxy.cfg": f"{good}bogus\n"})
        assert bad.returncode != 0
        assert "[/etc/haproxy/haproxy.cfg:6]" in bad.stderr

        nft = run_checker(
            ["nft", "-c", "-f", "/r"], {"/r": "table inet x {\n chain c { bogus }\n}\n"}
        )
        assert nft.returncode != 0
        assert "/r:2:" in nft.stderr

        frr = run_checker(["vtysh", "-C", "-f", "/f"], {"/f": "router bgp 65000\n neigbor 1\n"})
        assert frr.returncode != 0
        assert "Unknown command" in frr.stdout + frr.stderr

    def test_interfaces_are_there_when_they_are_asked_for(self) -> None:
        instance = (
            "vrrp_instance a {\n interface eth1\n virtual_router_id 10\n priority 100\n"
            " virtual_ipaddress {\n 198.18.1.9/24\n }\n}\n"
        )
        files = {"/etc/keepalived/keepalived.conf": instance}
        without = run_checker(["keepalived", "-t"], files)
        assert "interface eth1 for vrrp_instance a doesn't exist" in without.stderr
        with_one = run_checker(["keepalived", "-t"], files, interfaces={"eth1": ["198.18.1.2/24"]})
        assert with_one.returncode == 0
        listed = run_checker(
            ["ip", "-brief", "address"], {}, interfaces={"eth1": ["198.18.1.2/24"]}
        )
        assert "198.18.1.2/24" in listed.stdout

    def test_there_is_no_way_out(self) -> None:
        assert run_checker(["ip", "route", "show"], {}).stdout == ""
        listed = run_checker(["ip", "-brief", "link"], {}).stdout
        assert [line.split()[0] for line in listed.splitlines()] == ["lo"]

    def test_what_a_checker_writes_is_gone_with_it(self) -> None:
        made = run_checker(["touch", "/etc/left-behind"], {})
        assert made.returncode == 0
        assert not (checkers.item().path / "root/etc/left-behind").exists()
        assert run_checker(["ls", "/etc/left-behind"], {}).returncode != 0
        assert "layered-cloud-check-" not in Path("/proc/self/mountinfo").read_text()

    def test_modes_are_what_was_asked(self) -> None:
        answer = run_checker(
            ["stat", "-c", "%a %U", "/k", "/t"], {"/k": "x", "/t": b"y"}, modes={"/k": 0o600}
        )
        assert answer.stdout == "600 root\n644 root\n"

    def test_a_checker_that_hangs_is_ended(self) -> None:
        with pytest.raises(subprocess.TimeoutExpired):
            run_checker(["sleep", "60"], {}, timeout=0.5)


def test_a_file_to_check_must_have_an_absolute_path() -> None:
    with pytest.raises(ValueError, match=r"^etc/x: the path of a file to check must be absolute$"):
        checkers._archive({"etc/x": ""}, {})


def test_missing_checkers_say_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(CheckerUnavailable, match=r"python -m lab\.software build --only checkers$"):
        run_checker(["true"], {})
