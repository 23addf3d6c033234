"""The sender of the access log: what its files say, and what rsyslogd says of them."""

from __future__ import annotations

import subprocess

import pytest

from components.host.part import Part
from components.loadbalancers import rsyslog
from components.loadbalancers.access_log import CHROOT, SOCKET
from components.loadbalancers.parts import parts
from lab.software import checkers
from settings.models import LogServer, Stack
from tests.components import checked, rendered, stacks
from tests.components.host.booted import booted


def part_of(stack: Stack) -> Part | None:
    model = rendered.base_model(stack)
    return rsyslog.part(model, model.member("lb-a"))


def told(**logging: object) -> Stack:
    config = stacks.lab_config()
    server = {"address": "198.18.0.200", "port": 601}
    config["balancers"]["logging"] = {"servers": [server], **logging}
    return Stack.model_validate(config)


def test_without_a_log_server_nothing_of_it_is_there() -> None:
    assert part_of(stacks.lab()) is None
    assert not any("access-log" in text for text in rendered.balancer_files(stacks.lab(), "lb-a"))


def test_nobody_who_asks_about_health_asks_for_it() -> None:
    made = parts(
        rendered.base_model(stacks.logged()), rendered.base_model(stacks.logged()).members[0]
    )

    assert [each.name for each in made][-2:] == ["rsyslog", "health"]
    assert "rsyslog" not in "".join(made[-1].texts().values())


def test_tls_brings_its_driver_and_only_tls() -> None:
    secured, plain = part_of(stacks.logged()), part_of(told())
    assert secured is not None and plain is not None

    assert [each.name for each in secured.packages] == ["rsyslog", "rsyslog-gnutls"]
    assert [each.name for each in plain.packages] == ["rsyslog"]
    assert "StreamDriver" not in plain.texts()[rsyslog.CONFIG]


def test_the_query_is_told_where_the_stack_says_so_and_nowhere_else() -> None:
    def routes(stack: Stack) -> str:
        return "".join(rendered.balancer_files(stack, "lb-a").values())

    assert "log_query" not in routes(told())
    assert routes(told(query=True)).count("log_query") == 2


def judge(files: dict[str, str], stack: Stack) -> subprocess.CompletedProcess[str]:
    (check,) = (
        each for each in rendered.balancer_whole(stack, "lb-a").checks if each.name == "rsyslog"
    )
    return checked.judge(check.argv, files, rendered.balancer_whole(stack, "lb-a"))


@checked.real
@pytest.mark.parametrize("stack", [stacks.logged(), told()], ids=["logged", "plain"])
def test_rsyslogd_takes_it_without_a_word_of_error(stack: Stack) -> None:
    said = judge(rendered.balancer_files(stack, "lb-a"), stack)

    assert said.returncode == 0, said.stderr
    assert "error" not in said.stderr.lower(), said.stderr


@checked.real
def test_rsyslogd_refuses_a_broken_file_and_names_it() -> None:
    stack = stacks.logged()
    files = rendered.balancer_files(stack, "lb-a")
    files[rsyslog.CONFIG] = files[rsyslog.CONFIG].replace("queue.maxDiskSpace", "queue.maxDisk")

    said = judge(files, stack)

    assert said.returncode == 1
    assert "queue.maxDisk" in said.stderr
    assert rsyslog.CONFIG in said.stderr


@pytest.mark.root
@pytest.mark.timeout(240)
@pytest.mark.skipif(checkers.lacking() is not None, reason=checkers.lacking() or "")
def test_its_unit_takes_lines_without_any_privilege_and_the_packages_own_serves_nothing() -> None:
    whole = rendered.balancer_whole(stacks.logged(), "lb-a")
    files = {
        path: text
        for path, text in rendered.balancer_files(stacks.logged(), "lb-a").items()
        if path.startswith(rsyslog.FOLDER) or path == rsyslog.UNIT_FILE
    }
    (service,) = (each for each in whole.services if each.name == rsyslog.UNIT)
    assert service.health is not None
    tree = checkers.item().path / "root"
    with booted("rsyslog", tree=tree, files=files) as machine:
        machine.sh("touch /var/spool/rsyslog/192.0.2.9-601.00000001")
        machine.sh(f"systemctl enable --quiet {rsyslog.UNIT}; systemctl restart {rsyslog.UNIT}")
        asked = machine.run(*service.health.argv)
        assert asked.status == 0, asked.err + machine.sh("journalctl --unit rsyslog --no-pager")
        send = f"python3 -c '{SEND}' '{CHROOT + SOCKET}' '{LINE}'"
        machine.sh(f"setpriv --reuid haproxy --clear-groups {send}")
        machine.sh(f"systemctl stop {rsyslog.UNIT}")

        assert machine.sh("ls /var/spool/rsyslog | grep -v '[.]qi$'").split() == [
            f"{rsyslog.queue(each)}.00000001" for each in _servers()
        ]
        assert machine.run("test", "-e", "/var/log/syslog").status != 0
        assert machine.run(*service.health.argv).status != 0


SEND = (
    "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
    "s.sendto(sys.argv[2].encode(), sys.argv[1])"
)
LINE = "<134>1 2026-01-01T00:00:00Z - haproxy 1 - - {}"


def _servers() -> list[LogServer]:
    logging = stacks.logged().balancers.logging
    assert logging is not None
    return sorted(logging.servers, key=lambda each: str(each.address))
