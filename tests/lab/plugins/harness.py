"""Talks the ResourceProvider protocol to a plugin in this process, as the engine would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from lab.plugins.resource import Provider, Severity
from lab.plugins.server import UNKNOWN, Secret, start
from lab.plugins.wire import decode, encode


class CallFailed(Exception):
    """The plugin refused. `code` is the gRPC code."""

    def __init__(self, error: grpc.RpcError) -> None:
        super().__init__(error.details())
        self.code: grpc.StatusCode = error.code()


@dataclass
class State:
    """A resource as the engine's checkpoint has it: checked inputs and outputs, secrets wrapped
    in `Secret`."""

    token: str
    name: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]

    @property
    def urn(self) -> str:
        return urn(self.token, self.name)


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:test::test::{token}::{name}"


@dataclass
class DiffSeen:
    """A diff's answer: kind by property path (`update-replace` and so on)."""

    changes: dict[str, str]
    replaces: list[str]
    delete_before_replace: bool

    @property
    def nothing(self) -> bool:
        return not self.changes


@dataclass
class Harness:
    """A client of one plugin. Values go in and come out as Python's, secrets as `Secret`."""

    stub: Any
    log: list[tuple[Severity, str, bool]] = field(default_factory=list)
    """Lines the plugin logged: severity, text, ephemeral."""

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self.stub, method)(request, timeout=120)
        except grpc.RpcError as error:
            raise CallFailed(error) from error

    def configure(self, token: str = "", **config: Any) -> None:
        """CheckConfig then Configure; values that are not strings go as JSON text, as SDKs do."""
        values = {
            key: value if isinstance(value, str | Secret) else json.dumps(value)
            for key, value in config.items()
        }
        where = "urn:pulumi:test::test::pulumi:providers:p::default"
        answer = self._call(
            "CheckConfig", provider_pb2.CheckRequest(urn=where, news=encode(values))
        )
        if answer.failures:
            raise AssertionError({each.property: each.reason for each in answer.failures})
        self._call(
            "Configure", provider_pb2.ConfigureRequest(args=answer.inputs, acceptSecrets=True)
        )

    def check(
        self, token: str, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None,
        name: str = "thing",
    ) -> tuple[dict[str, Any], dict[str, str]]:  # fmt: skip
        """The checked inputs, and the failures by property."""
        answer = self._call(
            "Check",
            provider_pb2.CheckRequest(
                urn=urn(token, name), name=name, type=token,
                olds=encode(olds or {}), news=encode(news),
            ),
        )  # fmt: skip
        return decode(answer.inputs), {each.property: each.reason for each in answer.failures}

    def checked(self, token: str, news: Mapping[str, Any], name: str = "thing") -> dict[str, Any]:
        inputs, failures = self.check(token, news, name=name)
        assert not failures, failures
        return inputs

    def create(
        self, token: str, news: Mapping[str, Any], *, name: str = "thing", preview: bool = False,
        timeout: float = 0.0,
    ) -> State:  # fmt: skip
        """Check, then Create."""
        inputs = self.checked(token, news, name)
        answer = self._call(
            "Create",
            provider_pb2.CreateRequest(
                urn=urn(token, name), name=name, type=token, properties=encode(inputs),
                preview=preview, timeout=timeout,
            ),
        )  # fmt: skip
        return State(token, name, answer.id, inputs, decode(answer.properties))

    def diff(self, state: State, news: Mapping[str, Any]) -> DiffSeen:
        """Check, then Diff."""
        inputs = self.checked(state.token, news, state.name)
        answer = self._call(
            "Diff",
            provider_pb2.DiffRequest(
                id=state.id, urn=state.urn, name=state.name, type=state.token,
                olds=encode(state.outputs), old_inputs=encode(state.inputs), news=encode(inputs),
            ),
        )  # fmt: skip
        kinds = provider_pb2.PropertyDiff.Kind
        changes = {
            path: kinds.Name(value.kind).lower().replace("_", "-")
            for path, value in answer.detailedDiff.items()
        }
        expected = (
            provider_pb2.DiffResponse.DIFF_SOME if changes else provider_pb2.DiffResponse.DIFF_NONE
        )
        assert answer.changes == expected
        return DiffSeen(changes, list(answer.replaces), answer.deleteBeforeReplace)

    def update(
        self, state: State, news: Mapping[str, Any], *, preview: bool = False, timeout: float = 0.0
    ) -> State:
        """Check, then Update."""
        inputs = self.checked(state.token, news, state.name)
        answer = self._call(
            "Update",
            provider_pb2.UpdateRequest(
                id=state.id, urn=state.urn, name=state.name, type=state.token,
                olds=encode(state.outputs), old_inputs=encode(state.inputs), news=encode(inputs),
                preview=preview, timeout=timeout,
            ),
        )  # fmt: skip
        return State(state.token, state.name, state.id, inputs, decode(answer.properties))

    def read(self, state: State) -> State | None:
        """Read as a refresh does; None when the resource is gone."""
        answer = self._call(
            "Read",
            provider_pb2.ReadRequest(
                id=state.id, urn=state.urn, name=state.name, type=state.token,
                properties=encode(state.outputs), inputs=encode(state.inputs),
            ),
        )  # fmt: skip
        if not answer.id:
            return None
        return State(
            state.token, state.name, answer.id, decode(answer.inputs), decode(answer.properties)
        )

    def delete(self, state: State, *, timeout: float = 0.0) -> None:
        self._call(
            "Delete",
            provider_pb2.DeleteRequest(
                id=state.id, urn=state.urn, name=state.name, type=state.token,
                properties=encode(state.outputs), old_inputs=encode(state.inputs), timeout=timeout,
            ),
        )  # fmt: skip

    def construct(self, token: str, name: str = "thing") -> None:
        """As the engine has a plugin build a component (one that an SDK calls remote)."""
        self._call("Construct", provider_pb2.ConstructRequest(type=token, name=name))

    def invoke(self, token: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        answer = self._call(
            "Invoke", provider_pb2.InvokeRequest(tok=token, args=encode(arguments or {}))
        )
        if answer.failures:
            raise AssertionError({each.property: each.reason for each in answer.failures})
        return decode(getattr(answer, "return"))

    def cancel(self) -> None:
        self._call("Cancel", empty_pb2.Empty())


@contextmanager
def plugin(provider: Provider) -> Iterator[Harness]:
    """The provider served on loopback, and a client of it."""
    server, port, servicer = start(provider)
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    harness = Harness(provider_pb2_grpc.ResourceProviderStub(channel))
    lock = threading.Lock()

    def keep(message: str, *, severity: Severity, urn: str, ephemeral: bool) -> None:
        with lock:
            harness.log.append((severity, message, ephemeral))

    servicer.logger = keep
    try:
        yield harness
    finally:
        channel.close()
        server.stop(grace=0.1).wait()
        provider.close()


__all__ = ["UNKNOWN", "CallFailed", "DiffSeen", "Harness", "Secret", "State", "plugin", "urn"]
