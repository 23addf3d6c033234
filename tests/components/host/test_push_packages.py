"""Packages on a booted machine, from a repository on its own disk; the baseline, for real."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface
from typing import Any

import pytest

from components.host import Baseline, BaselineArgs, Connection, Machine, Repository, payload
from components.host.baseline import component
from components.host.baseline.model import BaselineModel
from components.host.baseline.parts import parts
from components.host.part import Package, Part
from tests.components.host import demo
from tests.components.host.booted import Booted, booted, poll
from tests.components.mocks import run_program

pytestmark = [pytest.mark.root, pytest.mark.timeout(240)]

CONF = "/etc/demo/a.conf"
SOURCES = demo.content(
    "/etc/apt/sources.list.d/local.list", "deb [trusted=yes] file:/srv/repo ./\n"
)
POSTINST = """\
#!/bin/sh
set -e
systemctl daemon-reload
deb-systemd-helper enable demo.service
deb-systemd-invoke {action} demo.service
"""


@pytest.fixture
def machine() -> Iterator[Booted]:
    with booted("dev-host") as it:
        make_repository(it)
        yield it


def make_repository(machine: Booted, action: str = "start") -> None:
    """Versions 1.0 and 2.0 of a daemon, packed as Debian does: started as it is installed, or
    restarted."""
    for version in ("1.0", "2.0"):
        tree = f"/srv/build/{version}"
        control = (
            f"Package: demod\nVersion: {version}\nArchitecture: all\nMaintainer: t <t@lab.test>\n"
            "Description: demo daemon\n"
        )
        files = {
            "DEBIAN/control": (control, "0644"),
            "DEBIAN/conffiles": ("/etc/demo/a.conf\n", "0644"),
            "DEBIAN/postinst": (POSTINST.format(action=action), "0755"),
            "etc/demo/a.conf": ("the distribution's default\n", "0644"),
            "usr/local/bin/demod": (demo.DAEMON, "0755"),
            "lib/systemd/system/demo.service": (demo.UNIT, "0644"),
        }
        for path, (text, mode) in files.items():
            command = f"install -D -m {mode} /dev/stdin {tree}/{path}"
            assert machine.run("sh", "-c", command, stdin=text).status == 0
        machine.sh(f"mkdir -p /srv/repo && dpkg-deb -b {tree} /srv/repo/demod_{version}.deb")
    machine.sh(
        "cd /srv/repo && for d in *.deb; do dpkg-deb -f $d; echo Filename: ./$d; "
        "echo Size: $(stat -c %s $d); echo SHA256: $(sha256sum $d | cut -d' ' -f1); echo; "
        "done > Packages; rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*"
    )


def wish(version: str | None, text: str = "ours\n", **over: Any) -> dict[str, Any]:
    return demo.request(
        "base",
        {CONF: text},
        program=False,
        contents=[SOURCES],
        packages=(Package(name="demod", version=version, hold=True),),
        **over,
    )


def test_a_package_is_pinned_held_and_its_daemon_never_serves_the_default(
    machine: Booted,
) -> None:
    answer = machine.ask("apply", wish("1.*"))
    assert answer.status == 0, answer.err
    assert machine.sh("dpkg-query -W -f '${Version}' demod") == "1.0"
    assert machine.sh("apt-mark showhold") == "demod"
    assert machine.text("/run/demo.loads") == "['ours\\n']\n"
    assert machine.run("test", "-e", "/usr/sbin/policy-rc.d").status != 0
    machine.sh("rm -r /srv/repo")
    assert machine.ask("apply", wish("1.*")).err == "unchanged\n"
    assert machine.ask("apply", wish("1.*", "other\n")).status == 0


def test_a_new_version_is_installed_and_the_daemon_restarted(machine: Booted) -> None:
    machine.ask("apply", wish("1.0"))
    process = machine.sh("systemctl show -p MainPID demo")
    answer = machine.ask("apply", wish("2.0"))
    assert answer.err == "restarted demo.service\n"
    assert machine.sh("systemctl show -p MainPID demo") != process
    assert machine.check()[0]["drift"] == []


def test_a_version_that_does_not_exist_gives_apts_words_and_changes_no_file(
    machine: Booted,
) -> None:
    machine.ask("apply", wish("1.0"))
    answer = machine.ask("apply", wish("9.9", "other\n"))
    assert answer.status == 1
    assert answer.err.splitlines()[0] == "E: Version '9.9' for 'demod' was not found"
    assert "apt could not get the packages (apt-get install)" in answer.err
    assert machine.text(CONF) == "ours\n"


def test_a_busy_dpkg_is_waited_for(machine: Booted) -> None:
    holder = (
        "import fcntl,time; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f,2); "
        "open('/run/held','w').close(); time.sleep(2)"
    )
    process = machine.start("python3", "-c", holder)
    poll(lambda: machine.text("/run/held") is not None, 10, "the lock")
    answer = machine.ask("apply", wish("1.0"))
    process.wait(20)
    assert answer.status == 0, answer.err


def test_an_install_that_was_killed_is_finished_by_the_next_push(machine: Booted) -> None:
    machine.sh("printf '#!/bin/sh\\nsleep 300\\n' > /srv/build/1.0/DEBIAN/preinst")
    machine.sh("chmod 755 /srv/build/1.0/DEBIAN/preinst; rm /srv/repo/*")
    make_repository(machine)
    session = machine.session("apply", wish("1.0"))
    poll(lambda: machine.run("pgrep", "-f", "sleep 300").status == 0, 60, "the install")
    assert machine.run("test", "-e", "/usr/sbin/policy-rc.d").status == 0
    machine.sh("systemctl kill --signal=KILL 'layered-cloud-push-*'")
    session.communicate(timeout=60)
    assert machine.run("test", "-e", "/usr/sbin/policy-rc.d").status != 0
    machine.sh("rm /srv/build/1.0/DEBIAN/preinst /srv/repo/*")
    make_repository(machine)
    answer = machine.ask("apply", wish("1.0"))
    assert answer.status == 0, answer.err


def of_the_image(model: BaselineModel) -> tuple[Part, ...]:
    """The parts of a baseline that need no package: the machine's repository has none for them."""
    return tuple(part for part in parts(model) if not part.packages)


