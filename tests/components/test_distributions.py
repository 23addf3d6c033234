"""What differs between distributions: whole files of those that are not the ordinary one, and the
table asked of the distribution's own packages and daemons (`make daemons`)."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace

import pytest

from components.host import payload
from components.host.baseline import apt, chrony, node_exporter, parts, sshd
from components.host.packages import Repository
from components.host.part import summed
from components.routers.linux import bird, frr
from lab.software import checkers, versions
from settings.checks.releases import family_of, release_of
from settings.models import DISTRIBUTIONS, DistributionName
from tests.components import checked, distribution, rendered, stacks
from tests.components.host.baseline.test_baseline_parts import ARGS, MACHINE
from tests.golden_files import assert_golden

OTHERS = [name for name in DISTRIBUTIONS if name != versions.DEBIAN_SUITE]
UPGRADES_AND_SOURCES = (apt.UPGRADES, "/etc/apt/sources.list.d/ubuntu.sources")


def baseline(name: DistributionName) -> dict[str, str]:
    """Every text of a machine's baseline."""
    brought = Repository(name="internal", uris=("http://192.0.2.4",), suites=(name,))
    args = replace(
        ARGS,
        machine=replace(MACHINE, distribution=DISTRIBUTIONS[name]),
        repositories=(brought,),
        automatic_upgrades="security",
    )
    whole = summed("baseline", parts.parts(args.model()))
    return whole.texts(authorized_keys=["ssh-ed25519 AAAA operator"])


def files(name: DistributionName) -> dict[str, str]:
    """Every text of every role, by role and path."""
    found = {f"baseline{path}": text for path, text in baseline(name).items()}
    for stack in ("bgp", "bird", "both-families", "outbound"):
        texts = rendered.router_files(stacks.of(name, stacks.NAMED[stack]()), "router-a")
        found |= {f"routers-{stack}{path}": text for path, text in texts.items()}
    for stack in ("guarded", "both-families", "logged"):
        texts = rendered.balancer_files(stacks.of(name, stacks.NAMED[stack]()), "lb-a")
        found |= {f"loadbalancers-{stack}{path}": text for path, text in texts.items()}
    return found


