"""A machine with an SSH server, on loopback, that runs what it is told in a shell."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from typing import Any

import asyncssh


class SshHost:
    """Starts with `start`; `environment` are the variables its server accepts."""

    def __init__(self, *, accepts: frozenset[str] = frozenset()) -> None:
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.accepts = accepts
        self.connections = 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: asyncssh.SSHAcceptor | None = None
        self._live: list[asyncssh.SSHServerConnection] = []

    @property
    def public_key(self) -> str:
        return self.host_key.export_public_key().decode()

    @property
    def private_key(self) -> str:
        return self.client_key.export_private_key().decode()

    def connection(self, **more: Any) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "privateKey": self.private_key,
            "hostKey": self.public_key,
            "dialErrorLimit": 3,
            **more,
        }

    def start(self) -> None:
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self) -> None:
        owner = self

        class Server(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                owner.connections += 1
                owner._live.append(conn)

            def begin_auth(self, username: str) -> bool:
                return True

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
                wanted = owner.client_key.export_public_key()
                return username == "root" and key.export_public_key() == wanted

        self._server = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=Server,
            server_host_keys=[self.host_key],
            process_factory=self._run,
            encoding=None,
        )

    async def _run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        given = {
            str(key): str(value) for key, value in process.env.items() if str(key) in self.accepts
        }
        child = await asyncio.create_subprocess_shell(
            process.command or "true",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], **given},
            start_new_session=True,
        )
        assert child.stdin
        assert child.stdout
        assert child.stderr
        feeding = asyncio.ensure_future(_copy(process.stdin, child.stdin, end=True))
        try:
            await asyncio.gather(
                _copy(child.stdout, process.stdout), _copy(child.stderr, process.stderr)
            )
            status = await child.wait()
        finally:
            feeding.cancel()
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)  # its session is its own: start_new_session
                await child.wait()
        if status < 0:
            process.exit_with_signal("KILL")
        else:
            process.exit(status)

    def cut(self) -> None:
        """Ends every connection without a word, as a pulled cable."""

        def abort() -> None:
            for conn in self._live:
                conn._transport.abort()  # asyncssh has no public way to drop the socket

        self._loop.call_soon_threadsafe(abort)

    def stop(self) -> None:
        async def close() -> None:
            if self._server:
                self._server.close()
            for conn in self._live:
                conn.abort()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


async def _copy(source: Any, sink: Any, *, end: bool = False) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        if end:
            sink.close()
