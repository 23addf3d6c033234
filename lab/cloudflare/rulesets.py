"""Rulesets of the small Cloudflare's zones: one a phase, written as a whole.

Paths and fields are those of Cloudflare's API reference ("Rulesets"), limits those of the Free
plan. Of the codes, 10003 and 20217 are Cloudflare's; those of other refusals are the lab's own.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from aiohttp import web

from lab.cloudflare.errors import ApiError, answer, body_of
from lab.cloudflare.state import Json, new_id, now

MOST = MappingProxyType(
    {"http_request_firewall_custom": 5, "http_ratelimit": 1, "http_request_cache_settings": 10}
)
"""Rules of a phase; others are not there."""
LONGEST = 4096
"""Characters of an expression."""
_OWN_FIELDS = ("name", "description", "kind", "phase")


class Rulesets:
    """The handlers. `zone_of` finds the zone of a request, `save` keeps what was changed."""

    def __init__(self, zone_of: Callable[[web.Request], Json], save: Callable[[], None]) -> None:
        self._zone_of = zone_of
        self._save = save

    def routes(self, zone: str) -> list[web.RouteDef]:
        """The routes below the path of a zone."""
        path = f"{zone}/rulesets"
        one = f"{path}/{{ruleset}}"
        return [
            web.get(path, self._list),
            web.post(path, self._create),
            web.get(f"{path}/phases/{{phase}}/entrypoint", self._entrypoint),
            web.get(one, self._get),
            web.put(one, self._put),
            web.delete(one, self._delete),
        ]

    def _kept(self, request: web.Request) -> Json:
        kept: Json = self._zone_of(request).setdefault("rulesets", {})
        return kept

    def _one(self, request: web.Request) -> tuple[Json, str]:
        kept, key = self._kept(request), request.match_info["ruleset"]
        if key not in kept:
            raise ApiError(404, 10000, f"could not find ruleset {key}")
        return kept, key

    async def _list(self, request: web.Request) -> web.StreamResponse:
        rows = self._kept(request).values()
        return answer([{key: row[key] for key in row if key != "rules"} for row in rows])

    async def _get(self, request: web.Request) -> web.StreamResponse:
        kept, key = self._one(request)
        return answer(kept[key])

    async def _entrypoint(self, request: web.Request) -> web.StreamResponse:
        phase = request.match_info["phase"]
        for each in self._kept(request).values():
            if each["phase"] == phase:
                return answer(each)
        raise ApiError(404, 10003, f'could not find entrypoint ruleset in the "{phase}" phase')

    async def _create(self, request: web.Request) -> web.StreamResponse:
        kept, given = self._kept(request), await body_of(request)
        if given.get("kind") != "zone" or given.get("phase") not in MOST:
            raise ApiError(400, 20101, "a zone has rulesets of kind zone in the phases it knows")
        if any(each["phase"] == given["phase"] for each in kept.values()):
            raise ApiError(
                400,
                20217,
                "'zone' is not a valid value for kind because exceeded maximum number of zone "
                f"rulesets for phase {given['phase']}",
            )
        key = new_id()
        kept[key] = _whole(key, given, {})
        self._save()
        return answer(kept[key])

    async def _put(self, request: web.Request) -> web.StreamResponse:
        kept, key = self._one(request)
        given = await body_of(request)
        for field in ("kind", "phase"):
            if given.get(field, kept[key][field]) != kept[key][field]:
                raise ApiError(400, 20102, f"{field} of a ruleset cannot be changed")
        kept[key] = _whole(key, given, kept[key])
        self._save()
        return answer(kept[key])

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        kept, key = self._one(request)
        del kept[key]
        self._save()
        return web.Response(status=204)


def _whole(key: str, given: Json, before: Json) -> Json:
    fresh = {field: given.get(field, before.get(field, "")) for field in _OWN_FIELDS}
    rules, most = given.get("rules") or [], MOST[str(fresh["phase"])]
    if len(rules) > most:
        raise ApiError(400, 20103, f"{fresh['phase']} has {most} rules on the plan Free")
    known = {each["ref"]: each["id"] for each in before.get("rules") or []}
    return {
        **fresh,
        "id": key,
        "version": str(int(before.get("version", 0)) + 1),
        "last_updated": now(),
        "rules": [_rule(each, known) for each in rules],
    }


def _rule(given: Json, known: Json) -> Json:
    expression = given.get("expression")
    if not expression or len(expression) > LONGEST:
        raise ApiError(400, 20127, "an expression has 1 to 4096 characters")
    if not given.get("action"):
        raise ApiError(400, 20104, "a rule has an action")
    rate = given.get("ratelimit")
    if rate is not None and "cf.colo.id" not in rate.get("characteristics", ()):
        raise ApiError(400, 20105, "missing cf.colo.id in characteristics")
    key = known.get(str(given.get("ref")), new_id())
    return {"enabled": True, "ref": key, **given, "id": key, "version": "1"}
