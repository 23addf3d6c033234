"""The ResourceProvider service over a `Provider`: what the engine calls."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2

from lab.plugins import schema
from lab.plugins.protocol import plugin_pb2, provider_pb2, provider_pb2_grpc
from lab.plugins.resource import (
    CheckFailed,
    Context,
    Created,
    Logger,
    PluginError,
    Properties,
    Provider,
    Resource,
)
from lab.plugins.translate import (
    Grpc,
    Request,
    abort,
    diff_response,
    failures,
    kept_only,
    mark,
    old_inputs,
)
from lab.plugins.wire import UNKNOWN, conceal, decode, encode, reveal

_empty: Any = empty_pb2


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Translates the protocol; all behaviour is the provider's."""

    def __init__(self, provider: Provider, logger: Logger | None = None) -> None:
        self.provider = provider
        self.logger = logger
        self.connect: Callable[[str], None] = lambda address: None
        """Called with the engine's address when a handshake or attach names it."""
        self._contexts: dict[int, Context] = {}
        self._lock = threading.Lock()
        self._cancelled = False

    # -- the plugin itself

    def Handshake(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        self.connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=False, accept_outputs=False
        )

    def Attach(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        self.connect(request.address)
        return _empty.Empty()

    def GetPluginInfo(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=self.provider.version)

    def GetSchema(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        name, version = self.provider.name, self.provider.version
        return provider_pb2.GetSchemaResponse(schema=f'{{"name":"{name}","version":"{version}"}}')

    def GetMappings(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        return provider_pb2.GetMappingsResponse()

    def Cancel(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        self.cancel()
        return _empty.Empty()

    def cancel(self) -> None:
        """Ends what is under way, and whatever is asked from now on."""
        with self._lock:
            self._cancelled = True
            running = list(self._contexts.values())
        for each in running:
            each.cancel()

    # -- configuration

    def CheckConfig(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context) as ctx:
            raw = decode(request.news)
            try:
                self._config(ctx, raw)
            except CheckFailed as failed:
                return provider_pb2.CheckResponse(failures=failures(failed))
            concealed = conceal(raw, {(name,) for name in self.provider.config_secrets})
            return provider_pb2.CheckResponse(inputs=encode(kept_only(concealed)))

    def DiffConfig(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context) as ctx:
            olds = self._decoded(decode(old_inputs(request)))
            return diff_response(
                self.provider.diff_config(ctx, olds, self._decoded(decode(request.news)))
            )

    def Configure(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context) as ctx:
            raw: Properties = decode(request.args)
            if not raw and request.variables:
                raw = {key.rsplit(":", 1)[-1]: value for key, value in request.variables.items()}
            self.provider.config = self._config(ctx, raw)
            self.provider.configure(ctx, self.provider.config)
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
            )

    def _config(self, ctx: Context, raw: Properties) -> Properties:
        config = self._decoded(raw)
        if self.provider.config_sdk:
            wrong = schema.problems(self.provider.config_sdk, config, provider=True)
            if wrong:
                raise CheckFailed(wrong)
        return self.provider.check_config(ctx, config)

    def _decoded(self, raw: Properties) -> Properties:
        plain = reveal(raw)
        if not self.provider.config_sdk:
            return dict(plain)
        try:
            return schema.decode_config(self.provider.config_sdk, plain)
        except ValueError as error:
            raise PluginError(str(error)) from error

    # -- resources

    def Check(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context) as ctx:
            resource = self._resource(request.urn, request.type)
            raw = decode(request.news)
            news = reveal(raw)
            try:
                if resource.sdk:
                    wrong = schema.problems(resource.sdk, news)
                    if wrong:
                        raise CheckFailed(wrong)
                checked = resource.check(ctx, reveal(decode(request.olds)), dict(news))
            except CheckFailed as failed:
                return provider_pb2.CheckResponse(failures=failures(failed))
            return provider_pb2.CheckResponse(inputs=encode(mark(resource, checked, raw)))

    def Diff(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context) as ctx:
            resource = self._resource(request.urn, request.type)
            olds, news = reveal(decode(old_inputs(request))), reveal(decode(request.news))
            diff = resource.diff(ctx, request.id, reveal(decode(request.olds)), olds, news)
            response = diff_response(diff)
            response.stables.extend(sorted(resource.stables))
            return response

    def Create(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context) as ctx:
            resource = self._resource(request.urn, request.type)
            raw = decode(request.properties)
            inputs = reveal(raw)
            if request.preview:
                shown = {name: UNKNOWN for name in resource.computed if inputs.get(name) is None}
                shown |= resource.preview_create(ctx, dict(inputs))
                made = Created(id="", outputs=shown)
            else:
                made = resource.create(ctx, dict(inputs))
            outputs = mark(resource, {**inputs, **made.outputs}, raw)
            return provider_pb2.CreateResponse(id=made.id, properties=encode(outputs))

    def Update(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context) as ctx:
            resource = self._resource(request.urn, request.type)
            raw, raw_state = decode(request.news), decode(request.olds)
            news, state = reveal(raw), reveal(raw_state)
            olds = reveal(decode(old_inputs(request)))
            kept = {name: state[name] for name in resource.computed if name in state}
            if request.preview:
                changed = {key for key in {*olds, *news} if olds.get(key) != news.get(key)}
                for name in resource.computed:
                    if name in resource.volatile or resource.derived.get(name, set()) & changed:
                        kept[name] = UNKNOWN
                kept |= resource.preview_update(ctx, request.id, state, olds, dict(news))
            else:
                kept |= resource.update(ctx, request.id, state, olds, dict(news))
            outputs = mark(resource, {**news, **kept}, raw, raw_state)
            return provider_pb2.UpdateResponse(properties=encode(outputs))

    def Read(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context) as ctx:
            resource = self._resource(request.urn, request.type)
            raw_state, raw_inputs = decode(request.properties), decode(request.inputs)
            found = resource.read(ctx, request.id, reveal(raw_state), reveal(raw_inputs))
            if found is None:
                return provider_pb2.ReadResponse()
            inputs = reveal(raw_inputs) if found.inputs is None else found.inputs
            outputs = mark(resource, {**inputs, **found.outputs}, raw_inputs, raw_state)
            return provider_pb2.ReadResponse(
                id=found.id,
                properties=encode(outputs),
                inputs=encode(mark(resource, inputs, raw_inputs, raw_state)),
            )

    def Delete(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context) as ctx:
            resource = self._resource(request.urn, request.type)
            state = reveal(decode(request.properties))
            resource.delete(ctx, request.id, state, reveal(decode(request.old_inputs)))
            return _empty.Empty()

    def Invoke(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context) as ctx:
            function = self.provider.invokes().get(request.tok)
            if function is None:
                known = ", ".join(sorted(self.provider.invokes())) or "none"
                raise PluginError(f"{request.tok}: the stand-in plugin lacks it; it has {known}")
            try:
                arguments = reveal(decode(request.args))
                sdk = self.provider.invoke_sdk(request.tok)
                wrong = schema.function_problems(sdk, arguments) if sdk else {}
                if wrong:
                    raise CheckFailed(wrong)
                answer = function(ctx, arguments)
            except CheckFailed as failed:
                return provider_pb2.InvokeResponse(failures=failures(failed))
            return provider_pb2.InvokeResponse(**{"return": encode(kept_only(answer))})

    def Construct(self, request: Request, context: Grpc) -> Any:  # noqa: N802
        with self._call(request, context):
            self._resource("", request.type)
            raise PluginError(f"{request.type}: not a component, and so not built by the plugin")

    # -- helpers

    def _resource(self, urn: str, token: str) -> Resource:
        token = token or urn.split("::")[2].rsplit("$", 1)[-1]
        resource = self.provider.resource(token)
        if resource is None:
            raise PluginError(
                f"{token}: the stand-in plugin for {self.provider.name} lacks this resource type"
            )
        return resource

    @contextmanager
    def _call(self, request: Request, context: Grpc) -> Iterator[Context]:
        ctx = Context(
            urn=getattr(request, "urn", ""),
            name=getattr(request, "name", ""),
            type=getattr(request, "type", ""),
            preview=getattr(request, "preview", False),
            timeout=getattr(request, "timeout", 0.0) or None,
            logger=self.logger,
        )
        with self._lock:
            self._contexts[id(ctx)] = ctx
            cancelled = self._cancelled
        if cancelled:
            ctx.cancel()
        try:
            yield ctx
        except PluginError as error:
            abort(context, error)
        except Exception as error:
            # The engine keeps a plugin's stderr in its own log: the place for a defect's trace.
            traceback.print_exc(file=sys.stderr)
            context.abort(grpc.StatusCode.ABORTED, f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._contexts.pop(id(ctx), None)
