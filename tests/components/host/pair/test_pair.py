"""A pair: who owns what, who is changed first, and when the owner is left alone."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address

import pytest

from components.host.pair import HEALTH_PORT, Pair, owner_guard


@dataclass(frozen=True)
class Member:
    name: str


@dataclass(frozen=True)
class Group:
    owner: str


A, B = Member("a"), Member("b")
MINE = Group("a")
PAIR = Pair(members=(A, B), vips=(MINE,))
ALONE = Pair(members=(A,), vips=(MINE,))


def test_who_owns_no_vip_is_changed_first() -> None:
    assert PAIR.rollout() == (B, A)
    assert Pair(members=(A, B), vips=(MINE, Group("b"))).rollout() == (A, B)
    assert ALONE.rollout() == (A,)


def test_the_owner_is_preferred_and_each_knows_the_other() -> None:
    assert PAIR.priority(MINE, "a") > PAIR.priority(MINE, "b")
    assert (PAIR.peer("a"), PAIR.peer("b"), ALONE.peer("a")) == (B, A, None)
    assert PAIR.member("b") == B
    with pytest.raises(KeyError, match="c"):
        PAIR.member("c")


def test_one_in_maintenance_is_preferred_to_nobody_and_its_peer_holds_what_it_owns() -> None:
    away = Pair(members=(A, B), vips=(MINE,), maintenance=frozenset({"a"}))

    assert away.priority(MINE, "a") < away.priority(MINE, "b")
    assert away.holder(MINE) == "b"
    assert away.rollout() == (A, B)
    assert PAIR.holder(MINE) == "a"


def test_nobody_gives_way_to_a_peer_that_is_not_there_or_in_maintenance_too() -> None:
    for members, names in (((A,), {"a"}), ((A, B), {"a", "b"})):
        pair = Pair(members=members, vips=(MINE,), maintenance=frozenset(names))
        assert (pair.drains("a"), pair.holder(MINE)) == (False, "a")
        assert pair.priority(MINE, "a") == PAIR.priority(MINE, "a")


def test_a_machine_without_a_peer_is_not_guarded() -> None:
    assert owner_guard([IPv4Address("192.0.2.1")], None) is None


def test_the_guard_watches_the_vips_and_asks_the_peer() -> None:
    guard = owner_guard([IPv4Address("192.0.2.1")], IPv4Address("192.0.2.3"))

    assert guard is not None
    assert guard.vips == ("192.0.2.1",)
    assert guard.probe[-2:] == ("192.0.2.3", str(HEALTH_PORT))


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ("healthy\n", 0, ""),
        ("keepalived.service is failed\n", 1, "127.0.0.1 says: keepalived.service is failed"),
        ("", 1, "127.0.0.1 says:"),
    ],
)
def test_the_peer_is_healthy_when_it_says_so_and_not_otherwise(
    answer: str, status: int, words: str
) -> None:
    guard = owner_guard([], IPv4Address("127.0.0.1"))
    assert guard is not None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(answer.encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        said = subprocess.run(
            [*guard.probe[:-1], port], capture_output=True, text=True, check=False, timeout=20
        )
        thread.join(timeout=5)

    assert said.returncode == status
    assert words in said.stderr


def test_a_peer_that_does_not_listen_is_not_healthy() -> None:
    guard = owner_guard([], IPv4Address("127.0.0.1"))
    assert guard is not None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused at once
        port = str(taken.getsockname()[1])

        said = subprocess.run(
            [*guard.probe[:-1], port],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
            env={**os.environ, "LC_ALL": "C"},
        )

    assert said.returncode == 1
    assert "Connection refused" in said.stderr
