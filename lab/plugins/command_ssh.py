"""One command on one host over SSH, as the command provider runs it.

Retries, texts and defaults follow pulumi-command 1.2.1 (`provider/pkg/provider/remote`), with
three differences, each towards an error sooner: a wrong host key ends the attempts at once, a
dial's timeout covers the handshake too, and a connection that goes silent is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncssh

from lab.plugins.connection import DIAL_ERROR_LIMIT, PER_DIAL_TIMEOUT
from lab.plugins.resource import Cancelled, Context, PluginError, TimedOut

KEEPALIVE_SECONDS = 15
KEEPALIVE_MISSES = 4
_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Finished:
    """What a command that succeeded said, a last line feed taken off."""

    stdout: str
    stderr: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """One command to run. `optional_environment` may be refused by the server with a warning."""

    command: str
    stdin: str = ""
    environment: Mapping[str, str]
    optional_environment: Mapping[str, str]
    log_stdout: bool = True
    log_stderr: bool = True


class DialRefused(PluginError):
    """A connection that no further attempt would make."""


def run(ctx: Context, connection: Mapping[str, Any], job: Run) -> Finished:
    """Connects, runs the command and waits for its end.

    Raises `PluginError` with the command's exit status and output, `DialRefused` for a host key
    that is not the expected one, `Cancelled`, or `TimedOut` after the resource's custom timeout.
    """
    return asyncio.run(_guarded(ctx, connection, job))


async def _guarded(ctx: Context, connection: Mapping[str, Any], job: Run) -> Finished:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(_dial_and_run(ctx, connection, job))

    def cancel() -> None:
        # The engine may cancel after this loop has ended.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)

    ctx.on_cancel(cancel)
    doing = f"running {json.dumps(job.command)} on {connection['host']}"
    try:
        return await asyncio.wait_for(task, ctx.remaining(0.0) if ctx.timeout else None)
    except TimeoutError:
        raise TimedOut(f"{doing}: not done in {ctx.timeout:g} s (its custom timeout)") from None
    except asyncio.CancelledError:
        raise Cancelled(f"cancelled while {doing}") from None


async def _dial_and_run(ctx: Context, connection: Mapping[str, Any], job: Run) -> Finished:
    client = await dial(ctx, connection)
    try:
        return await _execute(ctx, client, job, str(connection["host"]))
    finally:
        client.abort()


async def dial(ctx: Context, connection: Mapping[str, Any]) -> asyncssh.SSHClientConnection:
    """A connection, after as many attempts as `dialErrorLimit` allows (-1: without end)."""
    options = _options(connection)
    host, port = str(connection["host"]), int(connection.get("port", 22))
    limit = int(connection.get("dialErrorLimit", DIAL_ERROR_LIMIT))
    shown = "inf" if limit == -1 else str(limit)
    attempt, delay = 0, 0.1
    while True:
        attempt += 1
        try:
            return await asyncssh.connect(host, port, **options)
        except asyncssh.HostKeyNotVerifiable as error:
            raise _wrong_host_key(host, port, connection, str(error)) from error
        except asyncssh.KeyExchangeFailed as error:
            if options["known_hosts"] and "host key" in str(error):
                raise _wrong_host_key(host, port, connection, str(error)) from error
            failure = str(error)
        except (OSError, asyncssh.Error) as error:
            failure = _reason(error)
        text = f"dial tcp {host}:{port}: {failure}"
        if limit > -1 and attempt > limit:
            raise PluginError(f"after {attempt - 1} failed attempts: {text}")
        ctx.status(f"Dial {attempt}/{shown} failed: retrying ({failure})")
        await asyncio.sleep(delay)
        delay = min(delay * 1.5, 5.0)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time (perDialTimeout)"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__


def _wrong_host_key(host: str, port: int, connection: Mapping[str, Any], words: str) -> DialRefused:
    expected = asyncssh.import_public_key(connection["hostKey"])
    return DialRefused(
        f"ssh: handshake failed: ssh: host key mismatch: {host}:{port} did not show the expected "
        f"{expected.get_algorithm()} key {expected.get_fingerprint()} ({words}). Not retried: "
        "either another machine answers at this address, or its host key was replaced"
    )


def _options(connection: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `asyncssh.connect`; nothing of the user's own SSH configuration is read."""
    timeout = connection.get("perDialTimeout", PER_DIAL_TIMEOUT)
    options: dict[str, Any] = {
        "username": connection.get("user", "root"),
        "config": None,
        "known_hosts": None,
        "client_keys": None,
        "agent_path": connection.get("agentSocketPath") or os.environ.get("SSH_AUTH_SOCK"),
        "gss_host": None,
        "x509_trusted_certs": None,
        "connect_timeout": timeout or None,
        "login_timeout": 0,
        "keepalive_interval": KEEPALIVE_SECONDS,
        "keepalive_count_max": KEEPALIVE_MISSES,
    }
    if connection.get("hostKey"):
        try:
            key = asyncssh.import_public_key(connection["hostKey"])
        except asyncssh.KeyImportError as error:
            raise DialRefused(f"failed to parse host key: {error}") from error
        options["known_hosts"] = ([key], [], [])
        algorithm = key.get_algorithm()
        options["server_host_key_algs"] = list(_RSA) if algorithm == "ssh-rsa" else [algorithm]
    if connection.get("privateKey"):
        try:
            private = asyncssh.import_private_key(
                connection["privateKey"], connection.get("privateKeyPassword")
            )
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            raise DialRefused(f"failed to parse private key: {error}") from error
        options["client_keys"] = [private]
    if connection.get("password"):
        options["password"] = connection["password"]
    return options


