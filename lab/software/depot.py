"""The lab's depot: packages, the machine image, container images and charts over plain HTTP.

What a real site fetches from package repositories, registries and chart repositories, a machine
of the lab fetches here:

| path | what |
|---|---|
| /debian, /kubernetes, /containerd, /key.asc | apt repositories and their key |
| /images/NAME.tar, NAME.tar.sha256 | the machine image |
| /v2/ | container images (OCI distribution-spec, `?ns=` as containerd's mirrors send) |
| /charts/index.yaml, NAME-VERSION.tgz | Helm charts |

    python -m lab.software.depot --listen 192.0.2.4:80 --listen 198.18.0.4:80
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web

from lab.software.registry import Registry

PLAIN = ("debian", "kubernetes", "containerd", "images", "charts")
"""The folders of a depot's root that are served as they are."""


def _static(root: Path, name: str) -> web.RouteDef:
    """Files below one folder; no listing, nothing outside of it, nothing hidden."""
    top = (root / name).resolve()

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = request.match_info["path"]
        path = (top / asked).resolve()
        hidden = any(part.startswith(".") for part in Path(asked).parts)
        if hidden or not path.is_relative_to(top) or not path.is_file():
            raise web.HTTPNotFound(text=f"{request.path} is not in the depot\n")
        return web.FileResponse(path)

    return web.get(f"/{name}/{{path:.+}}", answer)


def application(root: Path) -> web.Application:
    """The depot over a root directory: the folders in `PLAIN`, `key.asc`, and `registry`."""
    app = web.Application()
    registry = Registry(root / "registry")
    key = (root / "key.asc").resolve()

    async def answer_key(request: web.Request) -> web.StreamResponse:
        del request
        return web.FileResponse(key, headers={"Content-Type": "application/pgp-keys"})

    async def health(request: web.Request) -> web.Response:
        del request
        return web.Response(text="ok\n")

    app.add_routes([web.get("/healthz", health), web.get("/key.asc", answer_key)])
    app.add_routes(registry.routes())
    app.add_routes([_static(root, name) for name in PLAIN])
    return app


async def serve(root: Path, listen: list[tuple[str, int]]) -> None:
    """Serve until SIGTERM or SIGINT; prints one line when every address is bound.

    Raises `OSError` when one cannot be.
    """
    runner = web.AppRunner(application(root), access_log=logging.getLogger("depot"))
    await runner.setup()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        for address, port in listen:
            await web.TCPSite(runner, address, port).start()
        print("depot ready on " + ", ".join(f"{a}:{p}" for a, p in listen), flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text}: give ADDRESS:PORT, as 192.0.2.4:80")
    return host, int(port)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m lab.software.depot", description=__doc__)
    parser.add_argument("--listen", type=_address, action="append", required=True)
    parser.add_argument("--root", type=Path, help="default: what the cache holds now")
    parser.add_argument("--log", action="store_true", help="log every request")
    options = parser.parse_args()
    if options.log:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    root = options.root
    if root is None:
        from lab.software.software import depot_item

        item = depot_item()
        if not item.ready:
            sys.exit("The depot is not filled yet. Next: python -m lab.software build")
        root = item.path
    asyncio.run(serve(root, options.listen))


if __name__ == "__main__":
    main()
