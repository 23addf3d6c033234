"""The parts that every pair has: keepalived and the health answer."""

from __future__ import annotations

import subprocess
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from components.host.pair import health, keepalived
from components.host.part import Part, Service, Text


def answer(questions: tuple[str, ...] = ()) -> Part:
    return health.part(
        "router",
        address=IPv4Address("192.0.2.2"),
        network="sync",
        units=("one.service", "two.service"),
        questions=questions,
    )


@pytest.mark.parametrize(
    ("active", "found", "said"),
    [
        ("one.service two.service", "true", "healthy"),
        ("one.service", "true", "two.service is inactive"),
        ("one.service two.service", "false", "the table is not loaded"),
    ],
)
def test_the_answer_is_healthy_or_the_first_thing_that_is_wrong(
    active: str, found: str, said: str, tmp_path: Path
) -> None:
    fake = tmp_path / "systemctl"
    fake.write_text(
        "#!/bin/sh\nfor last; do :; done\n"
        f'case " {active} " in *" $last "*) exit 0 ;; esac\n'
        '[ "$2" = --quiet ] || echo inactive\nexit 3\n'
    )
    fake.chmod(0o755)
    question = f'if ! {found}; then\n    echo "the table is not loaded"\n    exit 0\nfi\n'
    script = tmp_path / "health"
    script.write_text(answer((question,)).texts()[health.SCRIPT])

    done = subprocess.run(
        ["sh", str(script)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )

    assert (done.returncode, done.stdout) == (0, f"{said}\n")


def test_the_answer_is_given_on_the_machines_own_address_to_its_peer() -> None:
    part = answer()

    assert "ListenStream=192.0.2.2:8406\n" in part.texts()[health.SOCKET]
    assert f"ExecStart={health.SCRIPT}\n" in part.texts()[health.SERVICE]
    assert [(port.number, port.network, port.sources) for port in part.ports] == [
        (8406, "sync", "peer")
    ]


def test_a_takeover_needs_the_guarded_units_alone() -> None:
    part = Part(
        name="one",
        services=(Service(name="one.service"), Service(name="metrics.service", guarded=False)),
    )

    assert health.guarded([part, answer()]) == ("one.service",)


def test_keepalived_is_checked_and_reloaded_when_its_file_or_a_script_changes() -> None:
    script = Text(path="/etc/keepalived/notify", content="#!/bin/sh\n", mode="0755")
    part = keepalived.part(
        "global_defs {\n}\n", after=("a.service", "b.service"), scripts=(script,)
    )
    (check,), (service,) = part.checks, part.services

    assert check.watches == (keepalived.CONFIG, script.path)
    assert set(service.watches) == {keepalived.CONFIG, keepalived.DROP_IN, script.path}
    assert service.on_change == "reload"
    assert "After=a.service b.service\n" in part.texts()[keepalived.DROP_IN]
