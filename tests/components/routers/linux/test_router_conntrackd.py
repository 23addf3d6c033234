"""conntrackd: what is replicated between routers, and what its own parser says of the file."""

from __future__ import annotations

import pytest

from components.routers.linux import conntrackd
from tests.components import checked, rendered, stacks


def test_the_routers_own_addresses_are_ignored_and_never_the_balancers() -> None:
    text = rendered.router_files(stacks.lab(), "router-a")[conntrackd.CONFIG]
    ignored = text[text.index("Address Ignore") :]

    for address in ("203.0.113.2", "203.0.113.3", "203.0.113.10", "198.18.10.1", "198.18.20.3"):
        assert f"IPv4_address {address}\n" in ignored
    assert "198.18.10.10\n" not in ignored


def test_it_talks_over_the_sync_segment_and_is_restarted_never_reloaded() -> None:
    model = rendered.routers_model(stacks.lab())
    part = conntrackd.part(model, model.member("router-a"))
    assert part is not None
    (service,) = part.services

    assert (
        "IPv4_address 198.18.20.2\n        IPv4_Destination_Address 198.18.20.3\n"
        in (part.texts()[conntrackd.CONFIG])
    )
    assert service.on_change == "restart"
    assert [(port.network, port.sources) for port in part.ports] == [("sync", "peer")]


@checked.real
@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("FTFW", "FTFX", "parsing config file in line (3), symbol 'FTFX': syntax error"),
        ("198.18.20.3", "198.18.20.300", "198.18.20.300 is not a valid IPv4"),
    ],
)
def test_its_own_parser_refuses_a_broken_file(right: str, wrong: str, words: str) -> None:
    whole = rendered.router_whole(stacks.lab(), "router-a")
    files = rendered.router_files(stacks.lab(), "router-a")
    files[conntrackd.CONFIG] = files[conntrackd.CONFIG].replace(right, wrong)

    said = checked.judge(conntrackd.CHECK, files, whole)

    assert said.returncode == 1
    assert words in said.stderr
