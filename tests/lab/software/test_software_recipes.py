"""The recipes: what is pinned is what is built, and one change moves exactly what depends on it."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from lab import stack
from lab.software import apt, base, charts, checkers, debian, goitems, images, plugins, versions
from lab.software.gobuild import GoModule, GoProgram, build_go
from lab.software.gotools import go_command
from lab.software.progress import Silent
from lab.software.software import LAB, UPGRADE, _flattened, depot_of, items, paths, stale
from lab.software.store import BuildError


def test_the_go_mod_is_ours_and_repeats_the_replaces() -> None:
    module = GoModule(
        requires={"example.org/b": "v1.0.0", "example.org/a": "v2.0.0"},
        replaces={"example.org/c": "example.org/d v0.1.0"},
    )
    assert module.text("demo") == (
        "module layered-cloud.test/demo\n\n"
        f"go {versions.GO_LANGUAGE}\n\n"
        "require example.org/a v2.0.0\n"
        "require example.org/b v1.0.0\n"
        "replace example.org/c => example.org/d v0.1.0\n"
    )


@pytest.mark.parametrize(
    "program", goitems.PROGRAMS + goitems.TOOLS, ids=lambda program: program.name
)
def test_a_program_is_built_from_its_pinned_version(program: GoProgram) -> None:
    assert program.item.version == program.version
    pinned = set(program.module.requires.values())
    assert pinned in ({f"v{program.version}"}, set())
    assert set(program.packages) == {p.name for p in map(program.executable, program.packages)}


@pytest.mark.parametrize(
    "change",
    [
        {"variables": {"main.version": "2"}},
        {"tags": ("netgo",)},
        {"packages": {"x": "./y"}},
        {"patches": {"example.org/a/f.go": "package a"}},
        {"sources": {"main.go": "package main"}},
        {"taken": {"schema.json": "example.org/a/schema.json"}},
        {"generates": (("./gen", "--out", "."),)},
        {"module": GoModule(requires={"example.org/a": "v1.0.0"}, stubs={"example.org/b": {}})},
        {"module": GoModule(requires={"example.org/a": "v1.0.1"})},
    ],
)
def test_a_change_of_a_go_recipe_gives_a_new_key(change: dict[str, object]) -> None:
    program = GoProgram(
        name="x",
        version="1",
        module=GoModule(requires={"example.org/a": "v1.0.0"}),
        packages={"x": "example.org/a/cmd/x"},
    )
    assert dataclasses.replace(program, **change).item.key != program.item.key  # type: ignore[arg-type]


def test_the_engine_is_told_its_version_by_the_linker() -> None:
    assert (
        f'-X "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{versions.PULUMI}"'
        in goitems.PULUMI.ldflags
    )


def test_kubernetes_replaces_every_staging_module_by_its_own_release() -> None:
    replaces = goitems.KUBEADM.module.replaces
    assert len(replaces) == 33
    assert set(replaces.values()) == {f"{path} v{versions.KUBERNETES_STAGING}" for path in replaces}
    assert f"0{versions.KUBERNETES[1:]}" == versions.KUBERNETES_STAGING


def test_engine_helm_and_checkers_come_before_what_takes_long() -> None:
    order = list(items())
    assert order[:2] == ["pulumi", "helm"]
    assert order.index("checkers") < order.index("kube-apiserver") < order.index("cilium-agent")


def test_everything_named_is_everything_there_is() -> None:
    known = items()
    reached = {item.name for item in _flattened(known[name] for name in LAB)}
    others = {each.name for each in (*goitems.TOOLS, *plugins.BUILT.values())}
    others |= {checkers.item(name).name for name in checkers.FURTHER}
    assert reached.isdisjoint(others)
    others |= {name for each in stack.profiles() for name in stack.profile_software(each)}
    of_the_upgrade = {item.name for item in _flattened([known[UPGRADE]])}
    assert reached | others | of_the_upgrade >= set(known)


def test_an_earlier_release_is_built_for_the_profile_that_begins_with_it_alone() -> None:
    known = items()
    of_every_lab = {item.name for item in _flattened(known[name] for name in LAB)}
    own = {item.name for item in _flattened([known[UPGRADE]])} - of_every_lab
    programs = {f"{name}-earlier" for name in goitems.EARLIER}
    assert own > programs
    assert own & of_every_lab == set()
    assert stack.profile_software("upgrade") == [UPGRADE]
    assert depot_of([*LAB, UPGRADE]) == known[UPGRADE].path != depot_of(LAB)
    for program in goitems.EARLIER.values():
        assert set(program.module.replaces.values()) == {
            f"{path} v{versions.KUBERNETES_EARLIER_STAGING}" for path in program.module.replaces
        }


def test_needs_come_before_what_is_made_of_them() -> None:
    order = [item.name for item in _flattened(items().values())]
    for item in items().values():
        for need in item.needs:
            assert order.index(need.name) < order.index(item.name)


def test_a_new_kubelet_moves_the_packages_and_the_depot_but_not_the_images() -> None:
    changed = dataclasses.replace(
        apt.item(),
        needs=tuple(
            dataclasses.replace(need, version="9") if need.name == "kubelet" else need
            for need in apt.item().needs
        ),
    )
    assert changed.key != apt.item().key
    assert "kubelet" not in {need.name for need in images.registry_item().needs}


def test_the_paths_are_keyed_by_version() -> None:
    where = paths()
    assert where.helm == items()["helm"].path / "helm"
    assert where.base_image.name == f"debian-{versions.DEBIAN_VERSION}-{versions.ARCHITECTURE}.tar"
    assert f"/pulumi/{versions.PULUMI}-" in str(where.pulumi)


def test_only_what_no_recipe_asks_for_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    current = items()["helm"].path
    old = current.with_name("3.0.0-000000000000")
    unfinished = current.parents[1] / ".partial" / "helm"
    for path in (current, old, unfinished):
        path.mkdir(parents=True)
    assert stale() == [old]


def test_the_bare_machine_has_nothing_of_what_the_program_installs() -> None:
    assert set(base.PACKAGES).isdisjoint(
        {"haproxy", "keepalived", "nftables", "conntrackd", "frr", "chrony", "runc", "iptables"}
    )
    assert {"haproxy", "keepalived", "nftables", "conntrackd", "frr", "chrony", "runc"} <= set(
        apt.DEBIAN_PACKAGES
    )


def test_our_chart_says_the_versions_that_are_pinned() -> None:
    text = (charts.TRAEFIK / "Chart.yaml").read_text()
    assert f"\nversion: {versions.TRAEFIK_CHART}\n" in text
    assert f"\nappVersion: v{versions.TRAEFIK}\n" in text


DEB822 = """Types: deb
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://vendor.test/apt
Suites: stable
Components: main

