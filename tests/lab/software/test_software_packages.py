"""Our Debian packages and repositories, judged by dpkg, apt's own tools and gpgv."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.software import apt, base, goitems, packages, signing, versions
from lab.software.deb import Package
from lab.software.progress import Silent
from lab.software.software import paths, sources_lines
from settings.models import DISTRIBUTIONS

TOOLS = ("dpkg-deb", "apt-ftparchive", "gpg", "gpgv")
pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS),
    reason=f"needs {', '.join(TOOLS)}",
)


def run(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path / "cache"))
    yield tmp_path


@pytest.fixture
def demo(cache: Path) -> Path:
    program = cache / "program"
    program.write_text("#!/bin/sh\necho demo\n")
    package = Package(
        name="demo",
        version="1.0-1",
        description="A package for this test",
        programs={"/usr/bin/demo": program},
        texts={"/usr/lib/systemd/system/demo.service": "[Service]\nExecStart=/usr/bin/demo\n"},
        directories=("/var/lib/demo",),
        depends=("runc (>= 1.1)", "socat"),
        provides=("other",),
        scripts={"postinst": "#!/bin/sh\nexit 0\n"},
    )
    folder = cache / "debs"
    folder.mkdir()
    return package.build(folder, Silent())


def test_a_package_has_the_name_and_fields_it_was_given(demo: Path) -> None:
    assert demo.name == "demo_1.0-1_amd64.deb"
    fields = run("dpkg-deb", "--field", str(demo)).splitlines()
    assert "Package: demo" in fields
    assert "Version: 1.0-1" in fields
    assert "Depends: runc (>= 1.1), socat" in fields
    assert "Provides: other" in fields
    assert not any(line.startswith(("Conflicts", "Replaces")) for line in fields)


def test_a_packages_files_belong_to_root_and_only_programs_are_executable(demo: Path) -> None:
    listed = {
        line.split()[-1]: line.split()[:2]
        for line in run("dpkg-deb", "--contents", str(demo)).splitlines()
    }
    assert listed["./usr/bin/demo"] == ["-rwxr-xr-x", "root/root"]
    assert listed["./usr/lib/systemd/system/demo.service"] == ["-rw-r--r--", "root/root"]
    assert listed["./var/lib/demo/"] == ["drwxr-xr-x", "root/root"]
    assert listed["./"] == ["drwxr-xr-x", "root/root"]


def test_a_package_leaves_nothing_beside_it(demo: Path) -> None:
    assert [path.name for path in demo.parent.iterdir()] == [demo.name]


def test_a_repository_verifies_and_names_its_packages(demo: Path, cache: Path) -> None:
    content = demo.read_bytes()
    root = cache / "repo"
    apt.suite_repository(root, "main", [demo], Silent())
    suite = root / "dists" / versions.DEBIAN_SUITE
    index = (suite / "main" / "binary-amd64" / "Packages").read_text()
    assert "Package: demo\n" in index
    assert "Filename: pool/main/demo_1.0-1_amd64.deb\n" in index
    assert f"SHA256: {hashlib.sha256(content).hexdigest()}\n" in index
    release = (suite / "Release").read_text()
    assert f"Suite: {versions.DEBIAN_SUITE}\n" in release
    assert hashlib.sha256(index.encode()).hexdigest() in release

    key = cache / "key.gpg"
    dearmored = subprocess.run(
        ["gpg", "--dearmor", "--output", str(key), str(signing.item().path / signing.PUBLIC)],
        check=False,
        capture_output=True,
    )
    assert dearmored.returncode == 0
    run("gpgv", "--keyring", str(key), str(suite / "InRelease"))
    run("gpgv", "--keyring", str(key), str(suite / "Release.gpg"), str(suite / "Release"))
    (suite / "Release").write_text(release.replace("Suite", "Sweet"))
    forged = subprocess.run(
        ["gpgv", "--keyring", str(key), str(suite / "Release.gpg"), str(suite / "Release")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert forged.returncode != 0
    assert "BAD signature" in forged.stderr


def test_an_epoch_does_not_reach_the_pools_file_names(demo: Path, cache: Path) -> None:
    epoch = demo.rename(demo.with_name("demo_1%3a1.0-1_amd64.deb"))
    root = cache / "repo"
    apt.suite_repository(root, "main", [epoch], Silent())
    assert [p.name for p in (root / "pool" / "main").iterdir()] == ["demo_1.0-1_amd64.deb"]


def test_the_secret_key_is_for_its_owner_only_and_no_agent_is_left(cache: Path) -> None:
    def agents() -> set[str]:
        found = set()
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes()
            except OSError:
                continue
            if b"gpg-agent" in words and b"lc-gpg-" in words:
                found.add(entry.parent.name)
        return found

    before = agents()
    from lab.software.store import ensure_item

    key = ensure_item(signing.item(), Silent())
    assert (key / signing.PUBLIC).read_text().startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert (key / "secret.asc").stat().st_mode & 0o777 == 0o600
    assert key.stat().st_mode & 0o777 == 0o700
    # One that was told to end is there for a moment still; so are those of tests beside this one.
    end = time.monotonic() + 30
    while not agents() <= before:
        assert time.monotonic() < end, f"agents are left: {agents() - before}"
        time.sleep(0.1)


def test_kubernetes_packages_have_upstreams_names_and_versions() -> None:
    made = {package.name: package for package in packages.kubernetes()}
    assert set(made) == {"kubeadm", "kubelet", "kubectl", "kubernetes-cni", "cri-tools"}
    assert {made[name].version for name in ("kubeadm", "kubelet", "kubectl")} == {"1.36.3-1.1"}
    dropin = made["kubeadm"].texts["/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"]
    assert "EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env" in dropin
    assert (
        "ExecStart=/usr/bin/kubelet"
        in made["kubelet"].texts["/usr/lib/systemd/system/kubelet.service"]
    )
    assert set(made["kubernetes-cni"].programs) == {
        f"/opt/cni/bin/{name}" for name in ("loopback", "bridge", "host-local", "portmap")
    }


def test_containerd_is_named_as_dockers_and_takes_debians_runc() -> None:
    (package,) = packages.containerd()
    assert package.file_name == "containerd.io_2.4.2-1_amd64.deb"
    assert package.depends == ("runc (>= 1.1)",)
    assert "deb-systemd-invoke restart containerd.service" in package.scripts["postinst"]


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
def test_shell_that_runs_on_machines_is_clean(tmp_path: Path) -> None:
    for package in (*packages.kubernetes(), *packages.containerd()):
        for name, text in package.scripts.items():
            path = tmp_path / f"{package.name}-{name}"
            path.write_text(text)
            run("shellcheck", str(path))
    run("shellcheck", str(Path(base.__file__).parent / "base" / "customize.sh"))


def test_sources_lines_name_the_key_and_each_repository() -> None:
    assert sources_lines("http://192.0.2.4") == {
        name: f"deb [signed-by=/etc/apt/keyrings/layered-cloud.asc] http://192.0.2.4/{rest}"
        for name, rest in {
            "debian": "debian bookworm main",
            "kubernetes": "kubernetes /",
            "containerd": "containerd bookworm stable",
        }.items()
    }


@pytest.mark.skipif(not apt.item().ready, reason="the apt repositories are not built")
def test_the_built_repositories_hold_what_they_promise() -> None:
    root = paths().apt
    debian_index = (root / "debian/dists/bookworm/main/binary-amd64/Packages").read_text()
    named = {
        line.removeprefix("Package: ")
        for line in debian_index.splitlines()
        if line.startswith("Package: ")
    }
    with tarfile.open(paths().base_image) as image:
        status = image.extractfile("./var/lib/dpkg/status")
        assert status is not None
        installed = {
            line.removeprefix("Package: ")
            for line in status.read().decode().splitlines()
            if line.startswith("Package: ")
        }
    assert set(apt.DEBIAN_PACKAGES) <= named | installed
    assert {"haproxy", "keepalived", "nftables", "frr", "runc"} <= named - installed
    for name in ("kubeadm", "kubelet", "kubectl"):
        fields = run(
            "dpkg-deb", "--field", str(root / f"kubernetes/amd64/{name}_1.36.3-1.1_amd64.deb")
        )
        assert f"Package: {name}\nVersion: 1.36.3-1.1\n" in fields
    for folder in ("debian/dists/bookworm", "containerd/dists/bookworm", "kubernetes"):
        assert (root / folder / "InRelease").read_text().startswith("-----BEGIN PGP SIGNED")


@pytest.mark.skipif(not goitems.KUBEADM.item.ready, reason="kubeadm is not built")
def test_the_built_programs_say_the_pinned_versions() -> None:
    said = (
        (goitems.KUBEADM, ("version", "-o", "short"), f"v{versions.KUBERNETES}"),
        (goitems.CONTAINERD, ("--version",), f"v{versions.CONTAINERD}"),
        (goitems.HELM, ("version", "--short"), f"v{versions.HELM}"),
        (goitems.ETCD, ("--version",), f"etcd Version: {versions.ETCD}"),
        (goitems.PULUMI, ("version",), f"v{versions.PULUMI}"),
        (goitems.CRICTL, ("--version",), f"v{versions.CRI_TOOLS}"),
    )
    for program, arguments, expected in said:
        if program.item.ready:
            assert expected in run(str(program.executable(program.name)), *arguments)


def test_the_lab_serves_every_package_that_a_part_may_ask_for() -> None:
    wanted = set(DISTRIBUTIONS[versions.DEBIAN_SUITE].packages.values())
    assert wanted <= {*apt.DEBIAN_PACKAGES, "kubeadm", "kubelet", "kubectl"}
