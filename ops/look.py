"""One look at a stack that runs: every machine asked side by side, this one beside them."""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from ops.checks.kubernetes import HERE
from ops.checks.model import Check, Seen, questions
from ops.question import Answer, Question
from ops.site import Site
from ops.transport import WHOLE_SECONDS, access, ask_all

HERE_SECONDS = 10
"""Of each word of the API server's; all of them may take twice that."""
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
    with access(str(site.outputs["deploy_key"]), site.machines) as way:
        own = _begun(site)
        machines = ask_all(way, asked, seconds, redacted=redacted)
        return Seen(site=site, now=datetime.now(UTC), machines=machines, here=own())


def _begun(site: Site) -> Callable[[], dict[str, Answer]]:
    """Asks the API beside the machines. Who answers a byte now and then is not waited for."""
    endpoint = (site.outputs.get("api_endpoints") or {}).get("management")
    authority = _AUTHORITY.search(str(site.outputs.get("kubeconfig") or ""))
    if not endpoint or authority is None:
        return dict
    told: list[Answer] = []
    asking = threading.Thread(
        target=lambda: told.append(_here(str(endpoint), authority[1])), daemon=True
    )
    asking.start()
    last = time.monotonic() + 2 * HERE_SECONDS

    def answer() -> dict[str, Answer]:
        asking.join(max(0.0, last - time.monotonic()))
        late = Answer(
            status=124,
            out="",
            err=f"https://{endpoint}/readyz: no whole answer within {2 * HERE_SECONDS} s",
            seconds=2.0 * HERE_SECONDS,
        )
        return {HERE: told[0] if told else late}

    return answer


def _here(endpoint: str, authority: str) -> Answer:
    begun = time.monotonic()
    status, said, err = 0, "", ""
    try:
        context = ssl.create_default_context(cadata=base64.b64decode(authority).decode("ascii"))
        opener = urllib.request.build_opener(
            # Nobody's proxy has a way to the management network.
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context),
        )
        with opener.open(f"https://{endpoint}/readyz", timeout=HERE_SECONDS) as answer:
            said = answer.read(1000).decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException) as problem:
        status, err = 1, f"https://{endpoint}/readyz: {problem}"
    seconds = round(time.monotonic() - begun, 3)
    return Answer(status=status, out=said, err=err, seconds=seconds)
