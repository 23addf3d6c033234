"""DNS records: what the API takes and how it shows them."""

from __future__ import annotations

import ipaddress

from lab.cloudflare.errors import ApiError
from lab.cloudflare.state import Json

TYPES = frozenset(
    {
        "A", "AAAA", "CAA", "CERT", "CNAME", "DNSKEY", "DS", "HTTPS", "LOC", "MX", "NAPTR", "NS",
        "OPENPGPKEY", "PTR", "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", "URI",
    }
)  # fmt: skip
PROXIABLE = frozenset({"A", "AAAA", "CNAME"})
AUTOMATIC = 1
"""The TTL of a record whose TTL Cloudflare chooses, as for every proxied one."""
_NOT_PROXIED = tuple(
    ipaddress.ip_network(net)
    for net in (
        "10.0.0.0/8",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)
_OWN_FIELDS = ("type", "content", "priority", "data", "comment", "tags", "settings")


def checked(given: Json, zone: Json, *, own: str | None) -> Json:
    """The record to keep, names in full. `own` is its id when it replaces itself.

    Raises `ApiError` with Cloudflare's code and text.
    """
    kind = str(given.get("type", "")).upper()
    if kind not in TYPES:
        raise ApiError(400, 9004, "DNS record type is invalid.")
    if not given.get("name"):
        raise ApiError(400, 9000, "DNS name is invalid.")
    record = {key: given[key] for key in _OWN_FIELDS if given.get(key) is not None}
    record["type"] = kind
    record["name"] = full_name(str(given["name"]), zone["name"])
    record["proxied"] = bool(given.get("proxied", False))
    ttl = given.get("ttl") or AUTOMATIC
    if ttl != AUTOMATIC and not 60 <= ttl <= 86400:
        raise ApiError(
            400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic."
        )
    record["ttl"] = AUTOMATIC if record["proxied"] else int(ttl)
    _check_content(record)
    for key, other in zone["records"].items():
        if key != own:
            _check_beside(record, other)
    return record


def full_name(name: str, zone: str) -> str:
    """The whole name of a record that may be given relative to its zone, or as `@`."""
    if name == "@":
        return zone
    return name if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}"


def _check_content(record: Json) -> None:
    kind, content = record["type"], str(record.get("content", ""))
    version = {"A": 4, "AAAA": 6}.get(kind)
    if version is None:
        if not content and not record.get("data"):
            raise ApiError(400, 9005, f"Content for {kind} record is missing.")
        if record["proxied"] and kind not in PROXIABLE:
            raise ApiError(400, 9004, f"{kind} records cannot be proxied.")
        return
    try:
        address = ipaddress.ip_address(content)
    except ValueError:
        address = None
    if address is None or address.version != version:
        raise ApiError(
            400, 9005, f"Content for {kind} record must be a valid IPv{version} address."
        )
    if record["proxied"] and any(address in net for net in _NOT_PROXIED if net.version == version):
        raise ApiError(400, 9003, f"Target {content} is not allowed for a proxied record.")


def _check_beside(record: Json, other: Json) -> None:
    if record["name"] != other["name"]:
        return
    kinds = {record["type"], other["type"]}
    if "CNAME" in kinds and kinds & {"A", "AAAA", "CNAME"} == kinds:
        raise ApiError(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
    same = all(record.get(key) == other.get(key) for key in ("type", "content", "data"))
    if same:
        raise ApiError(400, 81058, "An identical record already exists.")


def shown(key: str, record: Json, zone_id: str, zone: Json) -> Json:
    """The record as the API shows it."""
    return {
        "tags": [],
        "comment": None,
        "settings": {},
        "meta": {},
        **record,
        "id": key,
        "zone_id": zone_id,
        "zone_name": zone["name"],
        "proxiable": record["type"] in PROXIABLE,
    }
