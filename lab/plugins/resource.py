"""What a provider plugin is written in: `Provider`, `Resource`, `Context` and their errors.

Resource code sees plain Python values: secrets are opened before a method is called and marked
again on the way out, whole numbers are ints, names are the SDK's wire names (camelCase), and what
is not known yet is `UNKNOWN` (in previews, and in `check`, only).

    class Record(Resource):
        token = "dns:index:Record"
        sdk = "pulumi_dns:Record"
        computed = frozenset({"recordId"})
        replace_on = frozenset({"zone", "options.kind", "disks[*].storage"})

        def create(self, ctx, inputs):
            answer = post(...)
            return Created(answer["id"], {"recordId": answer["id"]})
        ...

    if __name__ == "__main__":
        serve(DnsProvider())
"""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from lab.plugins.diffing import Diff, compare

Properties: TypeAlias = dict[str, Any]
Severity: TypeAlias = Literal["debug", "info", "warning", "error"]


def offline() -> bool:
    """Whether this is a preview that must reach nothing (`make preview`): a look-up then answers
    by itself, or returns `UNKNOWN` values, instead of calling an API."""
    return os.environ.get("LAYERED_CLOUD_OFFLINE") == "1"


class PluginError(Exception):
    """What the user reads as the resource's error; the text is shown as it is."""


class Cancelled(PluginError):
    """The user cancelled the run; raised by `Context.check`."""


class TimedOut(PluginError):
    """The resource's time (its custom timeout) is over."""


