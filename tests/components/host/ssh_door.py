"""A door on loopback to the real sshd of a booted machine, one `sshd -i` a connection."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.components.host.booted import Booted


class SshDoor:
    """`port` on 127.0.0.1 leads to the machine; `cut` drops every session as a pulled cable."""

    def __init__(self, machine: Booted) -> None:
        self.machine = machine
        key = Ed25519PrivateKey.generate()
        self.private_key = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        ).decode()
        self.public_key = (
            key.public_key()
            .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
            .decode()
        )
        # The unit gave up for want of keys; it brings the directory that sshd -i needs.
        machine.sh("ssh-keygen -A && systemctl reset-failed ssh; systemctl restart ssh")
        machine.sh("mkdir -p /root/.ssh && chmod 700 /root/.ssh")
        machine.sh(f"echo '{self.public_key}' > /root/.ssh/authorized_keys")
        self.host_key = machine.sh("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")
        self.connections = 0
        self.closed = False
        self.refused = 0
        self._live: list[tuple[socket.socket, subprocess.Popen[bytes]]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.closed:
                self.refused += 1
                caller.close()
                continue
            with caller:
                process = subprocess.Popen(
                    [
                        *("nsenter", "--target", str(self.machine.init), "--all", "--wd=/"),
                        *("/usr/sbin/sshd", "-i", "-o", "UsePAM=no"),
                    ],
                    stdin=caller,
                    stdout=caller,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            self._live.append((caller, process))

    def cut(self) -> None:
        """End every session that is open, without a word to either side."""
        for _, process in self._live:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._live.clear()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        self.cut()