DIFFERENT = {
    "trixie": [
        *(f"baseline{sshd.CONFIG}", f"routers-bgp{frr.DAEMONS}", f"routers-bird{bird.SESSIONS}"),
    ],
    "noble": [f"baseline{path}" for path in UPGRADES_AND_SOURCES],
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_another_distribution_has_otherwise_was_read_and_agreed(
    name: DistributionName,
) -> None:
    ordinary, own = files(versions.DEBIAN_SUITE), files(name)
    different = sorted(path for path, text in own.items() if text != ordinary.get(path))
    assert different == sorted(DIFFERENT[name])
    for path in different:
        assert_golden(f"distributions/{name}/{path}", own[path])


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_row_is_of_a_release_that_the_settings_know(name: DistributionName) -> None:
    row = DISTRIBUTIONS[name]
    assert (row.name, release_of(name), family_of(name)) == (name, name, row.family)


def test_the_lab_has_a_tree_of_every_distribution() -> None:
    assert list(checkers.FURTHER) == OTHERS


def run(*argv: str, texts: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A program of the distribution's tree, over these files."""
    legs: dict[str, tuple[str, ...]] = dict.fromkeys(MACHINE.interfaces.values(), ())
    return checkers.run_checker(argv, texts or {}, interfaces=legs, distribution=distribution.NAME)


@checked.real
@pytest.mark.parametrize("package", distribution.ROW.versions)
def test_its_daemons_are_of_the_versions_that_the_table_names(package: str) -> None:
    said = run("dpkg-query", "-f", "${Version}", "-W", package)
    upstream = said.stdout.partition(":")[2] or said.stdout
    assert upstream.startswith(distribution.ROW.versions[package]), said


@checked.real
def test_its_packages_bring_what_the_table_says() -> None:
    upstreams = ("kubeadm", "kubectl", "kubelet")
    names = {n for what, n in distribution.ROW.packages.items() if what not in upstreams}
    if distribution.NAME == versions.DEBIAN_SUITE:
        names -= {"unattended-upgrades"}
    assert run("dpkg-query", "-W", *sorted(names)).returncode == 0


@checked.real
def test_its_sshd_takes_its_own_lines_and_no_other_does() -> None:
    run_sshd = ("/bin/sh", "-c", "ssh-keygen -A >/dev/null && exec /usr/sbin/sshd -t")
    for name in DISTRIBUTIONS:
        said = run(*run_sshd, texts={sshd.CONFIG: baseline(name)[sshd.CONFIG]})
        known = set(DISTRIBUTIONS[name].sshd) <= set(distribution.ROW.sshd)
        assert (said.returncode == 0) == known, (name, said.stderr)


@checked.real
def test_its_chrony_takes_the_file() -> None:
    texts = {chrony.CONFIG: baseline(distribution.NAME)[chrony.CONFIG]}
    said = run("/usr/sbin/chronyd", "-p", "-f", chrony.CONFIG, texts=texts)
    assert (said.returncode, said.stderr) == (0, "")


@checked.real
@pytest.mark.parametrize(("further", "status"), [((), 0), (("--web.nonsense",), 1)])
def test_its_exporter_knows_every_flag(further: tuple[str, ...], status: int) -> None:
    args = replace(ARGS, node_exporter=True).model()
    (made,) = [part for part in parts.parts(args) if part.name == "node-exporter"]
    unit = made.texts()[node_exporter.UNIT].replace("\\\n", "").replace("$$", "$")
    (argv,) = re.findall(r"(?m)^ExecStart=(.+)$", unit)
    assert run(*argv.split(), *further, "--version").returncode == status


@checked.real
def test_frr_starts_by_itself_what_the_table_says() -> None:
    started = ". /usr/lib/frr/frrcommon.sh && daemon_list"
    said = run("/bin/bash", "-c", started, texts={frr.DAEMONS: "bgpd=no\n"})
    assert tuple(said.stdout.split()) == distribution.ROW.frr_always, said.stderr


@checked.real
def test_its_python_runs_what_a_push_brings() -> None:
    """The whole agent is imported, and asked for the drift of a machine that carries nothing."""
    command = f"{payload.command_line('check')} </request".replace("python3", "python3 -W error")
    said = run("/bin/bash", "-c", command, texts={"/request": payload.check_request()})
    assert (said.returncode, json.loads(said.stdout or "null")) == (0, []), said.stderr


@checked.real
@pytest.mark.skipif(distribution.NAME == versions.DEBIAN_SUITE, reason="not in the lab's own tree")
def test_unattended_upgrades_takes_security_and_nothing_else() -> None:
    texts = {apt.UPGRADES: baseline(distribution.NAME)[apt.UPGRADES]}
    ask = "import sys; sys.argv = ['x']; sys.path.insert(0, '/usr/bin')\n"
    ask += "from importlib.machinery import SourceFileLoader as L\n"
    ask += "u = L('u', '/usr/bin/unattended-upgrade').load_module()\n"
    ask += "print(*u.get_allowed_origins(), sep='\\n')"
    said = run("python3", "-W", "ignore", "-c", ask, texts=texts)
    name = distribution.NAME
    expected = [
        each.replace("${distro_codename}", name) for each in distribution.ROW.security_origins
    ]
    assert said.stdout.splitlines() == expected, said.stderr


@checked.real
def test_its_archive_has_elsewhere_what_the_table_says() -> None:
    """A package's section names its component, but the first (deb-control(5), Section)."""
    there = run("dpkg-query", "-f", "${Package} ${Section}\n", "-W").stdout.splitlines()
    sections = dict(line.split(" ", 1) for line in there)
    found = {
        what: sections[name].partition("/")[0]
        for what, name in distribution.ROW.packages.items()
        if "/" in sections.get(name, "")
    }
    assert found == distribution.ROW.elsewhere
