"""The daemons' own checkers judge every rendered file of the balancers, and refuse broken ones."""

from __future__ import annotations

import subprocess

import pytest

from components.loadbalancers import component, render
from lab.software import checkers
from tests.components import certificates, rendered, stacks

LACKING = checkers.lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
STACKS = {
    "lab": stacks.lab,
    "single": stacks.single,
    "two-groups": stacks.two_groups,
    "load-balancer-ip": stacks.address_of_its_own,
}
CASES = [("lab", "lb-a"), ("lab", "lb-b"), ("single", "lb-a"), ("two-groups", "lb-b")]
CASES += [("load-balancer-ip", "lb-a")]


def judge(argv: tuple[str, ...], files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return checkers.run_checker(
        argv,
        files,
        interfaces={"eth0": (), "eth1": ()},
        modes=dict.fromkeys(render.EXECUTABLE, 0o755),
    )


@pytest.fixture(scope="module")
def site() -> str:
    return certificates.self_signed("echo.lab.test")


@pytest.mark.parametrize(("stack", "balancer"), CASES)
def test_haproxy_takes_base_and_routes_without_a_warning(
    stack: str, balancer: str, site: str
) -> None:
    files = rendered.balancer_files(STACKS[stack](), balancer) | {render.CERTIFICATE: site}

    said = judge((*component.HAPROXY_CHECK, "-dW"), files)

    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize(("stack", "balancer"), CASES)
def test_haproxy_takes_the_base_alone(stack: str, balancer: str) -> None:
    files = rendered.balancer_files(STACKS[stack](), balancer)
    for path in (render.ROUTES, render.CDN):
        del files[path]

    said = judge((*component.HAPROXY_CHECK, "-dW"), files)

    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize(("stack", "balancer"), CASES)
def test_keepalived_takes_the_file_and_says_nothing(stack: str, balancer: str) -> None:
    said = judge(component.KEEPALIVED_CHECK, rendered.balancer_files(STACKS[stack](), balancer))

    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_haproxy_refuses_a_broken_base_and_names_the_line() -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")
    for path in (render.ROUTES, render.CDN):
        del files[path]
    files[render.BASE] = files[render.BASE].replace("balance leastconn", "balance leastcon")

    said = judge(component.HAPROXY_CHECK, files)

    assert said.returncode == 1
    assert f"parsing [{render.BASE}:" in said.stderr
    assert "leastcon" in said.stderr


def test_haproxy_refuses_a_certificate_without_its_key(site: str) -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")
    files[render.CERTIFICATE] = site[: site.index("-----BEGIN PRIVATE KEY")]

    said = judge(component.HAPROXY_CHECK, files)

    assert said.returncode == 1
    assert "No Private Key found" in said.stderr


def test_keepalived_refuses_a_check_script_that_is_not_there() -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")
    del files[render.ALIVE]

    said = judge(component.KEEPALIVED_CHECK, files)

    assert said.returncode != 0
    assert "track script haproxy-alive since not found" in said.stderr


@pytest.mark.parametrize(
    "unit",
    [render.HEALTH_SOCKET, render.HEALTH_SERVICE, "haproxy.service", "keepalived.service"],
)
def test_systemd_takes_the_units_and_drop_ins(unit: str) -> None:
    said = judge(
        ("systemd-analyze", "verify", "--man=no", unit),
        rendered.balancer_files(stacks.lab(), "lb-a"),
    )

    assert (said.returncode, said.stderr) == (0, "")
