"""What the API was told, as the edge serves it. Pure: a state's JSON in, zones out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.edge.expressions import Condition, Unreadable, condition

FIREWALL = "http_request_firewall_custom"
CACHE = "http_request_cache_settings"
_ADDRESSES = ("A", "AAAA")


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record that leads past the edge, or to it: owner and rest of a line of a zone file."""

    name: str
    kind: str
    content: str
    priority: int | None = None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The certificate that the edge shows to origins for a name, and its key (PEM)."""

    certificate: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A rule of the cache: what it is about, and for how many seconds an answer is kept."""

    when: Condition
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Site:
    """A proxied name: `origins` are the contents of its records, A and AAAA."""

    name: str
    origins: Sequence[str]
    shown: Shown | None


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A zone as visitors meet it.

    Attributes:
        ssl: `off`, `flexible`, `full` or `strict`: how origins are called.
        min_tls: the oldest TLS version a visitor may speak.
        hsts: the value of Strict-Transport-Security, or none.
        blocked: requests that the firewall's rules end, with status 403.
        left_out: rules that this edge cannot act upon, each with the reason.
    """

    name: str
    sites: Sequence[Site]
    past: Sequence[Record]
    ssl: str
    min_tls: str
    https_only: bool
    hsts: str | None
    blocked: Sequence[Condition]
    kept: Sequence[Kept]
    left_out: Sequence[str]


def zones(state: Mapping[str, Any]) -> list[Zone]:
    """Every zone of a state of `lab.cloudflare`."""
    return [_zone(each) for each in state["zones"].values()]


def _zone(told: Mapping[str, Any]) -> Zone:
    settings = {name: each["value"] for name, each in told["settings"].items()}
    left_out: list[str] = []
    blocked = list(_conditions(told, FIREWALL, {"block"}, left_out))
    kept = [
        Kept(when=when, seconds=int(rule["action_parameters"]["edge_ttl"]["default"]))
        for rule, when in _conditions(told, CACHE, {"set_cache_settings"}, left_out)
        if _is_kept(rule, left_out)
    ]
    records = list(told["records"].values())
    return Zone(
        name=told["name"],
        sites=list(_sites(told, records)),
        past=[
            Record(
                name=each["name"],
                kind=each["type"],
                content=str(each.get("content", "")),
                priority=each.get("priority"),
            )
            for each in records
            if not each["proxied"]
        ],
        ssl=settings["ssl"],
        min_tls=settings["min_tls_version"],
        https_only=settings["always_use_https"] == "on",
        hsts=_hsts(settings["security_header"]["strict_transport_security"]),
        blocked=[when for _, when in blocked],
        kept=kept,
        left_out=left_out,
    )


def _sites(told: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> Iterator[Site]:
    pulls = told.get("origin_pulls", {"certificates": {}, "hostnames": {}})
    for name in dict.fromkeys(each["name"] for each in records if each["proxied"]):
        association = pulls["hostnames"].get(name)
        shown = None
        if association is not None and association["enabled"]:
            taken = pulls["certificates"][association["cert_id"]]
            shown = Shown(certificate=taken["certificate"], key=taken["private_key"])
        origins = [
            str(each["content"])
            for each in records
            if each["proxied"] and each["name"] == name and each["type"] in _ADDRESSES
        ]
        if origins:
            yield Site(name=name, origins=origins, shown=shown)


def _hsts(told: Mapping[str, Any]) -> str | None:
    if not told.get("enabled"):
        return None
    words = [f"max-age={told['max_age']}"]
    words += ["includeSubDomains"] if told.get("include_subdomains") else []
    words += ["preload"] if told.get("preload") else []
    return "; ".join(words)


def _conditions(
    told: Mapping[str, Any], phase: str, actions: set[str], left_out: list[str]
) -> Iterator[tuple[Mapping[str, Any], Condition]]:
    """The rules of a phase that are in force and that this edge understands."""
    for ruleset in told.get("rulesets", {}).values():
        if ruleset["phase"] != phase:
            continue
        for rule in ruleset["rules"]:
            if not rule["enabled"]:
                continue
            called = rule.get("description") or rule["ref"]
            if rule["action"] not in actions:
                left_out.append(f"{called}: it does nothing for the action {rule['action']}")
                continue
            try:
                yield rule, condition(rule["expression"])
            except Unreadable as error:
                left_out.append(f"{called}: {error}")


def _is_kept(rule: Mapping[str, Any], left_out: list[str]) -> bool:
    parameters = rule["action_parameters"]
    if parameters.get("cache") and "default" in parameters.get("edge_ttl", {}):
        return True
    called = rule.get("description") or rule["ref"]
    left_out.append(f"{called}: it keeps an answer for a time that the rule names, or not at all")
    return False