async def _execute(
    ctx: Context, client: asyncssh.SSHClientConnection, job: Run, host: str
) -> Finished:
    environment = await _accepted(ctx, client, job)
    out = bytearray()
    err = bytearray()
    both = bytearray()
    try:
        process = await client.create_process(job.command, env=environment, encoding=None)
        pump_out = _pump(process.stdout, (out, both), ctx.status if job.log_stdout else None)
        pump_err = _pump(process.stderr, (err, both), ctx.status if job.log_stderr else None)
        await asyncio.gather(pump_out, pump_err, _feed(process.stdin, job.stdin.encode()))
        await process.wait_closed()
    except (OSError, asyncssh.Error) as error:
        raise _lost(job.command, host, _reason(error), both) from error
    text = f"running {json.dumps(job.command, ensure_ascii=False)}:\n{_text(both)}"
    if process.exit_signal:
        name = process.exit_signal[0]
        raise PluginError(f"Process exited with signal {name}: {text}")
    if process.exit_status is None:
        raise _lost(job.command, host, "the connection ended before the command did", both)
    if process.exit_status != 0:
        raise PluginError(f"Process exited with status {process.exit_status}: {text}")
    return Finished(_text(out).removesuffix("\n"), _text(err).removesuffix("\n"))


def _lost(command: str, host: str, reason: str, output: bytearray) -> PluginError:
    return PluginError(
        f"lost the connection to {host} ({reason}) while running "
        f"{json.dumps(command, ensure_ascii=False)}; whether it finished there is not known. "
        f"Its output so far:\n{_text(output)}"
    )


async def _accepted(
    ctx: Context, client: asyncssh.SSHClientConnection, job: Run
) -> Mapping[str, str]:
    """The variables that the server takes (sshd's AcceptEnv): a server drops others silently, so
    a first session looks which arrive."""
    wanted = {**job.optional_environment, **job.environment}
    if not wanted:
        return {}
    names = [name for name in wanted if _NAME.fullmatch(name)]
    probe = "; ".join(f'test -n "${{{name}+set}}" && echo {name}' for name in names) + "; true"
    answer = await client.run(f"sh -c '{probe}'", env={name: wanted[name] for name in names})
    arrived = set(str(answer.stdout).split())
    for name in wanted:
        if name in arrived:
            continue
        why = (
            f"Unable to set '{name}'. This only works if your SSH server is configured to accept "
            "these variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command "
            "on the remote host, you could prefix the command itself with the variables in the "
            "form 'VAR=value command'"
        )
        if name in job.environment:
            raise PluginError(f'could not set environment variable "{name}": {why}')
        ctx.log(why, "warning")
    return {name: wanted[name] for name in wanted if name in arrived}


async def _feed(stream: asyncssh.SSHWriter[bytes], data: bytes) -> None:
    # A command need not read its input: its exit status says whether that was wrong.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for start in range(0, len(data), 65536):
            stream.write(data[start : start + 65536])
            await stream.drain()
        stream.write_eof()


async def _pump(
    stream: asyncssh.SSHReader[bytes],
    sinks: tuple[bytearray, ...],
    show: Callable[[str], None] | None,
) -> None:
    loop = asyncio.get_running_loop()
    line = b""
    while chunk := await stream.read(65536):
        for sink in sinks:
            sink.extend(chunk)
        if show:
            *complete, line = (line + chunk).split(b"\n")
            for each in complete:
                await loop.run_in_executor(None, show, each.decode(errors="replace"))
    if show and line:
        await loop.run_in_executor(None, show, line.decode(errors="replace"))


def _text(data: bytearray) -> str:
    return bytes(data).decode(errors="replace")
