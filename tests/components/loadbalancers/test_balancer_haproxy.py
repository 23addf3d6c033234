"""HAProxy's files: what must hold in all of them, and what HAProxy itself says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from components.loadbalancers import certbot, haproxy
from settings.models import Stack
from tests.components import certificates, checked, rendered, stacks
from tests.issued import made

CASES = [("lab", "lb-a"), ("lab", "lb-b"), ("single", "lb-a"), ("two-groups", "lb-b")]
CASES += [("load-balancer-ip", "lb-a"), ("straight", "lb-a")]
CASES += [("proven", "lb-a"), ("asking", "lb-a"), ("routes", "lb-a"), ("guarded", "lb-b")]
CASES += [("logged", "lb-a"), ("ordered", "lb-b"), ("ordered-by-records", "lb-a")]
CASES += [("both-families", "lb-a")]
CASES += [("three", "lb-a"), ("services", "lb-a"), ("maintained", "lb-a")]


def test_the_routes_are_alike_on_both_balancers_and_only_own_addresses_differ_in_the_base() -> None:
    first, second = (rendered.balancer_files(stacks.lab(), name) for name in ("lb-a", "lb-b"))

    assert first[haproxy.ROUTES] == second[haproxy.ROUTES]
    assert (
        first[haproxy.BASE].replace("lb-a", "lb-b").replace("198.18.0.21", "198.18.0.22")
        == (second[haproxy.BASE])
    )


def test_statistics_and_the_runtime_socket_stay_away_from_the_lan() -> None:
    text = rendered.balancer_files(stacks.lab(), "lb-a")[haproxy.BASE]
    stats = text[text.index("frontend stats") : text.index("defaults api")]

    assert re.findall(r"bind (\S+)", stats) == ["198.18.0.21:8404"]
    assert f"stats socket {haproxy.SOCKET} mode 600 level admin" in text


def backend(text: str, name: str) -> str:
    """The lines of one backend."""
    return text.split(f"\nbackend {name} from routes\n")[1].partition("\nbackend ")[0]


@pytest.mark.parametrize(("name", "port"), [("ingress_http", 30080), ("ingress_https", 30443)])
def test_requests_go_to_the_node_port_of_every_node_and_checks_take_the_same_way(
    name: str, port: int
) -> None:
    text = backend(rendered.balancer_files(stacks.lab(), "lb-a")[haproxy.ROUTES], name)

    assert re.findall(r"    server (\S+) (\S+)", text) == [
        ("cp-1", f"198.18.10.21:{port}"),
        ("worker-1", f"198.18.10.31:{port}"),
        ("worker-2", f"198.18.10.32:{port}"),
    ]
    assert "default-server send-proxy-v2 check check-send-proxy " in text
    assert "http-check send meth OPTIONS uri * " in text
    assert "30081" not in text


def test_only_what_came_over_tls_goes_on_over_tls() -> None:
    text = rendered.balancer_files(stacks.lab(), "lb-a")[haproxy.ROUTES]

    assert re.findall(r"_backend (.+)", text) == [
        "ingress_http unless { ssl_fc }",
        "ingress_https",
    ]
    assert " ssl " not in backend(text, "ingress_http")
    assert " ssl verify none sni req.hdr(host)" in backend(text, "ingress_https")


@pytest.mark.parametrize("stack", ["lab", "load-balancer-ip"])
def test_a_failed_check_cuts_nothing_that_a_server_still_serves(stack: str) -> None:
    text = rendered.balancer_files(stacks.NAMED[stack](), "lb-a")[haproxy.ROUTES]

    assert "on-marked-down" not in text
    assert re.findall(r"default-server send-proxy-v2 .* (tcp-ut \S+)\n", text)
    assert "option srvtcpka\n" in text


def test_the_ingress_address_is_the_only_server_when_it_is_the_target() -> None:
    model = rendered.routes_model(stacks.address_of_its_own())
    text = haproxy.site(replace(model, redirect_to_https=False))

    for name, port in (("ingress_http", 80), ("ingress_https", 443)):
        servers = re.findall(r"    server (\S+) (\S+)", backend(text, name))
        assert servers == [("ingress", f"198.18.10.200:{port}")]


def test_plain_http_is_redirected_only_where_that_is_set() -> None:
    redirected = rendered.balancer_files(stacks.address_of_its_own(), "lb-a")[haproxy.ROUTES]
    plain = rendered.balancer_files(stacks.lab(), "lb-a")[haproxy.ROUTES]

    assert redirected.count("http-request redirect scheme https code 308 unless { ssl_fc }") == 1
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
            before[haproxy.ROUTES].splitlines(), after[haproxy.ROUTES].splitlines(), strict=True
        )
        if old != new
    ]

    assert changed == {haproxy.ROUTES}
    assert lines == [("    timeout server 130s", "    timeout server 45500ms")]


def guarded_without_a_cdn() -> Stack:
    return stacks.guarded().model_copy(update={"cdn": stacks.straight().cdn})


def several_certificates_and_the_clients() -> Stack:
    return stacks.with_routes().model_copy(update={"cdn": stacks.proven().cdn})


def test_the_same_is_let_through_where_no_cdn_stands_in_front() -> None:
    lab, guarded, straight = (
        rendered.balancer_files(stack, "lb-b")[haproxy.ROUTES].splitlines()
        for stack in (stacks.lab(), stacks.guarded(), guarded_without_a_cdn())
    )
    guards = [line for line in guarded if line not in lab]

    assert any("/allowed.lst" in line for line in guards)
    assert [line for line in straight if line in guards] == guards


def test_who_shows_a_certificate_may_ask_for_every_name() -> None:
    files = rendered.balancer_files(several_certificates_and_the_clients(), "lb-a")

    assert (
        f":443 ssl crt {haproxy.CERTIFICATE} crt-list {haproxy.FURTHER_LIST} alpn h2,http/1.1 "
        f"ca-file {haproxy.AUTHORITIES} verify required\n"
    ) in files[haproxy.ROUTES]


@pytest.mark.parametrize("most", [100, 499, 1000, 10_000, 500_000])
def test_no_frontend_can_take_the_room_of_another(most: int) -> None:
    config = stacks.lab_config()
    config["balancers"]["max_connections"] = most
    files = rendered.balancer_files(Stack.model_validate(config), "lb-a")
    whole, *rooms = (
        int(room)
        for path in (haproxy.BASE, haproxy.ROUTES)
        for room in re.findall(r"^    maxconn (\d+)", files[path], re.MULTILINE)
    )
    frontends = "".join(files.values()).count("\nfrontend ")

    assert whole == most == sum(rooms)
    assert len(rooms) == frontends == 5
    assert min(rooms) == 10


def test_one_client_has_a_tenth_of_the_room_or_what_is_set() -> None:
    config = stacks.lab_config()
    config["balancers"]["max_connections_per_client"] = 77
    counted = [
        re.findall(r"conn_cur gt (\d+)", rendered.balancer_files(stack, "lb-a")[haproxy.ROUTES])
        for stack in (stacks.lab(), Stack.model_validate(config))
    ]

    tenth = str(stacks.lab().balancers.max_connections // 10)
    assert counted == [[tenth, tenth], ["77", "77"]]


def test_ranges_stand_one_a_line() -> None:
    assert haproxy.cdn(["192.0.2.0/25", "198.51.100.0/24"]) == "192.0.2.0/25\n198.51.100.0/24\n"


def test_what_prometheus_reads_is_where_the_part_says() -> None:
    model = rendered.base_model(stacks.lab())
    part = haproxy.part(model, model.member("lb-a"))
    (exporter,) = part.exporters
    text = part.texts()[haproxy.BASE]

    assert (exporter.network, exporter.path) == ("management", "/metrics")
    assert f"bind 198.18.0.21:{exporter.port}\n" in text
    assert "use-service prometheus-exporter if { path /metrics }" in text


def test_the_reload_script_is_python_that_compiles() -> None:
    text = rendered.balancer_files(stacks.lab(), "lb-a")[haproxy.RELOAD]

    compile(text, haproxy.RELOAD, "exec")
    assert text.startswith("#!/usr/bin/python3\n")


@pytest.fixture(scope="module")
def site() -> str:
    return certificates.self_signed("echo.lab.test")


def judge(argv: Sequence[str], files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return checked.judge(argv, files, rendered.balancer_whole(stacks.lab(), "lb-a"))


def taken(stack: Stack, balancer: str, site: str) -> subprocess.CompletedProcess[str]:
    files = rendered.balancer_files(stack, balancer)
    files |= dict.fromkeys(rendered.certificate_paths(stack), site)
    files[haproxy.AUTHORITIES] = made("authority", authority=True).pem
    return judge((*haproxy.CHECK, "-dW"), files)


@checked.real
@pytest.mark.parametrize(("stack", "balancer"), CASES)
def test_haproxy_takes_base_and_routes_without_a_warning(
    stack: str, balancer: str, site: str
) -> None:
    said = taken(stacks.NAMED[stack](), balancer, site)

    assert (said.returncode, said.stderr) == (0, "")


def asking_and_logging() -> Stack:
    logging = {"logging": stacks.logged().balancers.logging}
    asking = stacks.asking()
    return asking.model_copy(update={"balancers": asking.balancers.model_copy(update=logging)})


def test_a_line_for_machines_says_what_became_of_the_clients_certificate() -> None:
    asked, not_asked = (
        rendered.balancer_files(stack, "lb-a")[haproxy.ROUTES]
        for stack in (asking_and_logging(), stacks.logged())
    )

    assert asked.count('"client_certificate":"%[var(txn.shown)]"') == 1
    assert "client_certificate" not in not_asked


@checked.real
@pytest.mark.parametrize(
    "stack",
    [guarded_without_a_cdn, several_certificates_and_the_clients, asking_and_logging],
)
def test_haproxy_takes_them_together_without_a_warning(
    stack: Callable[[], Stack], site: str
) -> None:
    said = taken(stack(), "lb-a", site)

    assert (said.returncode, said.stderr) == (0, "")


def much_of_everything() -> Stack:
    """Beyond the 64 words of one line of HAProxy's configuration, where lists may be that long."""
    config = stacks.lab_config()
    further = [{"name": f"f{each}", "names": [f"f{each}.test"]} for each in range(100)]
    config["balancers"]["certificate"]["further"] = further
    config["balancers"]["filter"] = {"methods": [f"M{chr(65 + each) * 9}" for each in range(26)]}
    config["balancers"]["routes"] = [
        {
            **{"name": "all", "hosts": [f"h{each}.lab.test" for each in range(100)]},
            **{"paths": [f"/p{each}" for each in range(100)], "prefixes": ["/x"]},
            **{"headers": {f"X-{each}": "y" for each in range(32)}, "methods": ["GET"]},
        }
    ]
    return Stack.model_validate(config)


