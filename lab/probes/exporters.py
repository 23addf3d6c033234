"""Where the machines' figures are read (Prometheus text format)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from lab.probes.result import promise
from lab.probes.world import World


def read_on_management(world: World) -> str:
    """Every address of the output `exporters` gives figures to the management network, and no
    neighbour finds its port on the LAN."""
    told: dict[str, list[str]] = dict(world.outputs.get("exporters") or {})
    urls = [url for listed in told.values() for url in listed]
    promise(bool(urls), "the stack's output `exporters` names none")
    counts = {url: figures(url, world.ask("runner", "get", _question(url))[0]) for url in urls}
    asker = world.role("router")[0]
    found = []
    for port in sorted({urlsplit(url).port or 80 for url in urls}):
        having = [name for name in told if any(urlsplit(u).port == port for u in told[name])]
        others = [str(world.machines[name].lan) for name in having if name != asker]
        question = {"addresses": others, "ports": [(port, port)], "timeout": 1.0}
        found += world.ask(asker, "scan", question)
    promise(not found, f"{asker} reaches them on the LAN: {found}")
    return f"{len(urls)} exporters of {len(told)} machines, {sum(counts.values())} figures"


def _question(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    where = {"address": parts.hostname, "port": parts.port, "host": parts.netloc}
    return {**where, "path": parts.path, "raw": True, "timeout": 10}


def figures(url: str, answer: dict[str, Any]) -> int:
    """How many samples an answer has; raises `Broken` for one that has none."""
    said = answer["error"] or f"status {answer['status']}"
    promise(answer["status"] == 200, f"{url}: {said}")
    lines = str(answer.get("text", "")).splitlines()
    count = sum(1 for line in lines if line and not line.startswith("#"))
    promise(count > 0, f"{url}: answers, and has no figures")
    return count
