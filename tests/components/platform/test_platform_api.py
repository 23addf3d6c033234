"""Whether a cluster's API answers: asked for a bounded time, and only when something is updated."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from components.platform.api import ASKED_SECONDS, PAUSE, answers, reachable
from tests.components.mocks import run_program
from tests.components.platform.fake_api import FakeApi

HELD_UP = 10.0
"""Seconds by which a dead cluster may hold up what comes before it in the chain."""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[FakeApi]:
    fake = FakeApi(tmp_path)
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


@pytest.fixture
def gone(api: FakeApi) -> str:
    """The kubeconfig of an API whose machine refuses every connection."""
    api.server.shutdown()
    api.server.server_close()
    return api.kubeconfig


class Balancer:
    """Takes every connection and ends it at once, as HAProxy does without a server. After
    `refusals` of them the next ones lead to the API."""

    def __init__(self, api: FakeApi, refusals: int) -> None:
        self.asked = 0
        self._refusals = refusals
        self._behind = ("127.0.0.1", api.server.server_address[1])
        self._socket = socket.create_server(("127.0.0.1", 0))
        port = self._socket.getsockname()[1]
        self.kubeconfig = api.kubeconfig.replace(f":{self._behind[1]}", f":{port}")
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self.asked += 1
            if self.asked > self._refusals:
                server = socket.create_connection(self._behind)
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()
            else:
                client.close()

    @staticmethod
    def _pass(one: socket.socket, other: socket.socket) -> None:
        try:
            while read := one.recv(4096):
                other.sendall(read)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        self._socket.close()


def test_an_api_that_says_anything_is_there(api: FakeApi) -> None:
    api.answer = 500
    assert answers(api.kubeconfig)
    assert api.seen == [("GET", "/version")]


def test_an_api_that_is_gone_is_asked_for_seconds_not_minutes(gone: str) -> None:
    started = time.monotonic()
    assert not answers(gone)
    assert time.monotonic() - started < HELD_UP


def test_a_balancer_without_a_control_plane_is_asked_for_seconds_not_minutes(
    api: FakeApi,
) -> None:
    balancer = Balancer(api, refusals=1000)
    try:
        started = time.monotonic()
        assert not answers(balancer.kubeconfig)
        assert time.monotonic() - started < HELD_UP
        assert 3 <= balancer.asked <= ASKED_SECONDS / PAUSE + 1
    finally:
        balancer.close()


def test_a_short_absence_is_none(api: FakeApi) -> None:
    api.answer = 200
    balancer = Balancer(api, refusals=3)
    try:
        assert answers(balancer.kubeconfig)
        assert balancer.asked == 4
    finally:
        balancer.close()


def test_what_is_no_kubeconfig_is_not_asked_and_waited_for() -> None:
    assert run_program(lambda: {"there": reachable("kubeconfig")}).value == {"there": True}


def test_a_preview_asks_nothing(gone: str) -> None:
    started = time.monotonic()
    seen = run_program(lambda: {"there": reachable(pulumi.Output.secret(gone))}, preview=True)
    assert seen.value == {"there": True}
    assert time.monotonic() - started < ASKED_SECONDS / 2


def test_an_update_asks(gone: str) -> None:
    seen = run_program(lambda: {"there": reachable(pulumi.Output.secret(gone))})
    assert seen.value == {"there": False}