class CheckFailed(PluginError):
    """Inputs that are wrong. `reasons` maps a property path to what is wrong with it."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {reason}" for path, reason in reasons.items()))
        self.reasons = dict(reasons)


@dataclass(frozen=True, kw_only=True)
class Created:
    """A created resource: its id, and its computed outputs (inputs are added by the server)."""

    id: str
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReadResult:
    """A resource as it is. `inputs` are what its inputs would be if it had been made as it is
    now (drift shows as a difference to the program's inputs); None keeps those of the state."""

    id: str
    outputs: Properties
    inputs: Properties | None = None


class Logger(Protocol):
    """Where log lines go: the engine's Log service, or a test's list."""

    def __call__(self, message: str, *, severity: Severity, urn: str, ephemeral: bool) -> None: ...


@dataclass(kw_only=True)
class Context:
    """One call: which resource it is for, whether it is a preview, how long it may take."""

    urn: str = ""
    name: str = ""
    type: str = ""
    preview: bool = False
    timeout: float | None = None
    """Seconds, from the resource's `custom_timeouts`; None when the user set none."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    logger: Logger | None = None
    started: float = field(default_factory=time.monotonic)
    _on_cancel: list[Callable[[], None]] = field(default_factory=list)

    def log(self, message: str, severity: Severity = "info") -> None:
        """A line in the engine's log, under this resource. Never give it a secret."""
        if self.logger and message:
            self.logger(message, severity=severity, urn=self.urn, ephemeral=False)

    def status(self, message: str) -> None:
        """What the resource is doing at the moment, in the display's info column."""
        if self.logger and message:
            self.logger(message, severity="info", urn=self.urn, ephemeral=True)

    def check(self) -> None:
        """Raises `Cancelled` or, after the custom timeout, `TimedOut`."""
        if self.cancelled.is_set():
            raise Cancelled(f"{self.name or self.type}: cancelled")
        if self.timeout and time.monotonic() - self.started > self.timeout:
            raise TimedOut(f"{self.name or self.type}: not done in {self.timeout:g} s")

    def remaining(self, default: float) -> float:
        """Seconds left of the custom timeout, or `default` when the user set none; at least 0."""
        if not self.timeout:
            return default
        return max(0.0, self.timeout - (time.monotonic() - self.started))

    def on_cancel(self, action: Callable[[], None]) -> None:
        """Runs the action when the run is cancelled (at once if it already is), for example to
        close a socket that a call is blocked on."""
        self._on_cancel.append(action)
        if self.cancelled.is_set():
            action()

    def cancel(self) -> None:
        """Called by the server; sets `cancelled` and runs the `on_cancel` actions."""
        self.cancelled.set()
        for action in self._on_cancel:
            action()

    def pause(self, seconds: float) -> None:
        """Waits, unless cancelled or timed out (then raises as `check` does)."""
        self.cancelled.wait(seconds)
        self.check()


class Resource:
    """One resource type. Subclasses set the class variables and the methods; a method may be
    called from several threads at once for different resources, so keep no state in `self`
    beyond the provider's client."""

    token: ClassVar[str]
    """The type token, for example `command:remote:Command`."""
    sdk: ClassVar[str | None] = None
    """`module:Class` of the SDK's resource; its inputs are checked against that class's Args."""
    computed: ClassVar[frozenset[str]] = frozenset()
    """Outputs that are not inputs: unknown when a preview creates."""
    volatile: ClassVar[frozenset[str]] = frozenset()
    """Those of the outputs that any update may change: unknown when a preview updates."""
    replace_on: ClassVar[frozenset[str]] = frozenset()
    """Property paths whose change replaces. `*` stands for one name or index, a path stands for
    everything below it: `nodeName`, `initialization.userDataFileId`, `disks[*].datastoreId`."""
    ignore: ClassVar[frozenset[str]] = frozenset()
    """Property paths (same form) whose change is no change at all."""
    delete_before_replace: ClassVar[bool] = False
    """Whether the old one must go first, as when both would have the same name or id."""
    secrets: ClassVar[frozenset[str]] = frozenset()
    """Top-level properties that are secret whatever the inputs say."""
    derived: ClassVar[Mapping[str, frozenset[str]]] = {}
    """Output -> inputs it is made from: secret when one of them is secret, unknown in an
    update's preview when one of them changed."""
    stables: ClassVar[frozenset[str]] = frozenset()
    """Outputs that an update never changes."""

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """The inputs with defaults filled in. Called after the SDK's types were checked.
        `olds` is empty at first. Raises `CheckFailed`."""
        return news

    def diff(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Diff:
        """What changed between the old inputs and the new ones; `state` are the old outputs.
        Override to add to `super().diff(...)`: `diff.changes[path] = "update-replace"`."""
        return compare(
            olds, news, replace_on=self.replace_on, ignore=self.ignore,
            delete_before_replace=self.delete_before_replace,
        )  # fmt: skip

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """Makes it. Raises `PluginError`."""
        raise NotImplementedError

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """The live resource, None when it is gone. `state` and `inputs` are empty on import.
        The default believes the state."""
        return ReadResult(id=id, outputs=state, inputs=inputs or None)

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Changes it in place; returns the computed outputs (those left out keep their value)."""
        raise NotImplementedError

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        """Removes it; no error when it is gone already. `inputs` are those of the last update."""

    def preview_create(self, ctx: Context, inputs: Properties) -> Properties:
        """The outputs a preview shows for a creation: `computed` unknown unless returned here."""
        return {}

    def preview_update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Outputs that a preview of an update knows better than the default does."""
        return {}


Invoke: TypeAlias = Callable[[Context, Properties], Properties]


class Provider:
    """A provider: its configuration, resources and functions (invokes)."""

    name: ClassVar[str]
    """`command`: the NAME of pulumi-resource-NAME."""
    version: ClassVar[str]
    """The version of the real provider whose behaviour this follows."""
    config_sdk: ClassVar[str | None] = None
    """`module:Provider` of the SDK, for example `pulumi_cloudflare:Provider`."""
    config_secrets: ClassVar[frozenset[str]] = frozenset()
    config_replace_on: ClassVar[frozenset[str]] = frozenset()
    """Configuration paths whose change replaces the provider and so all its resources."""

    def __init__(self) -> None:
        self.config: Properties = {}

    def resources(self) -> Sequence[Resource]:
        """The resource types; asked once."""
        return ()

    def resource(self, token: str) -> Resource | None:
        """The resource type of a token: override when the tokens are an open set."""
        if not hasattr(self, "_by_token"):
            self._by_token = {each.token: each for each in self.resources()}
        return self._by_token.get(token)

    def invokes(self) -> Mapping[str, Invoke]:
        """Token of a function -> what answers it; arguments are never unknown."""
        return {}

    def invoke_sdk(self, token: str) -> str | None:
        """`module:function` of the SDK for a function's token, to check its arguments; or None."""
        return None

    def check_config(self, ctx: Context, news: Properties) -> Properties:
        """The configuration with defaults. Values that the SDK sends as JSON text are decoded
        already. Raises `CheckFailed`."""
        return news

    def diff_config(self, ctx: Context, olds: Properties, news: Properties) -> Diff:
        """What a change of configuration means."""
        return compare(olds, news, replace_on=self.config_replace_on)

    def configure(self, ctx: Context, config: Properties) -> None:
        """Takes the configuration (kept in `self.config` too). Raises `PluginError`."""

    def close(self) -> None:
        """The engine is done with the plugin: close clients, end threads."""
