"""What Cilium's agent image holds beside the agent: a compiler, network tools and a shell.

Debian's packages are unpacked (not installed) and of them only the programs the agent, its chart
and its scripts call are kept, each with the shared libraries it needs.
"""

from __future__ import annotations

import posixpath
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lab.software import debian, versions
from lab.software.oci import GROUP, PASSWD, Entry
from lab.software.progress import Progress
from lab.software.store import BuildError, Item

PACKAGES = (
    *("base-files", "bash", "coreutils", "findutils", "grep", "sed", "gawk", "util-linux", "mount"),
    *("procps", "kmod", "libc-bin", f"clang-{versions.CLANG}", "bpftool", "iptables", "ipset"),
    *("iproute2", "ca-certificates"),
)
"""Unpacked with all they depend on."""

PROGRAMS = (
    *("bash", "cat", "chmod", "cp", "cut", "date", "dirname", "basename", "echo", "env", "expr"),
    *("false", "head", "id", "ln", "ls", "mkdir", "mktemp", "mv", "printf", "pwd", "readlink"),
    *("realpath", "rm", "rmdir", "seq", "sha256sum", "sleep", "sort", "stat", "sync", "tail"),
    *("tee", "test", "touch", "tr", "true", "uname", "uniq", "wc", "find", "xargs", "grep", "sed"),
    *("gawk", "mount", "umount", "nsenter", "ps", "sysctl", "kmod", "dmesg", "getconf"),
    *("bpftool", "ipset", "xtables-nft-multi", "xtables-legacy-multi", "ip", "tc", "ss", "bridge"),
)

_MULTI = ("", "-save", "-restore")
LINKS = {
    "/bin/sh": "bash",
    "/usr/bin/awk": "gawk",
    "/sbin/modprobe": "/bin/kmod",
    **{
        f"/usr/sbin/{family}tables{what}": "xtables-nft-multi"
        for family in ("ip", "ip6")
        for what in _MULTI
    },
    **{
        f"/usr/sbin/{family}tables-{kind}{what}": f"xtables-{kind}-multi"
        for family in ("ip", "ip6")
        for kind in ("nft", "legacy")
        for what in _MULTI
    },
}

_CLANG = f"/usr/lib/llvm-{versions.CLANG}/bin/clang"
_HEADERS = f"/usr/lib/llvm-{versions.CLANG}/lib/clang/{versions.CLANG}/include"
_FOLDERS = ("/usr/lib/x86_64-linux-gnu/xtables", "/usr/lib/tc", "/etc/iproute2")
_PLACES = ("/bin", "/sbin", "/usr/bin", "/usr/sbin")

# This release of Cilium was written for clang 17: newer warnings must not become errors.
CLANG_WRAPPER = f'#!/bin/sh\nexec {_CLANG} -w -Wno-error "$@"\n'


def _make(directory: Path, progress: Progress) -> None:
    debian.bootstrap(
        directory / "root", directory, progress, include=PACKAGES, variant="extract", slim=False
    )


def item() -> Item:
    """The unpacked Debian packages as an item of the cache."""
    return Item(
        name="cilium-rootfs",
        version=versions.DEBIAN_SUITE,
        inputs={"packages": " ".join(PACKAGES), "recipe": debian.RECIPE},
        make=_make,
    )


def runtime_entries(root: Path) -> Iterator[Entry]:
    """The kept part of the unpacked tree, as entries of a layer.

    Raises `BuildError` naming a program that is not in the tree.
    """
    kept: dict[str, Path] = {}
    for name in PROGRAMS:
        path = next((f"{p}/{name}" for p in _PLACES if _is_file(root, f"{p}/{name}")), None)
        if path is None:
            raise BuildError(f"the packages of the Cilium image hold no program {name}")
        kept[path] = root / path.lstrip("/")
    kept[_CLANG] = root / _CLANG.lstrip("/")
    plugins = [
        f"/{p.relative_to(root)}"
        for folder in _FOLDERS
        for p in (root / folder.lstrip("/")).rglob("*")
        if p.is_file()
    ]
    plugins += [
        f"{_HEADERS}/{p.name}"
        for pattern in ("std*.h", "__std*.h", "limits.h", "float.h", "varargs.h")
        for p in (root / _HEADERS.lstrip("/")).glob(pattern)
    ]
    for path in plugins:
        kept[path] = root / path.lstrip("/")
    for library in _libraries(root, [p for p in kept if not p.endswith(".h")]):
        kept[library] = _real(root, library)
    for path, source in kept.items():
        executable = source.stat().st_mode & 0o111
        yield Entry(path=path, source=source, mode=0o755 if executable else 0o644)
    for path, target in LINKS.items():
        yield Entry(path=path, link=target, mode=0o777)
    yield Entry(path="/usr/bin/clang", data=CLANG_WRAPPER.encode())
    yield Entry(path="/etc/passwd", data=PASSWD.encode(), mode=0o644)
    yield Entry(path="/etc/group", data=GROUP.encode(), mode=0o644)
    yield Entry(path="/tmp", mode=0o1777)  # noqa: S108
    for folder in ("/proc", "/sys", "/dev", "/run", "/root", "/home/cilium"):
        yield Entry(path=folder)
    yield Entry(path="/var/run", link="../run", mode=0o777)


def _is_file(root: Path, path: str) -> bool:
    found = root / path.lstrip("/")
    return found.is_file() and not found.is_symlink()


def _libraries(root: Path, paths: list[str]) -> set[str]:
    """The shared libraries, with the dynamic loader, that the tree's own ldd(1) finds for files."""
    script = 'for file; do ldd "$file" 2>/dev/null || true; done'
    answer = subprocess.run(
        ["chroot", str(root), "/bin/bash", "-c", script, "ldd", *paths],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
    )
    found: set[str] = set()
    for line in answer.stdout.splitlines():
        if "not found" in line:
            raise BuildError(f"a program of the Cilium image lacks a library: {line.strip()}")
        words = line.replace("=>", " ").split()
        # A run path of `$ORIGIN/../lib` comes out as it is written.
        found.update(
            posixpath.normpath(word)
            for word in words
            if word.startswith("/") and not word.endswith(":")
        )
    return {_placed(root, path) for path in found if _real(root, path).exists()}


def _placed(root: Path, path: str) -> str:
    """The library's own place when a link elsewhere has the same name.

    The loader finds `$ORIGIN` only where /proc is mounted; the usual folders it always finds.
    """
    real = _real(root, path)
    if path.startswith("/lib64/") or real.name != posixpath.basename(path):
        return path  # the loader itself is named by every executable
    return f"/{real.relative_to(root)}"


def _real(root: Path, path: str) -> Path:
    """Follow symbolic links as the tree itself would: an absolute target starts at its root."""
    todo = [part for part in path.split("/") if part]
    done: list[str] = []
    for _ in range(1000):
        if not todo:
            return root.joinpath(*done)
        part = todo.pop(0)
        if part == "..":
            done = done[:-1]
            continue
        here = root.joinpath(*done, part)
        if here.is_symlink():
            target = str(here.readlink())
            done = [] if target.startswith("/") else done
            todo = [piece for piece in target.split("/") if piece not in {"", "."}] + todo
        else:
            done.append(part)
    raise BuildError(f"{path} in the Cilium image is a loop of links")
