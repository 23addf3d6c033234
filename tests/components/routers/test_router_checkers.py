"""The daemons' own checkers judge every rendered file of the routers, and refuse broken ones."""

from __future__ import annotations

import subprocess

import pytest

from components.routers import component, render
from lab.software import checkers
from tests.components import rendered, stacks

LACKING = checkers.lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
STACKS = {"lab": stacks.lab, "single": stacks.single, "two-groups": stacks.two_groups}
CASES = [("lab", "router-a"), ("lab", "router-b"), ("single", "router-a")]
CASES += [("two-groups", "router-a"), ("two-groups", "router-b")]


def judge(argv: tuple[str, ...], files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return checkers.run_checker(
        argv,
        files,
        interfaces=dict.fromkeys(("eth0", "eth1", "eth2", "eth3"), ()),
        modes=dict.fromkeys(render.EXECUTABLE, 0o755),
    )


def checks(files: dict[str, str]) -> dict[str, tuple[str, ...]]:
    paired = render.CONNTRACKD in files
    return {check.name: check.argv for check in component.checks(paired=paired)}


@pytest.mark.parametrize(("stack", "router"), CASES)
def test_every_checker_takes_what_is_rendered_and_says_nothing(stack: str, router: str) -> None:
    files = rendered.router_files(STACKS[stack](), router)

    for name, argv in checks(files).items():
        said = judge(argv, files)
        assert (name, said.returncode, said.stdout + said.stderr) == (name, 0, "")


def test_the_table_is_loaded_twice_and_taken_away_by_the_step() -> None:
    files = rendered.router_files(stacks.lab(), "router-a")
    script = (
        f"set -eu; nft -f {render.FIREWALL}; nft -f {render.FIREWALL}; nft list tables; "
        f"rm {render.FIREWALL}; sh -c '{component.LOAD_FIREWALL}'; nft list tables; echo end"
    )

    said = judge(("/bin/sh", "-c", script), files)

    assert (said.returncode, said.stdout) == (0, "table inet layered\nend\n"), said.stderr


def test_nft_refuses_a_broken_table_and_names_the_place() -> None:
    files = rendered.router_files(stacks.lab(), "router-a")
    files[render.FIREWALL] = files[render.FIREWALL].replace("policy drop", "policy dropp", 1)

    said = judge(checks(files)["nftables"], files)

    assert said.returncode != 0
    assert "layered.nft" in said.stderr
    assert "dropp" in said.stderr


def test_keepalived_refuses_a_broken_instance() -> None:
    files = rendered.router_files(stacks.lab(), "router-a")
    files[render.KEEPALIVED] = files[render.KEEPALIVED].replace(
        "virtual_router_id 61", "virtual_router_id 461"
    )

    said = judge(checks(files)["keepalived"], files)

    assert said.returncode != 0
    assert "VRID '461' not valid - must be between 1 & 255" in said.stderr


def test_keepalived_refuses_an_interface_the_machine_does_not_have() -> None:
    files = rendered.router_files(stacks.lab(), "router-a")
    files[render.KEEPALIVED] = files[render.KEEPALIVED].replace("interface eth2", "interface eth7")

    said = judge(checks(files)["keepalived"], files)

    assert said.returncode != 0
    assert "eth7" in said.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("FTFW", "FTFX", "parsing config file in line (3), symbol 'FTFX': syntax error"),
        ("198.18.20.3", "198.18.20.300", "198.18.20.300 is not a valid IPv4"),
    ],
)
def test_conntrackds_own_parser_refuses_a_broken_file(right: str, wrong: str, words: str) -> None:
    files = rendered.router_files(stacks.lab(), "router-a")
    files[render.CONNTRACKD] = files[render.CONNTRACKD].replace(right, wrong)

    said = judge(checks(files)["conntrackd"], files)

    assert said.returncode == 1
    assert words in said.stderr


@pytest.mark.parametrize(
    "unit",
    [
        render.FIREWALL_UNIT,
        render.HEALTH_SOCKET,
        render.HEALTH_SERVICE,
        "conntrackd.service",
        "keepalived.service",
    ],
)
def test_systemd_takes_the_units_and_drop_ins(unit: str) -> None:
    files = rendered.router_files(stacks.lab(), "router-a")

    said = judge(("systemd-analyze", "verify", "--man=no", unit), files)

    assert (said.returncode, said.stderr) == (0, "")
