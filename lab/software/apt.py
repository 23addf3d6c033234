"""The package repositories the lab's machines install from, signed with the lab's key.

Three, each shaped as its upstream's: `debian` (suite bookworm, component main: the packages the
machines install, with everything they depend on that the bare image lacks), `kubernetes` (flat)
and `containerd` (suite bookworm, component stable). The Debian packages are downloaded by this
machine's own apt, from its own sources, against the bare image's list of installed packages.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from lab.software import base, deb, debian, packages, signing, versions
from lab.software.progress import Progress
from lab.software.store import BuildError, Item, files_digest, fingerprint

DEBIAN_PACKAGES = (
    *("haproxy", "keepalived", "nftables", "conntrackd", "conntrack", "frr", "frr-pythontools"),
    *("bird2", "chrony", "runc", "iptables", "ipset", "ethtool", "socat", "ebtables", "curl"),
    *("jq", "openssl", "gnupg", "rsync", "tcpdump", "logrotate", "unattended-upgrades"),
    *("systemd-resolved", "netcat-openbsd", "python3-apt", "cron", "prometheus-node-exporter"),
    *("rsyslog", "rsyslog-gnutls", "certbot", "python3-certbot-dns-cloudflare"),
)
"""What the machines may install; each can be had alone, with its dependencies."""

ORIGIN = "layered-cloud"
URLS = {
    "debian": f"{{base}}/debian {versions.DEBIAN_SUITE} main",
    "kubernetes": "{base}/kubernetes /",
    "containerd": f"{{base}}/containerd {versions.DEBIAN_SUITE} stable",
}


def source_line(name: str, url: str, key: str = "/etc/apt/keyrings/layered-cloud.asc") -> str:
    """The sources.list(5) line of a repository served by a depot at `url` (`http://ADDRESS`)."""
    return f"deb [signed-by={key}] {URLS[name].format(base=url)}"


def _apt_options(work: Path, status: Path) -> list[str]:
    folders = {
        "Dir::State": work / "state",
        "Dir::State::status": status,
        "Dir::State::lists": work / "state" / "lists",
        "Dir::Cache": work / "cache",
        "Dir::Cache::archives": work / "cache" / "archives",
        "Dir::Etc::sourcelist": work / "none",
        "Dir::Etc::sourceparts": work / "sources",
        "Dir::Etc::preferencesparts": work / "empty",
        "Dir::Etc::main": work / "none",
        "Dir::Etc::parts": work / "empty",
        "Dir::Log": work / "log",
    }
    for folder in ("state/lists/partial", "cache/archives/partial", "sources", "empty", "log"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    text = debian.own_sources()
    if not text:
        raise BuildError(
            f"this machine has no package sources for Debian {versions.DEBIAN_SUITE}: "
            "add them under /etc/apt/sources.list.d"
        )
    suffix = "sources" if "Types:" in text else "list"
    (work / "sources" / f"own.{suffix}").write_text(text)
    plain = {
        "APT::Architecture": versions.ARCHITECTURE,
        "APT::Install-Recommends": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        # The download must not depend on what another user may read under the cache.
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "true",
    }
    settings = {**{name: str(path) for name, path in folders.items()}, **plain}
    settings |= dict(line.replace('"', "").split(" ", 1) for line in debian.proxy_options())
    return [f"-o{name}={value}" for name, value in settings.items()]


def download_closure(
    names: Sequence[str], status: Path, work: Path, progress: Progress
) -> list[Path]:
    """Download packages and all they depend on that a dpkg status file does not list.

    Each package is resolved alone and all are resolved together, since a dependency with
    alternatives is answered differently by what else is installed. Raises `BuildError` with apt's
    words.
    """
    options = _apt_options(work, status)
    debian.run_shown(["apt-get", *options, "update"], progress, what="apt-get update")
    install = ["apt-get", *options, "--yes", "--download-only", "install"]
    for wanted in (names, *([name] for name in names)):
        debian.run_shown([*install, *wanted], progress, what=f"apt-get install {' '.join(wanted)}")
    return sorted((work / "cache" / "archives").glob("*.deb"))


def _status_of(image: Path, target: Path) -> Path:
    with tarfile.open(image) as archive:
        source = archive.extractfile("./var/lib/dpkg/status")
        if source is None:
            raise BuildError(f"{image} holds no list of installed packages")
        target.write_bytes(source.read())
    return target


def _tool(argv: Sequence[str], cwd: Path) -> str:
    answer = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise BuildError(f"{answer.stderr.strip()}\n({argv[0]} said this)")
    return answer.stdout


def write_index(root: Path, pool: str, folder: Path) -> None:
    """Write Packages and Packages.gz of the packages under `ROOT/POOL` into a folder."""
    debian.require_tools("apt-ftparchive")
    text = _tool(["apt-ftparchive", "packages", pool], root)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Packages").write_text(text)
    # No time in it, so that the same packages give the same bytes.
    (folder / "Packages.gz").write_bytes(gzip.compress(text.encode(), 6, mtime=0))


def write_release(folder: Path, suite: str, component: str, progress: Progress) -> None:
    """Write and sign the Release file over the indices under a folder."""
    fields = {
        "Origin": ORIGIN,
        "Label": ORIGIN,
        "Suite": suite,
        "Codename": suite,
        "Components": component,
        "Architectures": versions.ARCHITECTURE,
    }
    options = [f"-oAPT::FTPArchive::Release::{k}={v}" for k, v in fields.items() if v]
    text = _tool(["apt-ftparchive", *options, "release", "."], folder)
    (folder / "Release").write_text(text)
    signing.sign_release(folder, progress)


def suite_repository(root: Path, component: str, debs: Iterable[Path], progress: Progress) -> None:
    """A repository with a suite: the packages move into its pool, the indices are written."""
    pool = root / "pool" / component
    pool.mkdir(parents=True)
    for path in debs:
        # apt writes the colon of an epoch as %3a; the name in the pool leaves the epoch out.
        plain = path.name
        if "%3a" in plain:
            name, _, rest = plain.partition("_")
            plain = f"{name}_{rest.partition('%3a')[2]}"
        shutil.move(path, pool / plain)
    suite = root / "dists" / versions.DEBIAN_SUITE
    indices = suite / component / f"binary-{versions.ARCHITECTURE}"
    write_index(root, f"pool/{component}", indices)
    write_release(suite, versions.DEBIAN_SUITE, component, progress)


def _make(directory: Path, progress: Progress) -> None:
    work = directory / ".work"
    work.mkdir()
    status = _status_of(base.item().path / base.IMAGE, work / "status")
    collected = download_closure(DEBIAN_PACKAGES, status, work, progress)
    suite_repository(directory / "debian", "main", collected, progress)

    ours = [package.build(work, progress) for package in packages.containerd()]
    suite_repository(directory / "containerd", "stable", ours, progress)

    flat = directory / "kubernetes"
    (flat / versions.ARCHITECTURE).mkdir(parents=True)
    for package in packages.kubernetes():
        package.build(flat / versions.ARCHITECTURE, progress)
    write_index(flat, versions.ARCHITECTURE, flat)
    write_release(flat, "", "", progress)

    shutil.copyfile(signing.item().path / signing.PUBLIC, directory / signing.PUBLIC)
    shutil.rmtree(work)


def item() -> Item:
    """The three repositories and `key.asc` as one item of the cache."""
    return Item(
        name="apt",
        version=versions.DEBIAN_SUITE,
        inputs={
            "packages": " ".join(DEBIAN_PACKAGES),
            "recipe": fingerprint(deb, packages, sys.modules[__name__]),
            "units": files_digest(Path(__file__).resolve().parent / "units"),
        },
        needs=(
            base.item(),
            signing.item(),
            *(program.item for program in packages.PROGRAMS),
        ),
        make=_make,
    )
