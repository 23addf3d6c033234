"""A router that gets a second one beside it, and loses it again, with the real daemons: a machine
alone speaks VRRP by multicast, a pair by unicast, and neither hears the other.

One world for all tests, in the order written.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.host.pair import watch
from components.routers.linux import conntrackd, firewall
from settings.models import Stack
from tests.components import rendered, stacks
from tests.components.router_world import (
    GATEWAY,
    PUBLIC,
    build,
    nft,
    owner,
    processes,
    start_router,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        build(world)
        start_router(world, "router-a", stacks.single())
        until(lambda: owner(world) == "router-a", "router-a alone owns the addresses", 20)
        yield world


def never_two(world: World, seconds: float, after: Callable[[], bool] = lambda: True) -> None:
    """router-b has none of the addresses, until `seconds` after something is true; router-a has
    both in the end. Between, its keepalived may be about to take them again: a reload from
    multicast to unicast, or back, is a new instance."""
    limit, end = time.monotonic() + 60, None
    while end is None or time.monotonic() < end:
        shown = world.ip("router-b", "-4", "addr", "show")
        assert f"{PUBLIC}/" not in shown
        assert f"{GATEWAY}/" not in shown
        if end is None and after():
            end = time.monotonic() + seconds
        assert end is not None or time.monotonic() < limit
    until(lambda: owner(world) == "router-a", "router-a owns the addresses", 5)


def root(world: World, space: str) -> Path:
    """What the daemons of a space see as their files."""
    return Path(f"/proc/{processes(world, space, 'keepalived')[0]}/root")


def push(world: World, space: str, stack: Stack, script: str) -> None:
    """The files of another stack swapped in, then `script` in the machine, as the agent does."""
    top, files = root(world, space), rendered.router_files(stack, space)
    if watch.CONFIG not in files:
        (top / watch.CONFIG.lstrip("/")).unlink()
    modes = rendered.executable(rendered.router_whole(stack, space))
    for path, text in files.items():
        file = top / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(modes.get(path, 0o644))
    keepalived = min(processes(world, space, "keepalived"))
    world.start(
        space,
        [
            *("nsenter", "--mount", "--pid", f"--target={keepalived}", "--root", "--wd"),
            *("/bin/sh", "-c", f"/usr/sbin/nft -f {firewall.RULES}; {script}"),
        ],
    )


def reload(world: World, space: str) -> None:
    os.kill(min(processes(world, space, "keepalived")), signal.SIGHUP)


def verdict(world: World, space: str) -> str:
    return (root(world, space) / watch.VERDICT.lstrip("/")).read_text().strip()


def test_a_second_router_takes_nothing_while_the_first_one_is_alone(net: World) -> None:
    start_router(net, "router-b", stacks.lab())
    never_two(net, 6, lambda: "Startup complete" in net.log("router-b").read_text())

    assert verdict(net, "router-b") == "1"


def test_the_first_one_becomes_one_of_a_pair_and_the_second_is_ready(net: World) -> None:
    push(
        *(net, "router-a", stacks.lab()),
        f"/usr/sbin/conntrackd -C {conntrackd.CONFIG} & cd {Path(watch.PROGRAM).parent}; "
        f"exec python3 -B -m legwatch {watch.CONFIG}",
    )
    never_two(net, 0, (root(net, "router-a") / watch.VERDICT.lstrip("/")).exists)
    reload(net, "router-a")
    never_two(net, 6)

    until(lambda: verdict(net, "router-b") == "0", "router-b could take over", 10)


def test_a_pair_becomes_one_without_a_second_master(net: World) -> None:
    push(net, "router-a", stacks.single(), "exit 0")
    # The agent stops the watcher, which says farewell, before it reloads keepalived.
    until(lambda: verdict(net, "router-b") == "1", "router-b has heard the farewell", 10)
    reload(net, "router-a")
    never_two(net, 6)

    assert verdict(net, "router-b") == "1"


def test_what_was_left_behind_still_takes_over_from_the_dead(net: World) -> None:
    for interface in ("eth0", "eth1", "eth2", "eth3"):
        net.ip("router-a", "link", "set", interface, "down")
    until(lambda: owner(net, ("router-b",)) == "router-b", "router-b owns the addresses", 10)
    assert "table inet layered" in net.run("router-b", [*nft(), "list", "tables"]).stdout