@checked.real
def test_haproxy_takes_long_lists(site: str) -> None:
    said = taken(much_of_everything(), "lb-a", site)

    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize(
    ("ports", "expected"), [({}, None), ({"api_port": 16443, "stats_port": 8404}, "16443")]
)
def test_no_connection_of_the_machines_own_takes_a_port_that_haproxy_listens_on(
    ports: dict[str, int], expected: str | None
) -> None:
    config = stacks.lab_config()
    config["balancers"] |= ports
    text = rendered.balancer_files(Stack.model_validate(config), "lb-a")[haproxy.SYSCTL]
    found = re.search(r"^net[.]ipv4[.]ip_local_reserved_ports = (.*)$", text, re.MULTILINE)

    assert (found[1] if found else None) == expected


@checked.real
@pytest.mark.parametrize(("stack", "balancer"), CASES)
def test_haproxy_takes_the_base_alone(stack: str, balancer: str) -> None:
    files = rendered.balancer_files(stacks.NAMED[stack](), balancer)
    for path in (haproxy.ROUTES, haproxy.CDN, certbot.ANSWERS):
        files.pop(path, None)

    said = judge((*haproxy.CHECK, "-dW"), files)

    assert (said.returncode, said.stderr) == (0, "")


@checked.real
def test_haproxy_refuses_a_broken_base_and_names_the_line() -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")
    for path in (haproxy.ROUTES, haproxy.CDN):
        del files[path]
    files[haproxy.BASE] = files[haproxy.BASE].replace("balance leastconn", "balance leastcon")

    said = judge(haproxy.CHECK, files)

    assert said.returncode == 1
    assert f"parsing [{haproxy.BASE}:" in said.stderr
    assert "leastcon" in said.stderr


@checked.real
def test_haproxy_refuses_a_certificate_without_its_key(site: str) -> None:
    files = rendered.balancer_files(stacks.lab(), "lb-a")
    files[haproxy.CERTIFICATE] = site[: site.index("-----BEGIN PRIVATE KEY")]

    said = judge(haproxy.CHECK, files)

    assert said.returncode == 1
    assert "No Private Key found" in said.stderr
