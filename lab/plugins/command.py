"""The `command` provider: `remote:Command` and `local:Command` as pulumi-command 1.2.1 has them.

`create` runs once; a change of any input runs `update`, or `create` again when there is none;
`delete` runs in the end. A change of `triggers` replaces. The connection is secret; stdout and
stderr are not, whatever the inputs are: who runs a command that prints a secret says so with
`additional_secret_outputs`, here as with the real provider.

Not supported, and refused by name: `connection.proxy`; `archivePaths` and `assetPaths`.
"""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

import json
import os
import secrets as random
import subprocess
import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from lab.plugins.connection import DEFAULTS
from lab.plugins.server import (
    UNKNOWN,
    CheckFailed,
    Context,
    Created,
    PluginError,
    Properties,
    Provider,
    Resource,
    serve,
)


def _logs(inputs: Mapping[str, Any], stream: str) -> bool:
    return inputs.get("logging", "stdoutAndStderr") in (stream, "stdoutAndStderr")


def _previous(inputs: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, str]:
    """The output of the last run, for the environment of the next one."""
    if inputs.get("addPreviousOutputInEnv") is False:
        return {}
    names = {"PULUMI_COMMAND_STDOUT": "stdout", "PULUMI_COMMAND_STDERR": "stderr"}
    return {name: state[output] for name, output in names.items() if state.get(output)}


class _Command(Resource):
    """What both kinds of command share; `_run` does the work."""

    computed: ClassVar[frozenset[str]] = frozenset({"stdout", "stderr"})
    volatile: ClassVar[frozenset[str]] = frozenset({"stdout", "stderr"})
    replace_on: ClassVar[frozenset[str]] = frozenset({"triggers"})

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """Runs `create`, if any."""
        outputs = {"stdout": "", "stderr": ""}
        if inputs.get("create") is not None:
            outputs = self._run(ctx, inputs["create"], inputs, {})
        return Created(id=f"{ctx.name}{random.token_hex(4)}", outputs=outputs)

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Runs `update`, else `create`, if any."""
        command = news["update"] if news.get("update") is not None else news.get("create")
        return {} if command is None else self._run(ctx, command, news, state)

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        """Runs `delete`, if any, as the last update left it."""
        if state.get("delete") is not None:
            self._run(ctx, state["delete"], state, state)

    def _run(
        self, ctx: Context, command: str, inputs: Mapping[str, Any], state: Mapping[str, Any]
    ) -> Properties:
        raise NotImplementedError


class RemoteCommand(_Command):
    """A command on a host over SSH."""

    token = "command:remote:Command"  # noqa: S105
    sdk = "pulumi_command.remote:Command"
    secrets: ClassVar[frozenset[str]] = frozenset({"connection"})

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """Fills in the connection's defaults."""
        connection = news.get("connection")
        if connection is UNKNOWN or not isinstance(connection, dict):
            return news
        if connection.get("proxy") is not None:
            raise CheckFailed(
                {"connection.proxy": "the stand-in plugin does not connect through a proxy"}
            )
        return {**news, "connection": {**DEFAULTS, **connection}}

    def _run(
        self, ctx: Context, command: str, inputs: Mapping[str, Any], state: Mapping[str, Any]
    ) -> Properties:
        # SSH takes half a second of CPU to import, and most runs push nothing.
        from lab.plugins import command_ssh

        job = command_ssh.Run(
            command=command,
            stdin=inputs.get("stdin") or "",
            environment=inputs.get("environment") or {},
            optional_environment=_previous(inputs, state),
            log_stdout=_logs(inputs, "stdout"),
            log_stderr=_logs(inputs, "stderr"),
        )
        done = command_ssh.run(ctx, inputs["connection"], job)
        return {"stdout": done.stdout, "stderr": done.stderr}


class LocalCommand(_Command):
    """A command on the machine Pulumi runs on, through /bin/sh."""

    token = "command:local:Command"  # noqa: S105
    sdk = "pulumi_command.local:Command"

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """Refuses what is not supported."""
        refused = {
            name: "the stand-in plugin does not collect files"
            for name in ("archivePaths", "assetPaths")
            if news.get(name) is not None
        }
        if refused:
            raise CheckFailed(refused)
        return news

    def _run(
        self, ctx: Context, command: str, inputs: Mapping[str, Any], state: Mapping[str, Any]
    ) -> Properties:
        interpreter = inputs.get("interpreter") or ["/bin/sh", "-c"]
        process = subprocess.Popen(
            [*interpreter, command],
            cwd=inputs.get("dir"),
            env=os.environ | _previous(inputs, state) | (inputs.get("environment") or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        ctx.on_cancel(process.terminate)
        chunks: list[bytes] = []
        lock = threading.Lock()
        collected: dict[str, list[bytes]] = {"stdout": [], "stderr": []}

        def pump(stream: str) -> None:
            pipe = process.stdout if stream == "stdout" else process.stderr
            assert pipe is not None
            for line in pipe:
                with lock:
                    chunks.append(line)
                    collected[stream].append(line)
                if _logs(inputs, stream):
                    ctx.status(line.decode(errors="replace").removesuffix("\n"))

        pumps = [threading.Thread(target=pump, args=(stream,)) for stream in collected]
        for each in pumps:
            each.start()
        assert process.stdin is not None
        try:
            process.stdin.write((inputs.get("stdin") or "").encode())
            process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            status = process.wait(ctx.remaining(0.0) if ctx.timeout else None)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        for each in pumps:
            each.join()
        ctx.check()
        if status != 0:
            shown = f"signal: {-status}" if status < 0 else f"exit status {status}"
            said = b"".join(chunks).decode(errors="replace")
            raise PluginError(
                f"{shown}: running {json.dumps(command, ensure_ascii=False)}:\n{said}"
            )
        return {
            stream: b"".join(lines).decode(errors="replace").removesuffix("\n")
            for stream, lines in collected.items()
        }


class CommandProvider(Provider):
    """The provider; it has no configuration."""

    name = "command"
    version = "1.2.1"
    config_sdk = "pulumi_command:Provider"

    def resources(self) -> tuple[Resource, ...]:
        """Both commands."""
        return (RemoteCommand(), LocalCommand())


if __name__ == "__main__":
    serve(CommandProvider())
