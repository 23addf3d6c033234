"""What visitors are shown when nobody answers."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from settings.models.base import FileText, Hostname, Strict, Unit, fault


def _a_page(text: str) -> str:
    if re.fullmatch(r"\s*[^\s<]{0,200}(/[^\s<]{0,200}|\.html?)\s*", text):
        raise fault("is a path, and no page", "write the page itself: html: | and its lines below")
    return text


class MaintenancePage(Strict):
    """A page of the balancers' own, with status 503."""

    html: Annotated[FileText, Field(min_length=1), AfterValidator(_a_page)]
    """The whole page, UTF-8. It stands alone: what it refers to on the same host is not answered
    either."""
    retry_after: Annotated[int, Unit("seconds")] = Field(default=120, ge=1, le=86_400)
    """When a client may ask again (Retry-After: RFC 9110, section 10.2.3)."""
    hosts: list[Hostname] = Field(default_factory=list)
    """Hosts that are answered with it now, whatever their services do; `*` covers one label. The
    question of an ACME server is passed on all the same."""
