"""Between the provider's values and the protocol's messages."""

from __future__ import annotations

from typing import Any, NoReturn, TypeAlias

import grpc

from lab.plugins.diffing import Diff
from lab.plugins.protocol import provider_pb2
from lab.plugins.resource import (
    Cancelled,
    CheckFailed,
    PluginError,
    Properties,
    Resource,
    TimedOut,
)
from lab.plugins.wire import Path, Struct, conceal, encode, secret_paths

Request: TypeAlias = Any
Grpc: TypeAlias = Any
"""A `grpc.ServicerContext`; the package carries no types."""
_KINDS = {
    "add": provider_pb2.PropertyDiff.ADD,
    "add-replace": provider_pb2.PropertyDiff.ADD_REPLACE,
    "delete": provider_pb2.PropertyDiff.DELETE,
    "delete-replace": provider_pb2.PropertyDiff.DELETE_REPLACE,
    "update": provider_pb2.PropertyDiff.UPDATE,
    "update-replace": provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def abort(context: Grpc, error: PluginError) -> NoReturn:
    """Ends the call with the error's text. Of all codes only Internal, DataLoss and Unknown make
    the engine doubt its own state: none of these."""
    code = grpc.StatusCode.FAILED_PRECONDITION
    if isinstance(error, CheckFailed):
        code = grpc.StatusCode.INVALID_ARGUMENT
    elif isinstance(error, Cancelled):
        code = grpc.StatusCode.CANCELLED
    elif isinstance(error, TimedOut):
        code = grpc.StatusCode.DEADLINE_EXCEEDED
    context.abort(code, str(error) or type(error).__name__)
    raise AssertionError("abort returned")


def old_inputs(request: Request) -> Struct:
    """The old inputs; of an engine that does not send them, the old outputs that are inputs."""
    if request.HasField("old_inputs"):
        return request.old_inputs
    olds = encode({})
    for name, value in request.olds.fields.items():
        if name in request.news.fields:
            olds.fields[name].CopyFrom(value)
    return olds


def kept_only(properties: Properties) -> Properties:
    """The properties that have a value."""
    return {key: value for key, value in properties.items() if value is not None}


def mark(resource: Resource, properties: Properties, *sources: Properties) -> Properties:
    """The properties with secrets marked: the resource's own, those whose source was secret, and
    outputs made from a secret input."""
    paths: set[Path] = {(name,) for name in resource.secrets}
    for source in sources:
        for path in secret_paths(source):
            paths.add(path if _has(properties, path) else path[:1])
    secret_names = {path[0] for source in sources[:1] for path in secret_paths(source)}
    for output, inputs in resource.derived.items():
        if secret_names & inputs:
            paths.add((output,))
    return dict(conceal(kept_only(properties), paths))


def _has(value: Any, path: Path) -> bool:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def failures(failed: CheckFailed) -> list[provider_pb2.CheckFailure]:
    """The failures of a check, as messages."""
    return [
        provider_pb2.CheckFailure(property=path, reason=reason)
        for path, reason in failed.reasons.items()
    ]


def diff_response(diff: Diff) -> provider_pb2.DiffResponse:
    """A diff as the message: the kinds by path, and whether anything replaces."""
    answers = provider_pb2.DiffResponse
    response = provider_pb2.DiffResponse(
        changes=answers.DIFF_SOME if diff.changes else answers.DIFF_NONE,
        hasDetailedDiff=True,
        deleteBeforeReplace=diff.delete_before_replace and bool(diff.replaces),
        replaces=diff.replaces,
        diffs=sorted({path.split(".")[0].split("[")[0] for path in diff.changes}),
    )
    for path, kind in diff.changes.items():
        response.detailedDiff[path].kind = _KINDS[kind]
        response.detailedDiff[path].inputDiff = True
    return response