def baseline(**over: Any) -> dict[str, Any]:
    def program() -> None:
        machine = Machine(
            name="lb-a",
            role="balancer",
            addresses={"management": IPv4Interface("198.18.0.21/24")},
            interfaces={"management": "lo"},
            connection=Connection(host="198.18.0.21", private_key="K", host_key="ssh-ed25519 A"),
            vm=None,
            host="pve1",
        )
        given: dict[str, Any] = {
            "machine": machine,
            "authorized_keys": ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPY run",),
            "repositories": (Repository(name="local", uris=("file:/srv/repo",), suites=("./",)),),
            "resolvers": ("192.0.2.4",),
            "domain": "lab.test",
        }
        Baseline("lb-a-baseline", BaselineArgs(**{**given, **over}))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(component, "parts", of_the_image)
        command = run_program(program).one("command:remote:Command", "lb-a-baseline")
    return payload.request_of(command.inputs["stdin"])


def test_the_baseline_leaves_sshd_on_the_management_address_alone(machine: Booted) -> None:
    machine.sh("ssh-keygen -A; systemctl reset-failed ssh; systemctl restart ssh")
    machine.sh("ip addr add 198.18.0.21/24 dev lo; ip addr add 198.18.10.11/24 dev lo")
    request = baseline()
    answer = machine.ask("apply", request)
    assert answer.status == 0, answer.err
    listening = machine.sh("ss -Hltn 'sport = :22'")
    assert "198.18.0.21%lo:22" in listening
    assert "0.0.0.0:22" not in listening
    assert "[::]:22" not in listening
    assert machine.sh("hostname") == "lb-a"
    assert machine.sh("getent hosts lb-a") == "198.18.0.21     lb-a.lab.test lb-a"
    assert machine.sh("apt-get update -o APT::Update::Error-Mode=any 2>&1 | grep -c ^E: || true")
    assert machine.ask("confirm", payload.confirmation(request)).status == 0
    assert machine.ask("apply", request).err == "unchanged\n"
    assert machine.check()[0]["drift"] == []


def test_an_address_the_machine_does_not_have_is_no_way_in_and_comes_back(
    machine: Booted,
) -> None:
    machine.sh("ssh-keygen -A; systemctl reset-failed ssh; systemctl restart ssh")
    before = machine.sh("ss -Hltn 'sport = :22'")
    answer = machine.ask("apply", baseline())
    assert answer.status == 1
    assert "ssh.service" in answer.err
    poll(lambda: machine.sh("ss -Hltn 'sport = :22'") == before, 10, "sshd as it was")
    assert machine.text("/etc/ssh/sshd_config.d/10-layered-cloud.conf") is None
