"""What stands in the file of the routers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from settings.checks.routers_kind import KINDS
from settings.init.plan.machines import Maker, Row
from settings.init.questions.question import NONE, Answers, is_number, items_of
from settings.init.questions.routers import legs, names
from settings.models.routers import Routers

_BLANK: Final = "0" * 64


@dataclass(frozen=True, kw_only=True)
class RouterPlan:
    """Of the section `routers`; `kind` only where it is not the default one. `whole_seconds`: its
    adverts are a second apart, as such routers count."""

    kind: str | None
    physical: bool
    machines: list[Row]
    vips: list[Row]
    image: Row | None
    host_keys: dict[str, str]
    whole_seconds: bool
    bgp: Row | None


def routers(given: Answers, maker: Maker, vips: list[Row]) -> RouterPlan:
    """What the answers come to."""
    kind = given["routers"]
    asks = KINDS.get(kind, KINDS[_default()])
    called = names(given)
    machines = (
        [maker.machine(name, at, at, legs(given)) for at, name in enumerate(called)]
        if asks.virtual
        else _physical(given, maker)
    )
    return RouterPlan(
        kind=None if kind == _default() else kind,
        physical=not asks.virtual,
        machines=machines,
        vips=vips,
        image=_image(given["routers-image"]) if "routers-image" in given else None,
        host_keys=_host_keys(given) if not asks.virtual else {},
        whole_seconds=asks.appliance,
        bgp=bgp(given),
    )


def bgp(given: Answers) -> Row | None:
    """The section `routers.bgp`, if the routers speak it."""
    if given.get("asn", NONE) == NONE:
        return None
    said: Row = {"daemon": given["bgp-daemon"]} if "bgp-daemon" in given else {}
    said["asn"] = number_or_text(given["asn"])
    if upstream := _upstream(given):
        said["upstream"] = upstream
    if announced := items_of(given.get("announce", NONE)):
        said["announce"] = announced
    if speaks_inside(given):
        inside = {"asn": number_or_text(given["inside-asn"]), **_yes(given, "inside-password")}
        said["inside"] = {**inside, "bfd": given["inside-bfd"] == "yes"}
    return said


def speaks_inside(given: Answers) -> bool:
    """Whether the nodes speak BGP with the routers."""
    return given.get("inside-asn", NONE) != NONE


def upstream_addresses(given: Answers) -> list[str]:
    """Of the providers' routers."""
    return [each["address"] for each in _upstream(given)]


def number_or_text(text: str) -> Any:
    """The number that it says, or the text itself for the settings to refuse."""
    return int(text) if is_number(text) else text


def _upstream(given: Answers) -> list[Row]:
    passwords = items_of(given.get("upstream-passwords", NONE))
    with_bfd = items_of(given.get("upstream-bfd", NONE))
    rows: list[Row] = []
    for each in items_of(given.get("upstream", NONE)):
        name, _, session = each.partition("=")
        address, _, asn = session.partition(":")
        row: Row = {"name": name.strip(), "address": address.strip()}
        row["asn"] = number_or_text(asn.strip())
        row |= {"password": True} if row["name"] in passwords else {}
        row |= {"bfd": True} if row["name"] in with_bfd else {}
        rows.append(row)
    return rows


def _yes(given: Answers, name: str) -> Row:
    return {"password": True} if given.get(name) == "yes" else {}


def _physical(given: Answers, maker: Maker) -> list[Row]:
    addresses = items_of(given["router-addresses"])
    ports = items_of(given["router-interfaces"])
    interfaces = {leg: _at(ports, at) for at, leg in enumerate(legs(given))}
    return [
        maker.physical(name, _at(addresses, at), dict(interfaces))
        for at, name in enumerate(names(given))
    ]


def _host_keys(given: Answers) -> dict[str, str]:
    keys = items_of(given["router-keys"])
    return {name: _at(keys, at) for at, name in enumerate(names(given))}


def _at(items: list[str], index: int) -> str:
    return items[index] if index < len(items) else ""


def _image(url: str) -> Row:
    return {"url": url, "file_name": url.rpartition("/")[2], "sha256": _BLANK}


def _default() -> str:
    return str(Routers.model_fields["kind"].default)
