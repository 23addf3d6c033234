"""One look at a stack that runs: every machine asked side by side, this one beside them."""

from __future__ import annotations

import base64
import re
import ssl
import time
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from ops.checks.kubernetes import HERE
from ops.checks.model import Check, Seen, questions
from ops.question import Answer, Question
from ops.site import Site
from ops.transport import WHOLE_SECONDS, access, ask_all

HERE_SECONDS = 10
_AUTHORITY = re.compile(r"certificate-authority-data:\s*([A-Za-z0-9+/=]+)")


def look(
    site: Site,
    checks: Sequence[Check],
    *,
    further: Mapping[str, Sequence[Question]] | None = None,
    seconds: float = WHOLE_SECONDS,
    redacted: bool = False,
) -> Seen:
    """Everything that these checks need, and `further` questions by machine. It takes `seconds` at
    most, however many machines do not answer. With `redacted` machines take their secrets out of
    what they answer."""
    applying = [each for each in checks if each.applies(site)]
    asked = {
        each.name: (
            each,
            [*questions(site, each, applying), *(further or {}).get(each.name, ())],
        )
        for each in site.machines
    }
    with (
        access(str(site.outputs["deploy_key"]), site.machines) as way,
        ThreadPoolExecutor(max_workers=1) as pool,
    ):
        own = pool.submit(_here, site)
        machines = ask_all(way, asked, seconds, redacted=redacted)
        return Seen(site=site, now=datetime.now(UTC), machines=machines, here=own.result())


def _here(site: Site) -> dict[str, Answer]:
    endpoint = (site.outputs.get("api_endpoints") or {}).get("management")
    authority = _AUTHORITY.search(str(site.outputs.get("kubeconfig") or ""))
    if not endpoint or authority is None:
        return {}
    begun = time.monotonic()
    status, said, err = 0, "", ""
    try:
        context = ssl.create_default_context(cadata=base64.b64decode(authority[1]).decode())
        opener = urllib.request.build_opener(
            # Nobody's proxy has a way to the management network.
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context),
        )
        with opener.open(f"https://{endpoint}/readyz", timeout=HERE_SECONDS) as answer:
            said = answer.read(1000).decode(errors="replace")
    except (OSError, ValueError) as problem:
        status, err = 1, f"https://{endpoint}/readyz: {problem}"
    seconds = round(time.monotonic() - begun, 3)
    return {HERE: Answer(status=status, out=said, err=err, seconds=seconds)}
