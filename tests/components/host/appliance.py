"""An appliance with an SSH server, on loopback: it takes files by SFTP, reads no standard input
(RouterOS) or the text of a line (VyOS), and ends with status 0 whatever happened."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import asyncssh

Answer = Callable[[str, Path], str]
"""What a command line prints, given the folder of the appliance's files."""


class Appliance:
    """Runs from the start; `closed` lets nobody in any more, and calls `refuses` each time. `lines`
    are what it was told. One that `reads` puts what came on standard input into the file `INPUT`.
    """

    INPUT = "standard-input"

    def __init__(
        self, files: Path, answer: Answer, *, user: str = "layered", reads: bool = False
    ) -> None:
        self.files, self.answer, self.user, self.reads = files, answer, user, reads
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.private_key = self.client_key.export_private_key().decode()
        self.closed = False
        self.refuses: Callable[[], None] = lambda: None
        self.connections = 0
        self.lines: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port: int = self._server.get_port()

    @property
    def public_key(self) -> str:
        return self.host_key.export_public_key().decode().strip()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        owner = self

        class Server(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                owner.connections += 1
                if owner.closed:
                    conn.abort()
                    owner.refuses()

            def begin_auth(self, username: str) -> bool:
                return True

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
                wanted = owner.client_key.export_public_key()
                return username == owner.user and key.export_public_key() == wanted

        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Server,
            server_host_keys=[self.host_key],
            process_factory=self._run,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(self.files)),
        )

    async def _run(self, process: asyncssh.SSHServerProcess[str]) -> None:
        line = process.command or ""
        self.lines.append(line)
        if self.reads:
            (self.files / self.INPUT).write_text(await process.stdin.read(), "utf-8")
        process.stdout.write(self.answer(line, self.files).replace("\n", "\r\n"))
        process.exit(0)

    def stop(self) -> None:
        async def close() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
