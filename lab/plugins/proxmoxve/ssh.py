"""SSH to a Proxmox host: the only way a snippet gets onto a datastore."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Mapping
from typing import Any

import asyncssh

from lab.plugins.server import Context, PluginError

CONNECT_SECONDS = 10.0
CONNECT_WITHIN = 60.0
TRANSFER_SECONDS = 120.0
RETRY_SECONDS = 1.0


class Nodes:
    """SSH to the cluster's nodes.

    A node's host key is learnt at the first connection and must stay the same, as the provider
    has it; here for the life of the plugin, and not in the user's own known_hosts.

    Args:
        ssh: the provider's `ssh` block.
        lookup: finds a node's address when the block does not name it.
    """

    def __init__(self, ssh: Mapping[str, Any], lookup: Callable[[str], str]) -> None:
        self._ssh = ssh
        self._lookup = lookup
        self._known: dict[tuple[str, int], asyncssh.SSHKey] = {}

    def write(self, ctx: Context, node: str, path: str, data: bytes, mode: str | None) -> None:
        """Write a file on a node, check its size, and set its mode (octal text) if given.

        Raises:
            PluginError: no connection, another host key than before, or the node's own words.
        """
        host, port = self._address(node)

        def attempt() -> bool | None:
            try:
                asyncio.run(self._write(host, port, path, data, mode))
            except asyncssh.PermissionDenied as error:
                raise PluginError(
                    f"unable to authenticate user {self._user!r} over SSH to {host}:{port}: "
                    f"{error.reason}; is the key in ssh.privateKey authorized on the node?"
                ) from error
            except asyncssh.HostKeyNotVerifiable as error:
                raise PluginError(
                    f"{error.reason}; the host key of {node} ({host}:{port}) changed since the "
                    "last connection: another machine answers at its address"
                ) from error
            except asyncssh.SFTPError as error:
                raise PluginError(
                    f"{error.reason} (error transferring file to {node}:{path})"
                ) from error
            except (OSError, asyncssh.Error) as error:
                ctx.status(f"dial {host}:{port}: {error}; trying again")
                return None
            return True

        what = f"SSH to node {node} ({host}:{port})"
        ctx.poll(attempt, what=what, every=RETRY_SECONDS, within=CONNECT_WITHIN)

    async def _write(self, host: str, port: int, path: str, data: bytes, mode: str | None) -> None:
        known = self._known.get((host, port))
        connection = await asyncssh.connect(
            host,
            port,
            username=self._user,
            config=None,
            client_keys=self._keys(),
            password=self._ssh.get("password"),
            agent_path=self._ssh.get("agentSocket") if self._ssh.get("agent") else None,
            known_hosts=([known], [], []) if known else None,
            connect_timeout=CONNECT_SECONDS,
        )
        async with connection:
            key = connection.get_server_host_key()
            if key is not None:
                self._known.setdefault((host, port), key)
            command = f"/usr/bin/tee {shlex.quote(path)} >/dev/null"
            done = await connection.run(
                command, input=data, encoding=None, timeout=TRANSFER_SECONDS
            )
            if done.exit_status:
                said = done.stderr or b""
                words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
                raise PluginError(f"{words.strip()}\n(error transferring file to {host}:{path})")
            async with connection.start_sftp_client() as sftp:
                size = (await sftp.stat(path)).size
                if size != len(data):
                    raise PluginError(
                        f"failed to upload file {path}: uploaded {size} bytes, "
                        f"expected {len(data)} bytes"
                    )
                if mode:
                    await sftp.chmod(path, int(mode, 8))

    @property
    def _user(self) -> str:
        return str(self._ssh.get("username") or "root")

    def _address(self, node: str) -> tuple[str, int]:
        for entry in self._ssh.get("nodes") or []:
            if entry["name"] == node:
                return str(entry["address"]), int(entry.get("port") or 22)
        return self._lookup(node), 22

    def _keys(self) -> list[asyncssh.SSHKey] | None:
        text = self._ssh.get("privateKey")
        if not text:
            return None
        try:
            return [asyncssh.import_private_key(str(text))]
        except asyncssh.KeyImportError as error:
            raise PluginError(
                f"ssh.privateKey: {error}; give an unencrypted private key"
            ) from error
