"""The files of the edge's daemons. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from components.host.text import environment
from lab.edge.expressions import Condition
from lab.edge.model import Record, Site, Zone

FOLDER = "/srv"
"""Where the daemons see their files."""
NGINX, KNOT, ORIGINS = "nginx.conf", "knot.conf", "origins.pem"
_MARKED = "Made from what the Cloudflare API of the lab was told; changes here do not last."
_TLS = ("1.0", "1.1", "1.2", "1.3")
_TEMPLATES = environment(Path(__file__).parent / "templates")
_QUOTED_KINDS = ("TXT",)
_NAMED_KINDS = ("CNAME", "MX", "NS")


@dataclass(frozen=True, kw_only=True)
class _Rule:
    variable: str
    condition: Condition
    seconds: int = 0


def files(
    zones: Sequence[Zone],
    *,
    address: IPv4Address,
    serial: int,
    origins: str,
    certificates: Mapping[str, str],
) -> dict[str, str]:
    """Names in the daemons' folder to texts.

    `serial` is the zones' (RFC 1035, section 3.3.13), `origins` the authorities whose certificates
    are believed at origins (PEM), `certificates` what visitors are shown, a certificate and its key
    (PEM) by zone.
    """
    made = {ORIGINS: origins}
    rules: list[_Rule] = []
    served = []
    number = 0
    for zone in zones:
        blocked = [_rule(rules, "blocked", each) for each in zone.blocked]
        kept = [_rule(rules, "kept", each.when, each.seconds) for each in zone.kept]
        sites = []
        for site in zone.sites:
            number += 1
            sites.append(_site(site, number))
            if site.shown is not None:
                made[f"shown-{number}.pem"] = f"{site.shown.certificate}\n{site.shown.key}\n"
        made[f"{zone.name}.pem"] = certificates[zone.name]
        made[f"{zone.name}.zone"] = _text(
            "zone", zone=zone, address=address, serial=serial, data=_data
        )
        protocols = " ".join(
            f"TLSv{each}" if each != "1.0" else "TLSv1" for each in _TLS[_TLS.index(zone.min_tls) :]
        )
        served.append(
            {
                **{"name": zone.name, "ssl": zone.ssl, "hsts": zone.hsts, "sites": sites},
                **{"https_only": zone.https_only, "protocols": protocols, "kept": kept},
                "blocked": [each.variable for each in blocked],
            }
        )
    made[NGINX] = _text(
        NGINX, zones=served, rules=rules, address=address, folder=FOLDER, quoted=quoted
    )
    made[KNOT] = _text(KNOT, zones=zones, address=address, folder=FOLDER)
    return made


def quoted(text: str) -> str:
    """A text as nginx reads it between quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text(name: str, **values: object) -> str:
    return _TEMPLATES.get_template(f"{name}.j2").render(marked=_MARKED, **values)


def _rule(rules: list[_Rule], kind: str, when: Condition, seconds: int = 0) -> _Rule:
    made = _Rule(variable=f"{kind}_{len(rules) + 1}", condition=when, seconds=seconds)
    rules.append(made)
    return made


def _site(site: Site, number: int) -> Mapping[str, object]:
    origins = [f"[{each}]" if ":" in each else each for each in site.origins]
    return {"name": site.name, "number": number, "origins": origins, "shown": site.shown}


def _data(record: Record) -> str:
    """A record's data as a zone file writes it (RFC 1035, section 5.1)."""
    content = record.content
    if record.kind in _QUOTED_KINDS and not content.startswith('"'):
        escaped = content.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if record.kind in _NAMED_KINDS and not content.endswith("."):
        content += "."
    return content if record.priority is None else f"{record.priority} {content}"
