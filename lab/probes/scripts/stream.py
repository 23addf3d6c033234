"""A steady stream of requests, to see how long a failure is felt; standard library only.

Argument: {"address", "port", "host", "path", "interval" (seconds), "duration" (seconds),
"timeout" (seconds)}. A request that is still open does not delay the next one. Prints a JSON
object: {"sent", "failed", "outage" (longest time in seconds without a good answer between two
good ones), "errors": {text: count}}.
"""

import asyncio
import json
import sys
import time


async def ask(spec: dict) -> str:  # type: ignore[type-arg]
    """One request; empty when it was answered with 200, else what went wrong."""
    writer = None
    try:
        reader, writer = await asyncio.open_connection(spec["address"], spec["port"])
        writer.write(
            f"GET {spec['path']} HTTP/1.1\r\nHost: {spec['host']}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        line = (await reader.readline()).decode("latin-1").strip()
    except OSError as problem:
        return type(problem).__name__
    finally:
        if writer is not None:
            writer.close()
    return "" if " 200" in line else (line or "closed without an answer")


async def main() -> None:
    """Send the stream the first argument asks for."""
    spec = json.loads(sys.argv[1])
    good: list = []  # type: ignore[type-arg]
    errors: dict = {}  # type: ignore[type-arg]

    async def one() -> None:
        try:
            problem = await asyncio.wait_for(ask(spec), spec["timeout"])
        except asyncio.TimeoutError:  # noqa: UP041
            problem = "timeout"
        if problem:
            errors[problem] = errors.get(problem, 0) + 1
        else:
            good.append(time.monotonic())

    started = time.monotonic()
    tasks = []
    while time.monotonic() - started < spec["duration"]:
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(spec["interval"])
    await asyncio.gather(*tasks)
    moments = sorted([started, *good])
    gaps = [after - before for before, after in zip(moments, moments[1:])]  # noqa: B905, RUF007
    if moments[-1] < started + spec["duration"] - 2 * spec["interval"]:
        gaps.append(started + spec["duration"] - moments[-1])
    print(
        json.dumps(
            {
                "sent": len(tasks),
                "failed": sum(errors.values()),
                "outage": round(max(gaps, default=0.0), 3),
                "errors": errors,
            }
        )
    )


asyncio.run(main())
