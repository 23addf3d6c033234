"""The kinds of CDN a stack can choose (`cdn.kind`), one file each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from components.cdn.kind import Kind, Secrets
from components.cdn.listed import Listed
from components.cdn.straight import Straight
from settings.models import Cdn as CdnSettings


def _cloudflare(settings: CdnSettings, secrets: Secrets) -> Kind:
    """Cloudflare, whose SDK takes seconds to import: a stack without it does not pay them."""
    from components.cdn.cloudflare import Cloudflare

    return Cloudflare(settings, secrets)


KINDS: Mapping[str, Callable[[CdnSettings, Secrets], Kind]] = {
    "cloudflare": _cloudflare,
    "listed": Listed,
    "fastly": Listed,
    "none": Straight,
}
"""By the setting's value."""
