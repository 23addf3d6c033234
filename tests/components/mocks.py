"""A Pulumi engine for component tests: it records what a program registers, and answers.

    stack = run_program(lambda: HostConfiguration("lb-a", args))
    push = stack.one("command:remote:Command", "lb-a")
    assert push.parent.endswith("::lb-a")

`run_program` gives every program its own event loop, waits for everything it started and raises
what it raised, failing asserts inside an `apply` included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import AsyncMock, MagicMock, patch

import pulumi
from pulumi.output import Unknown
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.stack import run_pulumi_func, wait_for_rpcs

STACK, PROJECT = "lab", "layered-cloud"
TERM = "2027-01-02T03:04:05Z"
"""When every certificate that a stack signs itself ends."""


@dataclass(frozen=True)
class Registration:
    """One resource as the engine was asked to make it. Secrets in `inputs` are unwrapped; the
    top-level names of inputs that were, or contain, a secret are in `secret_inputs`."""

    type: str
    name: str
    urn: str
    custom: bool
    parent: str
    inputs: Mapping[str, Any]
    secret_inputs: frozenset[str]
    dependencies: frozenset[str]
    deleted_with: str
    replace_with: tuple[str, ...]
    protect: bool
    delete_before_replace: bool
    retain_on_delete: bool
    additional_secret_outputs: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    aliases: tuple[str, ...]
    provider: str
    custom_timeouts: Mapping[str, str]
    on_error: tuple[str, ...]
    version: str
    before_update: tuple[str, ...]
    before_create: tuple[str, ...]


@dataclass
class Registered:
    """Everything a program registered, in order, and the outputs its components declared."""

    resources: list[Registration] = field(default_factory=list)
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Registered outputs of each component, by URN; the stack's own under its URN."""
    invokes: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    value: Any = None
    """What the program returned, with every output in it resolved and unwrapped."""

    def of_type(self, type_: str) -> list[Registration]:
        return [one for one in self.resources if one.type == type_]

    def one(self, type_: str, name: str) -> Registration:
        """The one resource of this type and name; says what there is when there is none."""
        found = [one for one in self.of_type(type_) if one.name == name]
        assert len(found) == 1, (
            f"{len(found)} resources {type_} named {name!r}; of that type there are "
            f"{[one.name for one in self.of_type(type_)]}"
        )
        return found[0]

    def names(self, type_: str) -> list[str]:
        return [one.name for one in self.of_type(type_)]


def _unwrap(value: Any) -> Any:
    """`value` without its secret wrappers; an unknown becomes `None`."""
    if rpc.is_rpc_secret(value):
        return _unwrap(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {key: _unwrap(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_unwrap(inner) for inner in value]
    if isinstance(value, Unknown):
        return None
    return value


def _holds_secret(value: Any) -> bool:
    if rpc.is_rpc_secret(value):
        return True
    if isinstance(value, Mapping):
        return any(_holds_secret(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_secret(inner) for inner in value)
    return False


Answer = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]
"""(type, name, inputs) to the output properties; they are laid over the inputs."""
Invoke = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class Engine(mocks.Mocks):
    """Answers every resource with its inputs, an id `NAME-id`, and what `answer` adds."""

    def __init__(self, answer: Answer | None, invoke: Invoke | None) -> None:
        self.answer = answer
        self.invoke = invoke
        self.seen = Registered()

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        outputs = dict(args.inputs)
        if args.typ == "command:remote:Command":
            outputs |= {"stdout": f"stdout of {args.name}", "stderr": ""}
        if args.typ == "tls:index/selfSignedCert:SelfSignedCert":
            outputs |= {"validityEndTime": TERM}
        if self.answer is not None:
            outputs |= self.answer(args.typ, args.name, _unwrap(args.inputs))
        return (f"{args.name}-id" if args.custom else ""), outputs

    def call(self, args: mocks.MockCallArgs) -> dict[Any, Any]:  # type: ignore[override]
        plain = _unwrap(args.args)
        self.seen.invokes.append((args.token, plain))
        return dict(self.invoke(args.token, plain)) if self.invoke else {}


class Monitor(mocks.MockMonitor):
    """The SDK's mock monitor, writing down what each request asks of the engine."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.engine = engine

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        response = super().RegisterResource(request)
        inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
        self.engine.seen.resources.append(
            Registration(
                type=request.type,
                name=request.name,
                urn=response.urn,
                custom=request.custom,
                parent=request.parent,
                inputs=_unwrap(inputs),
                secret_inputs=frozenset(k for k, v in inputs.items() if _holds_secret(v)),
                dependencies=frozenset(request.dependencies),
                deleted_with=request.deletedWith,
                replace_with=tuple(request.replace_with),
                protect=request.protect,
                delete_before_replace=request.deleteBeforeReplace,
                retain_on_delete=request.retainOnDelete,
                additional_secret_outputs=tuple(request.additionalSecretOutputs),
                ignore_changes=tuple(request.ignoreChanges),
                replace_on_changes=tuple(request.replaceOnChanges),
                aliases=tuple(str(alias) for alias in request.aliases),
                provider=request.provider,
                custom_timeouts={
                    verb: getattr(request.customTimeouts, verb)
                    for verb in ("create", "update", "delete")
                    if getattr(request.customTimeouts, verb)
                },
                on_error=tuple(request.hooks.on_error),
                version=request.version,
                before_update=tuple(request.hooks.before_update),
                before_create=tuple(request.hooks.before_create),
            )
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self.engine.seen.outputs[request.urn] = _unwrap(
            rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        )
        return super().RegisterResourceOutputs(request)


def _unserved(**_: Any) -> MagicMock:
    """In place of the server that an engine calls a program's hooks by: nobody calls here. gRPC's
    own has one poller for a process, and takes the process down when servers of several event
    loops, one a program, come and go."""
    server = MagicMock(start=AsyncMock(), stop=AsyncMock())
    server.add_insecure_port.return_value = 0
    return server


def run_program(
    program: Callable[[], Any],
    *,
    answer: Answer | None = None,
    invoke: Invoke | None = None,
    preview: bool = False,
    config: Mapping[str, str] | None = None,
) -> Registered:
    """Run `program` against the recording engine and return what it registered.

    `config` holds flat keys with their namespace (`layered-cloud:environment`). In a `preview`
    the ids are unknown, as with the real engine.
    """
    engine = Engine(answer, invoke)
    monitor = Monitor(engine)
    asyncio.set_event_loop(asyncio.new_event_loop())
    settings.set_root_resource(None)
    mocks.set_mocks(engine, project=PROJECT, stack=STACK, preview=preview, monitor=monitor)
    for key, value in (config or {}).items():
        pulumi.runtime.set_config(key, value)

    async def whole() -> None:
        result = pulumi.Output.from_input(program())
        await wait_for_rpcs()
        engine.seen.value = await result.future(with_unknowns=True)

    loop = asyncio.get_event_loop()
    settings.SETTINGS.rpc_manager.clear()
    settings.SETTINGS.outputs.clear()
    try:
        with patch("pulumi.runtime._callbacks.aio.server", _unserved):
            loop.run_until_complete(run_pulumi_func(lambda: loop.create_task(whole())))
    except BaseException:
        # One failure is raised; the futures that share it must not each print it again, whenever
        # they are collected (inside another test's `ast.parse`, which does not survive that).
        loop.set_exception_handler(lambda _loop, _context: None)
        raise
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
        asyncio.set_event_loop(None)
    return engine.seen
