"""The API over HTTP."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Network, IPv6Network

from aiohttp import web

from lab.cloudflare import records
from lab.cloudflare.errors import ApiError, answer, body_of
from lab.cloudflare.origin_pulls import OriginPulls
from lab.cloudflare.rulesets import Rulesets
from lab.cloudflare.state import Json, State, new_id, now, right

PREFIX = "/client/v4"
VALIDITIES = (7, 30, 90, 365, 730, 1095, 5475)
"""Days an origin CA certificate may be asked for."""
REQUEST_TYPES = ("origin-rsa", "origin-ecc", "keyless-certificate")
_PUBLIC = (f"{PREFIX}/ips", "/origin-ca.pem")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """The handlers. `token` is the one API token that is let in."""

    def __init__(
        self, state: State, token: str, ranges: Sequence[IPv4Network | IPv6Network]
    ) -> None:
        self._state = state
        self._token = token
        self._ranges = ranges

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(middlewares=[self._guard])
        zone = f"{PREFIX}/zones/{{zone}}"
        app.add_routes(
            [
                web.get("/origin-ca.pem", self._authority),
                web.get(f"{PREFIX}/ips", self._ips),
                web.get(f"{PREFIX}/user/tokens/verify", self._verify),
                web.get(f"{PREFIX}/zones", self._zones),
                web.get(zone, self._zone),
                web.get(f"{zone}/dns_records", self._list_records),
                web.post(f"{zone}/dns_records", self._create_record),
                web.get(f"{zone}/dns_records/{{record}}", self._get_record),
                web.put(f"{zone}/dns_records/{{record}}", self._put_record),
                web.patch(f"{zone}/dns_records/{{record}}", self._patch_record),
                web.delete(f"{zone}/dns_records/{{record}}", self._delete_record),
                web.get(f"{zone}/settings/{{setting}}", self._get_setting),
                web.patch(f"{zone}/settings/{{setting}}", self._patch_setting),
                web.post(f"{PREFIX}/certificates", self._create_certificate),
                web.get(f"{PREFIX}/certificates", self._list_certificates),
                web.get(f"{PREFIX}/certificates/{{certificate}}", self._get_certificate),
                web.delete(f"{PREFIX}/certificates/{{certificate}}", self._revoke_certificate),
                *OriginPulls(self._known_zone, self._state.save).routes(zone),
                *Rulesets(self._known_zone, self._state.save).routes(zone),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path not in _PUBLIC:
                self._authenticate(request)
            return await handler(request)
        except ApiError as error:
            return error.response()
        except web.HTTPNotFound:
            return ApiError(404, 7000, "No route for that URI").response()
        except web.HTTPMethodNotAllowed:
            text = f"{request.method} method not allowed for the api_token authentication scheme"
            return ApiError(405, 10405, text).response()

    def _authenticate(self, request: web.Request) -> None:
        header = request.headers.get("Authorization", "")
        if not header:
            raise ApiError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ApiError(400, 6003, "Invalid request headers")
        if not hmac.compare_digest(token.strip().encode(), self._token.encode()):
            raise ApiError(403, 9109, "Invalid access token")

    # -- addresses, tokens, zones

    async def _authority(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=self._state.authority, content_type="application/x-pem-file")

    async def _ips(self, request: web.Request) -> web.StreamResponse:
        return answer(
            {
                "ipv4_cidrs": [str(net) for net in self._ranges if net.version == 4],
                "ipv6_cidrs": [str(net) for net in self._ranges if net.version == 6],
                "etag": "lab",
            }
        )

    async def _verify(self, request: web.Request) -> web.StreamResponse:
        return answer({"id": "lab", "status": "active"})

    async def _zones(self, request: web.Request) -> web.StreamResponse:
        name = request.query.get("name")
        found = [
            _zone(key, zone)
            for key, zone in self._state.zones.items()
            if name is None or zone["name"] == name
        ]
        return answer(found)

    async def _zone(self, request: web.Request) -> web.StreamResponse:
        return answer(_zone(request.match_info["zone"], self._known_zone(request)))

    def _known_zone(self, request: web.Request) -> Json:
        key = request.match_info["zone"]
        zone = self._state.zones.get(key)
        if zone is None:
            raise ApiError(
                404,
                7003,
                f"Could not route to {request.path.removeprefix('/client/v4')}, perhaps your "
                "object identifier is invalid?",
            )
        return zone

    # -- records

    async def _list_records(self, request: web.Request) -> web.StreamResponse:
        zone = self._known_zone(request)
        # `name.exact` is the present name of what was `name`.
        wanted = {
            key: request.query[given]
            for key in ("name", "type", "content")
            for given in (key, f"{key}.exact")
            if given in request.query
        }
        found = [
            records.shown(key, record, request.match_info["zone"], zone)
            for key, record in zone["records"].items()
            if all(str(record.get(field)) == value for field, value in wanted.items())
        ]
        return answer(found)

    async def _create_record(self, request: web.Request) -> web.StreamResponse:
        zone = self._known_zone(request)
        record = records.checked(await body_of(request), zone, own=None)
        key = new_id()
        record |= {"created_on": now(), "modified_on": now()}
        zone["records"][key] = record
        self._state.save()
        return answer(records.shown(key, record, request.match_info["zone"], zone))

    def _record(self, request: web.Request) -> tuple[str, Json, Json]:
        zone = self._known_zone(request)
        key = request.match_info["record"]
        if key not in zone["records"]:
            raise ApiError(404, 81044, "Record does not exist.")
        return key, zone["records"][key], zone

    async def _get_record(self, request: web.Request) -> web.StreamResponse:
        key, record, zone = self._record(request)
        return answer(records.shown(key, record, request.match_info["zone"], zone))

    async def _put_record(self, request: web.Request) -> web.StreamResponse:
        return await self._write_record(request, keep=False)

    async def _patch_record(self, request: web.Request) -> web.StreamResponse:
        return await self._write_record(request, keep=True)

    async def _write_record(self, request: web.Request, *, keep: bool) -> web.StreamResponse:
        key, old, zone = self._record(request)
        given = await body_of(request)
        fresh = records.checked({**old, **given} if keep else given, zone, own=key)
        zone["records"][key] = fresh | {"created_on": old["created_on"], "modified_on": now()}
        self._state.save()
        return answer(records.shown(key, zone["records"][key], request.match_info["zone"], zone))

    async def _delete_record(self, request: web.Request) -> web.StreamResponse:
        key, _, zone = self._record(request)
        del zone["records"][key]
        self._state.save()
        return answer({"id": key})

    # -- zone settings

    def _setting(self, request: web.Request) -> tuple[str, Json]:
        zone = self._known_zone(request)
        name = request.match_info["setting"]
        if name not in zone["settings"]:
            raise ApiError(400, 1003, f"Undefined zone setting: {name}")
        return name, zone["settings"][name]

    async def _get_setting(self, request: web.Request) -> web.StreamResponse:
        name, setting = self._setting(request)
        return answer(_setting(name, setting))

    async def _patch_setting(self, request: web.Request) -> web.StreamResponse:
        name, setting = self._setting(request)
        given = await body_of(request)
        value = given.get("value")
        if not right(name, value):
            raise ApiError(400, 1007, f"Invalid value for zone setting {name}")
        setting |= {"value": value, "modified_on": now()}
        self._state.save()
        return answer(_setting(name, setting))

    # -- origin CA certificates

    async def _create_certificate(self, request: web.Request) -> web.StreamResponse:
        given = await body_of(request)
        hostnames = given.get("hostnames") or []
        days = int(given.get("requested_validity") or 5475)
        if not hostnames:
            raise ApiError(400, 1010, "The hostnames field is required.")
        if given.get("request_type") not in REQUEST_TYPES:
            raise ApiError(400, 1002, "request_type is not valid")
        if days not in VALIDITIES:
            raise ApiError(400, 1016, "requested_validity is not valid")
        try:
            pem, end = self._state.sign(str(given.get("csr") or ""), hostnames, days)
        except ValueError as error:
            raise ApiError(400, 1101, f"Unable to parse CSR: {error}") from error
        key = new_id()
        self._state.certificates[key] = {
            "id": key,
            "certificate": pem,
            "csr": given["csr"],
            "hostnames": hostnames,
            "expires_on": end,
            "request_type": given["request_type"],
            "requested_validity": days,
        }
        self._state.save()
        return answer(self._state.certificates[key])

    def _certificate(self, request: web.Request) -> Json:
        found = self._state.certificates.get(request.match_info["certificate"])
        if found is None:
            raise ApiError(404, 1014, "Certificate not found")
        return found

    async def _list_certificates(self, request: web.Request) -> web.StreamResponse:
        return answer(list(self._state.certificates.values()))

    async def _get_certificate(self, request: web.Request) -> web.StreamResponse:
        return answer(self._certificate(request))

    async def _revoke_certificate(self, request: web.Request) -> web.StreamResponse:
        found = self._certificate(request)
        del self._state.certificates[found["id"]]
        self._state.save()
        return answer({"id": found["id"], "revoked_at": now()})


def _zone(key: str, zone: Json) -> Json:
    return {
        "id": key,
        "name": zone["name"],
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": [f"a.ns.{zone['name']}", f"b.ns.{zone['name']}"],
        "original_name_servers": [],
        "original_registrar": None,
        "original_dnshost": None,
        "created_on": zone["created_on"],
        "modified_on": zone["created_on"],
        "activated_on": zone["created_on"],
        "account": {"id": "0" * 32, "name": "lab"},
        "owner": {"id": "0" * 32, "type": "user", "name": "lab"},
        "permissions": ["#dns_records:edit", "#zone_settings:edit", "#ssl:edit"],
        "plan": {"id": "0" * 32, "name": "Free Website", "legacy_id": "free"},
    }


def _setting(name: str, setting: Json) -> Json:
    return {
        "id": name,
        "value": setting["value"],
        "editable": True,
        "modified_on": setting.get("modified_on"),
    }
