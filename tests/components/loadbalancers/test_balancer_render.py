"""Whole rendered files of the balancers, and what must hold in all of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from components.loadbalancers import render
from settings.models import Stack
from tests.components import rendered, stacks
from tests.golden_files import assert_golden

STACKS = {
    "lab": stacks.lab,
    "single": stacks.single,
    "two-groups": stacks.two_groups,
    "load-balancer-ip": stacks.address_of_its_own,
}
CASES = [("lab", "lb-a"), ("lab", "lb-b"), ("single", "lb-a"), ("two-groups", "lb-a")]
CASES += [("two-groups", "lb-b"), ("load-balancer-ip", "lb-a")]


@pytest.mark.parametrize(("stack", "balancer"), CASES)
def test_every_file_of_a_balancer_is_what_was_read_and_agreed(stack: str, balancer: str) -> None:
    for path, text in rendered.balancer_files(STACKS[stack](), balancer).items():
        assert_golden(f"loadbalancers/{stack}/{balancer}{path}", text)


def test_the_routes_are_alike_on_both_balancers_and_only_own_addresses_differ_in_the_base() -> None:
    first, second = (rendered.balancer_files(stacks.lab(), name) for name in ("lb-a", "lb-b"))

    assert first[render.ROUTES] == second[render.ROUTES]
    assert (
        first[render.BASE].replace("lb-a", "lb-b").replace("198.18.0.21", "198.18.0.22")
        == (second[render.BASE])
    )


def test_a_single_balancer_has_no_peer() -> None:
    files = rendered.balancer_files(stacks.single(), "lb-a")

    assert render.HEALTH_SOCKET not in files
    assert "unicast" not in files[render.KEEPALIVED]


def test_lan_and_management_vips_move_in_one_instance() -> None:
    text = rendered.balancer_files(stacks.lab(), "lb-a")[render.KEEPALIVED]

    assert text.count("vrrp_instance") == 1
    assert re.findall(r"(\S+)/32 dev (\S+)", text) == [
        ("198.18.10.10", "eth1"),
        ("198.18.0.10", "eth0"),
    ]
    assert set(re.findall(r"weight (\d+)", text)) == {"0"}


def test_the_owner_of_each_group_has_the_higher_priority_there() -> None:
    stack = stacks.two_groups()
    first, second = (
        re.findall(r"    priority (\d+)", rendered.balancer_files(stack, name)[render.KEEPALIVED])
        for name in ("lb-a", "lb-b")
    )

    assert (first, second) == (["150", "100"], ["100", "150"])


def test_a_vip_of_another_group_answers_through_its_own_gateway() -> None:
    text = rendered.balancer_files(stacks.two_groups(), "lb-b")[render.KEEPALIVED]
    front, side = text.split("vrrp_instance ")[1:]

    assert "virtual_routes" not in front
    assert "virtual_rules" not in front
    assert "default via 198.18.10.4 dev eth1 table 1001\n" in side
    assert "198.18.10.0/24 dev eth1 scope link table 1001\n" in side
    assert "from 198.18.10.13/32 table 1001 preference 1001\n" in side


def test_preemption_follows_the_settings() -> None:
    config = stacks.lab_config()
    config["balancers"]["vrrp"] = {"preempt": False, "advert_interval": 0.25}
    text = rendered.balancer_files(Stack.model_validate(config), "lb-b")[render.KEEPALIVED]

    assert "    nopreempt\n" in text
    assert "preempt_delay" not in text
    assert "advert_int 0.25  # disruptive" in text


def test_the_check_of_haproxy_asks_nothing_but_the_local_one() -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")

    assert "/dev/tcp/127.0.0.1/8405" in files[render.ALIVE]
    assert re.search(r"bind 127\.0\.0\.1:8405\n    monitor-uri /alive\n", files[render.BASE])
    assert "monitor fail" not in files[render.BASE]


def test_statistics_and_the_runtime_socket_stay_away_from_the_lan() -> None:
    text = rendered.balancer_files(stacks.lab(), "lb-a")[render.BASE]
    stats = text[text.index("frontend stats") : text.index("defaults api")]

    assert re.findall(r"bind (\S+)", stats) == ["198.18.0.21:8404"]
    assert f"stats socket {render.SOCKET} mode 600 level admin" in text


def backend(text: str, name: str) -> str:
    """The lines of one backend."""
    return text.split(f"\nbackend {name} from routes\n")[1].partition("\nbackend ")[0]


@pytest.mark.parametrize(("name", "port"), [("ingress_http", 30080), ("ingress_https", 30443)])
def test_requests_go_to_the_node_port_of_every_node_and_checks_to_the_health_port(
    name: str, port: int
) -> None:
    text = backend(rendered.balancer_files(stacks.lab(), "lb-a")[render.ROUTES], name)

    assert re.findall(r"    server (\S+) (\S+)", text) == [
        ("cp-1", f"198.18.10.21:{port}"),
        ("worker-1", f"198.18.10.31:{port}"),
        ("worker-2", f"198.18.10.32:{port}"),
    ]
    assert "default-server send-proxy-v2 check port 30081 " in text
    assert "check-send-proxy" not in text


def test_only_what_came_over_tls_goes_on_over_tls() -> None:
    text = rendered.balancer_files(stacks.lab(), "lb-a")[render.ROUTES]
    http, https = text.index("\nfrontend http "), text.index("\nfrontend https ")

    assert re.findall(r"default_backend (\S+)", text[http:https]) == ["ingress_http"]
    assert re.findall(r"default_backend (\S+)", text[https:]) == ["ingress_https"]
    assert " ssl " not in backend(text, "ingress_http")
    assert " ssl verify none sni req.hdr(host)" in backend(text, "ingress_https")
    assert " no-check-ssl" in backend(text, "ingress_https")


def test_without_a_health_port_the_node_port_itself_is_tried() -> None:
    model = rendered.routes_model(stacks.lab())
    text = render.routes(type(model)(**{**vars(model), "health_port": None}))

    assert text.count("default-server send-proxy-v2 check inter 1s") == 2
    assert "httpchk" not in text


def test_the_ingress_address_is_the_only_server_when_it_is_the_target() -> None:
    model = rendered.routes_model(stacks.address_of_its_own())
    text = render.routes(replace(model, redirect_to_https=False))

    for name, port in (("ingress_http", 80), ("ingress_https", 443)):
        servers = re.findall(r"    server (\S+) (\S+)", backend(text, name))
        assert servers == [("ingress", f"198.18.10.200:{port}")]


def test_plain_http_is_redirected_only_where_that_is_set() -> None:
    redirected = rendered.balancer_files(stacks.address_of_its_own(), "lb-a")[render.ROUTES]
    plain = rendered.balancer_files(stacks.lab(), "lb-a")[render.ROUTES]

    assert redirected.count("http-request redirect scheme https code 308") == 1
    assert redirected.index("redirect scheme") < redirected.index("frontend https")
    assert re.findall(r"^backend (\S+)", redirected, re.MULTILINE) == ["ingress_https"]
    assert "redirect" not in plain


def test_one_changed_timeout_changes_one_line_of_the_routes_and_nothing_of_the_base() -> None:
    config = stacks.lab_config()
    config["balancers"]["timeouts"] = {"server": 45.5}
    before = rendered.balancer_files(stacks.lab(), "lb-a")
    after = rendered.balancer_files(Stack.model_validate(config), "lb-a")
    changed = {path for path in before if before[path] != after[path]}
    lines = [
        (old, new)
        for old, new in zip(
            before[render.ROUTES].splitlines(), after[render.ROUTES].splitlines(), strict=True
        )
        if old != new
    ]

    assert changed == {render.ROUTES}
    assert lines == [("    timeout server 50s", "    timeout server 45500ms")]


def test_an_empty_list_of_ranges_is_never_rendered() -> None:
    with pytest.raises(ValueError, match="the CDN's ranges must not be empty"):
        render.cdn(())


def test_ranges_stand_one_a_line() -> None:
    networks = (IPv4Network("192.0.2.0/25"), IPv4Network("198.51.100.0/24"))

    assert render.cdn(networks) == "192.0.2.0/25\n198.51.100.0/24\n"


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("path", sorted(render.EXECUTABLE - {render.RELOAD}))
def test_the_shell_scripts_pass_shellcheck(path: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(rendered.balancer_files(stacks.lab(), "lb-a")[path])

    said = subprocess.run(
        ["shellcheck", "--severity=style", str(script)], capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stdout) == (0, "")


def test_the_reload_script_is_python_that_compiles() -> None:
    text = rendered.balancer_files(stacks.lab(), "lb-a")[render.RELOAD]

    compile(text, render.RELOAD, "exec")
    assert text.startswith("#!/usr/bin/python3\n")


def test_processes_are_watched_only_where_the_kernel_tells_about_them() -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")
    watching = [line for line in files[render.KEEPALIVED].splitlines() if "process" in line]

    assert all(line.startswith(("@^container ", "#", "    # ")) for line in watching)
    assert '--config-id "$id"' in files[render.KEEPALIVED_DROP_IN]
