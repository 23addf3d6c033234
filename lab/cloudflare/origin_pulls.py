"""What the small Cloudflare shows at origins for a name: client certificates and their names.

Paths, fields and limits are those of Cloudflare's API reference ("Origin TLS Client Auth",
hostnames). It documents no codes for what it refuses here; these are the lab's own.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from lab.cloudflare.errors import ApiError, answer, body_of
from lab.cloudflare.state import Json, new_id, now

MOST_CERTIFICATES = 10
"""Of a zone."""
MOST_NAMES = 100
"""Of a certificate."""
_HIDDEN = "private_key"


class OriginPulls:
    """The handlers. `zone_of` finds the zone of a request, `save` keeps what was changed."""

    def __init__(self, zone_of: Callable[[web.Request], Json], save: Callable[[], None]) -> None:
        self._zone_of = zone_of
        self._save = save

    def routes(self, zone: str) -> list[web.RouteDef]:
        """The routes below the path of a zone."""
        names = f"{zone}/origin_tls_client_auth/hostnames"
        certificates = f"{names}/certificates"
        return [
            web.get(certificates, self._list),
            web.post(certificates, self._take),
            web.get(f"{certificates}/{{certificate}}", self._get),
            web.delete(f"{certificates}/{{certificate}}", self._delete),
            web.put(names, self._associate),
            web.get(f"{names}/{{hostname}}", self._association),
        ]

    def _kept(self, request: web.Request) -> Json:
        kept: Json = self._zone_of(request).setdefault(
            "origin_pulls", {"certificates": {}, "hostnames": {}}
        )
        return kept

    def _certificate(self, request: web.Request) -> tuple[Json, str]:
        kept, key = self._kept(request), request.match_info["certificate"]
        if key not in kept["certificates"]:
            raise ApiError(404, 1551, "certificate not found")
        return kept, key

    async def _list(self, request: web.Request) -> web.StreamResponse:
        return answer([_shown(each) for each in self._kept(request)["certificates"].values()])

    async def _get(self, request: web.Request) -> web.StreamResponse:
        kept, key = self._certificate(request)
        return answer(_shown(kept["certificates"][key]))

    async def _take(self, request: web.Request) -> web.StreamResponse:
        kept, given = self._kept(request), await body_of(request)
        if len(kept["certificates"]) >= MOST_CERTIFICATES:
            raise ApiError(400, 1552, f"a zone has {MOST_CERTIFICATES} hostname certificates")
        key = new_id()
        made = {"id": key, **_read(str(given.get("certificate")), str(given.get(_HIDDEN)))}
        kept["certificates"][key] = made
        self._save()
        return answer(_shown(made))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        kept, key = self._certificate(request)
        users = [name for name, each in kept["hostnames"].items() if each["cert_id"] == key]
        if users:
            raise ApiError(409, 1553, f"the certificate is shown for {', '.join(users)}")
        gone = kept["certificates"].pop(key)
        self._save()
        return answer({**_shown(gone), "status": "pending_deletion"})

    async def _associate(self, request: web.Request) -> web.StreamResponse:
        kept, given = self._kept(request), await body_of(request)
        zone = self._zone_of(request)["name"]
        fresh = dict(kept["hostnames"])
        for row in given.get("config") or []:
            name, key = str(row.get("hostname")), str(row.get("cert_id"))
            if name != zone and not name.endswith(f".{zone}"):
                raise ApiError(400, 1554, f"{name} is not a name of the zone {zone}")
            if row.get("enabled") is None:
                fresh.pop(name, None)
                continue
            if key not in kept["certificates"]:
                raise ApiError(404, 1551, "certificate not found")
            fresh[name] = {"cert_id": key, "enabled": bool(row["enabled"]), "updated_at": now()}
        most = max((_users(fresh, key) for key in kept["certificates"]), default=0)
        if most > MOST_NAMES:
            raise ApiError(400, 1555, f"a certificate is shown for {MOST_NAMES} names at most")
        kept["hostnames"] = fresh
        self._save()
        return answer([_associated(kept, name) for name in fresh])

    async def _association(self, request: web.Request) -> web.StreamResponse:
        kept, name = self._kept(request), request.match_info["hostname"]
        if name not in kept["hostnames"]:
            raise ApiError(404, 1556, "no certificate is shown for this name")
        return answer(_associated(kept, name))


def _users(hostnames: Json, key: str) -> int:
    return sum(each["cert_id"] == key for each in hostnames.values())


def _shown(certificate: Json) -> Json:
    return {key: value for key, value in certificate.items() if key != _HIDDEN}


def _associated(kept: Json, name: str) -> Json:
    association = kept["hostnames"][name]
    certificate = _shown(kept["certificates"][association["cert_id"]])
    return {
        "hostname": name,
        "cert_id": certificate.pop("id"),
        "cert_status": certificate.pop("status"),
        "cert_uploaded_on": certificate.pop("uploaded_on"),
        "status": "active",
        **certificate,
        **association,
    }


def _read(pem: str, key: str) -> Json:
    """A leaf and the key it was made with, as they are kept."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        leaf = x509.load_pem_x509_certificate(pem.encode())
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ApiError(400, 1557, "the certificate or its key cannot be read") from error
    if leaf.public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        raise ApiError(400, 1558, "the key is not the certificate's")
    try:
        authority = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        authority = False
    if authority:
        raise ApiError(400, 1559, "an authority's certificate cannot be shown: upload a leaf")
    return {
        "certificate": pem,
        _HIDDEN: key,
        "expires_on": leaf.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "issuer": leaf.issuer.rfc4514_string(),
        "serial_number": str(leaf.serial_number),
        "signature": leaf.signature_algorithm_oid._name,
        "status": "active",
        "uploaded_on": now(),
    }