Types: deb-src
URIs: http://mirror.test/debian
Suites: bookworm
Components: main

Types: deb
Enabled: no
URIs: http://off.test/debian
Suites: bookworm
Components: main
"""


def test_only_this_machines_debian_sources_are_taken(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (folder / "debian.sources").write_text(DEB822)
    assert debian.own_sources("bookworm", tmp_path) == (
        "Types: deb\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\n"
        "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_another_release_is_looked_for_where_the_machines_own_is(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (folder / "debian.sources").write_text(DEB822)
    assert debian.sources_of("trixie", root=tmp_path) == (
        "Types: deb\nURIs: http://mirror.test/debian\nSuites: trixie trixie-updates\n"
        "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_ubuntu_is_taken_from_a_mirror_that_has_both_or_left_to_the_tool(tmp_path: Path) -> None:
    folder, asked = tmp_path / "sources.list.d", list[str]()
    folder.mkdir()
    (folder / "debian.sources").write_text(DEB822)

    def there(url: str) -> bool:
        asked.append(url)
        return len(asked) == 1

    assert debian.sources_of("noble", Path("/k.gpg"), tmp_path, there) == (
        "Types: deb\nURIs: http://mirror.test/ubuntu\n"
        "Suites: noble noble-updates noble-security\nComponents: main universe\n"
        "Signed-By: /k.gpg\n"
    )
    assert debian.sources_of("noble", Path("/k.gpg"), tmp_path, there) == ""
    assert asked == ["http://mirror.test/ubuntu/dists/noble/InRelease"] * 2


def test_one_line_sources_are_taken_too(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# comment\n"
        "deb http://mirror.test/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/security bookworm-security main\n"
        "deb-src http://mirror.test/debian bookworm main\n"
        "deb http://vendor.test/apt stable main\n"
    )
    assert debian.own_sources("bookworm", tmp_path).splitlines() == [
        "deb http://mirror.test/debian bookworm main",
        "deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/security bookworm-security main",
    ]


def test_a_machine_without_sources_leaves_the_choice_to_the_tool(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    assert debian.own_sources("bookworm", tmp_path) == ""


def test_a_missing_tool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        BuildError,
        match=r"^apt-ftparchive, gpgv not found: run `apt-get install apt-utils gpgv`$",
    ):
        debian.require_tools("apt-ftparchive", "gpgv")


def test_a_compiler_error_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _need_go()
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    broken = GoProgram(
        name="broken",
        version="1",
        module=GoModule(requires={}),
        packages={"broken": "."},
        sources={"main.go": "package main\n\nfunc main() { nothing() }\n"},
    )
    with pytest.raises(BuildError, match=r"undefined: nothing(.|\n)*go said this building broken"):
        build_go(broken)
    assert not broken.item.ready


def test_a_program_of_our_own_is_built_static(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _need_go()
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    built = build_go(goitems.PAUSE)["pause"]
    with built.open("rb") as handle:
        assert handle.read(4) == b"\x7fELF"
    linked = subprocess.run(["ldd", str(built)], capture_output=True, text=True, check=False)
    assert "not a dynamic executable" in linked.stderr + linked.stdout
    assert not (built.parent / ".build").exists()
    assert str(tmp_path).encode() not in built.read_bytes()
    # kubeadm's health check before an upgrade: a pod of it that ends.
    said = subprocess.run([built, "-v"], capture_output=True, text=True, timeout=10, check=True)
    assert "pause" in said.stdout


def _need_go() -> None:
    if shutil.which("go") is None and not Path("/usr/local/go/bin/go").exists():
        pytest.skip("no Go toolchain on this machine")
    assert Path(go_command(Silent())).is_file()
