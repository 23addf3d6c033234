"""TCP connect scan; standard library only, arguments as one JSON object.

Argument: {"addresses": [...], "ports": [[first, last], ...], "timeout" (seconds), "parallel"}.
Prints a JSON list of the [address, port] pairs that accepted a connection.
"""

import asyncio
import json
import sys


async def accepts(gate: asyncio.Semaphore, address: str, port: int, timeout: float) -> bool:
    """Whether a connection to the port is accepted within `timeout` seconds."""
    async with gate:
        try:
            opening = asyncio.open_connection(address, port)
            _, writer = await asyncio.wait_for(opening, timeout)
        except (TimeoutError, OSError):
            return False
        writer.close()
        return True


async def scan(spec: dict) -> list:  # type: ignore[type-arg]
    """All open ports."""
    gate = asyncio.Semaphore(spec["parallel"])
    pairs = [
        (address, port)
        for address in spec["addresses"]
        for first, last in spec["ports"]
        for port in range(first, last + 1)
    ]
    found = await asyncio.gather(*(accepts(gate, a, p, spec["timeout"]) for a, p in pairs))
    return [list(pair) for pair, is_open in zip(pairs, found) if is_open]  # noqa: B905


def main() -> None:
    """Scan what the first argument asks for."""
    spec = {"timeout": 0.7, "parallel": 400, **json.loads(sys.argv[1])}
    print(json.dumps(asyncio.run(scan(spec))))


main()
