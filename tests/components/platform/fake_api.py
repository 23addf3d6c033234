"""The cluster's API as far as the program asks it itself."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.components import certificates


class FakeApi:
    """Secrets over TLS, for a client that shows a certificate. `seen` are the requests."""

    def __init__(self, directory: Path) -> None:
        self.secrets: list[dict[str, Any]] = []
        self.seen: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.answer: int | None = None
        self.server_pem = certificates.self_signed("127.0.0.1")
        self.client_pem = certificates.self_signed("admin")
        api = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def _said(self, code: int, document: Any) -> None:
                body = json.dumps(document).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                api.seen.append(("GET", self.path))
                if api.answer is not None:
                    return self._said(api.answer, {"message": "secrets is forbidden"})
                selector = parse_qs(urlsplit(self.path).query)["labelSelector"]
                assert selector == ["owner=helm,name=cilium"]
                return self._said(200, {"items": api.secrets})

            def do_DELETE(self) -> None:
                api.seen.append(("DELETE", self.path))
                api.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._said(200, {})

        files = {"server": self.server_pem, "client": self.client_pem}
        for name, text in files.items():
            (directory / name).write_text(text)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "server")
        context.load_verify_locations(directory / "client")
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def kubeconfig(self) -> str:
        certificate, _, key = self.client_pem.partition("-----BEGIN PRIVATE KEY-----")
        key = f"-----BEGIN PRIVATE KEY-----{key}"

        def packed(text: str) -> str:
            return base64.b64encode(text.encode()).decode()

        return yaml.safe_dump(
            {
                "current-context": "admin@lab",
                "contexts": [
                    {"name": "other", "context": {"cluster": "no", "user": "no"}},
                    {"name": "admin@lab", "context": {"cluster": "lab", "user": "admin"}},
                ],
                "clusters": [
                    {
                        "name": "lab",
                        "cluster": {
                            "server": f"https://127.0.0.1:{self.server.server_address[1]}",
                            "certificate-authority-data": packed(self.server_pem),
                        },
                    }
                ],
                "users": [
                    {
                        "name": "admin",
                        "user": {
                            "client-certificate-data": packed(certificate),
                            "client-key-data": packed(key),
                        },
                    }
                ],
            }
        )
