"""A balancer that gets a second one beside it, and loses it again, with the real daemons: a machine
alone speaks VRRP by multicast, a pair by unicast, and neither hears the other.

One world for all tests, in the order written.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from components.host.pair import watch
from components.loadbalancers import haproxy, keepalived
from settings.models import Stack
from tests.components import certificates, stacks
from tests.components.balancer_world import (
    MANAGEMENT,
    VIP,
    api,
    balancer_files,
    build,
    daemons,
    executable,
    get,
    inside,
    lay,
    owner,
    stack_of,
    start_balancer,
    within,
)
from tests.components.pair_push import watch_again
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]


def alone() -> Stack:
    """One balancer, as it is before and after."""
    return stack_of(machines=stacks.lab_config()["balancers"]["machines"][:1])


class Site:
    """The world, and the files of either stack."""

    def __init__(self, world: World) -> None:
        self.world, self.site = world, certificates.self_signed("echo.lab.test")
        build(world, self.site)
        start_balancer(world, "lb-a", balancer_files(alone(), "lb-a", self.site))
        until(lambda: self.held("lb-a"), "lb-a alone holds the addresses", 30)
        until(lambda: get(world, "cdn")[0].get("status") == 200, "requests are answered", 20)

    def held(self, name: str) -> set[str]:
        """Which of the addresses a balancer has."""
        shown = self.world.ip(name, "-4", "addr", "show")
        return {each for each in (VIP, MANAGEMENT) if f"inet {each}/" in shown}

    def root(self, name: str) -> Path:
        """What the daemons of a balancer see as their files."""
        return Path(f"/proc/{inside(self.world, name, 'keepalived')}/root")

    def verdict(self, name: str) -> str:
        """What its watcher has told keepalived: 1 while it must leave the addresses."""
        return (self.root(name) / watch.VERDICT.lstrip("/")).read_text().strip()

    def push(self, name: str, stack: Stack) -> None:
        """The files of a stack, and HAProxy reloaded, as the agent does it."""
        lay(self.world, name, balancer_files(stack, name, self.site), executable(name))
        said = within(self.world, name, haproxy.RELOAD)
        assert said.returncode == 0, said.stderr

    def reload(self, name: str) -> None:
        """keepalived takes its new file."""
        os.kill(inside(self.world, name, "keepalived"), signal.SIGHUP)


class Looks:
    """Who has the addresses, all the time: no address on both at one moment."""

    def __init__(self, site: Site) -> None:
        self.site, self.both, self.backup, self.away = site, False, False, 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        last = time.monotonic()
        while not self._over.is_set():
            # One that moves while it is looked for is on the first one before, or after.
            before, other, after = (self.site.held(name) for name in ("lb-a", "lb-b", "lb-a"))
            self.both = self.both or bool(before & other & after)
            self.backup = self.backup or bool(other)
            if after == {VIP, MANAGEMENT} or other == {VIP, MANAGEMENT}:
                last = time.monotonic()
            self.away = max(self.away, time.monotonic() - last)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with World() as world:
        yield Site(world)


def test_a_second_balancer_takes_nothing_while_the_first_one_is_alone(site: Site) -> None:
    files = balancer_files(stack_of(), "lb-b", site.site, routes=False)
    with Looks(site) as looks:
        start_balancer(site.world, "lb-b", files)
        log = site.world.log("lb-b")
        until(lambda: "Startup complete" in log.read_text(), "keepalived has started", 20)
        time.sleep(6)

    assert not looks.backup
    assert looks.away < 1
    assert site.verdict("lb-b") == "1"


def test_the_first_one_becomes_one_of_a_pair_and_the_second_is_ready(site: Site) -> None:
    with Looks(site) as looks:
        site.push("lb-a", stack_of())
        for argv in (
            ("/lib/systemd/systemd-sysctl", haproxy.SYSCTL),
            ("mkdir", "-p", f"/run/{watch.RUNTIME}"),
        ):
            assert within(site.world, "lb-a", *argv).returncode == 0
        watch_again(site.world, "lb-a")
        verdict = site.root("lb-a") / watch.VERDICT.lstrip("/")
        until(verdict.exists, "the watcher of the legs runs", 10)
        assert within(site.world, "lb-a", keepalived.HANDOVER, "start").returncode == 0
        site.reload("lb-a")
        time.sleep(8)
        site.push("lb-b", stack_of())
        until(lambda: site.verdict("lb-b") == "0", "lb-b could take over", 10)
        time.sleep(8)
    print(f"from one to two: the addresses were away for {looks.away:.2f} s")

    assert not looks.both
    assert not looks.backup
    assert owner(site.world) == "lb-a"
    assert get(site.world, "cdn")[0]["status"] == 200


def test_the_second_one_takes_over_from_the_first(site: Site) -> None:
    with Looks(site) as looks:
        frozen = daemons(site.world, "lb-a", "haproxy")
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        until(lambda: owner(site.world) == "lb-b", "lb-b holds the addresses", 10)
        assert get(site.world, "cdn")[0]["status"] == 200
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        until(lambda: owner(site.world) == "lb-a", "lb-a has them back", 30)

    assert not looks.both


def test_a_pair_becomes_one_without_a_second_owner(site: Site) -> None:
    with Looks(site) as looks:
        (site.root("lb-a") / watch.CONFIG.lstrip("/")).unlink()
        # The agent stops the watcher, which says farewell, before it reloads keepalived.
        until(lambda: site.verdict("lb-b") == "1", "lb-b has heard the farewell", 10)
        assert within(site.world, "lb-a", keepalived.HANDOVER, "stop").returncode == 0
        site.push("lb-a", alone())
        site.reload("lb-a")
        time.sleep(8)
    print(f"from two to one: the addresses were away for {looks.away:.2f} s")

    assert not looks.both
    assert not looks.backup
    assert site.held("lb-a") == {VIP, MANAGEMENT}
    assert site.verdict("lb-b") == "1"
    assert get(site.world, "cdn")[0]["status"] == 200
    assert api(site.world, MANAGEMENT)["status"] == 200
