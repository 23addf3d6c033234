"""What the lab's edge makes of a state of the API, and what its daemons say to that."""

from __future__ import annotations

import json
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from lab.cloudflare.state import State
from lab.edge.authority import Authority
from lab.edge.model import Zone, zones
from lab.edge.render import files, quoted
from lab.software import edge
from tests.issued import made

ADDRESS = IPv4Address("198.51.100.80")
RULES = {
    "firewall": {
        "phase": "http_request_firewall_custom",
        "rules": [
            {"ref": "a", "enabled": True, "action": "block", "expression": 'http.host eq "x"'},
            {"ref": "b", "enabled": False, "action": "block", "expression": 'http.host eq "y"'},
            {"ref": "c", "enabled": True, "action": "log", "expression": 'http.host eq "z"'},
            {"ref": "d", "enabled": True, "action": "block", "expression": "ip.src eq 1.2.3.4"},
        ],
    },
    "cache": {
        "phase": "http_request_cache_settings",
        "rules": [
            {
                **{"ref": "e", "enabled": True, "action": "set_cache_settings"},
                "expression": 'starts_with(http.request.uri.path, "/kept/")',
                "action_parameters": {
                    "cache": True,
                    "edge_ttl": {"mode": "override_origin", "default": 7200},
                },
            },
            {
                **{"ref": "f", "enabled": True, "action": "set_cache_settings"},
                "expression": 'starts_with(http.request.uri.path, "/not/")',
                "action_parameters": {"cache": False},
            },
        ],
    },
}

SERVED = """
import json, sys
from pathlib import Path
from lab.edge.daemons import Daemons, Refused
tree, folder, wanted = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.stdin.read())
daemons = Daemons(tree, folder)
daemons.serve(wanted)
try:
    daemons.serve(wanted | {"nginx.conf": "nonsense;"})
except Refused as error:
    print(error)
daemons.watch()
print((folder / "served" / "nginx.conf").read_text() == wanted["nginx.conf"])
"""
"""Serves files (a JSON object on standard input), then others that no nginx takes."""


def told(tmp_path: Path) -> dict[str, Any]:
    """A state in which the API was told of everything that the edge knows."""
    state = State(tmp_path / "cloudflare.json", ["lab.test"])
    (zone,) = state.zones.values()
    leaf = made("edge")
    zone["records"] = {
        str(number): {"name": name, "type": kind, "content": content, "proxied": proxied}
        for number, (name, kind, content, proxied) in enumerate(
            [
                ("echo.lab.test", "A", "203.0.113.10", True),
                ("echo.lab.test", "A", "203.0.113.11", True),
                ("*.apps.lab.test", "A", "203.0.113.10", True),
                ("past.lab.test", "A", "192.0.2.66", False),
                ("lab.test", "TXT", 'v=spf1 "-all"', False),
                ("www.lab.test", "CNAME", "past.lab.test", False),
                ("lab.test", "MX", "past.lab.test", False),
            ]
        )
    }
    zone["records"]["6"]["priority"] = 10
    zone["settings"]["ssl"]["value"] = "strict"
    zone["settings"]["min_tls_version"]["value"] = "1.2"
    zone["settings"]["security_header"]["value"] = {
        "strict_transport_security": {"enabled": True, "max_age": 300, "include_subdomains": True}
    }
    zone["rulesets"] = RULES
    zone["origin_pulls"] = {
        "certificates": {"1": {"certificate": leaf.pem, "private_key": leaf.key_pem}},
        "hostnames": {"echo.lab.test": {"cert_id": "1", "enabled": True}},
    }
    state.save()
    return state.data


def laid(state: dict[str, Any], folder: Path) -> dict[str, str]:
    known = zones(state)
    authority = Authority(folder)
    return files(
        known,
        address=ADDRESS,
        serial=7,
        origins=state["ca"]["certificate"],
        certificates={zone.name: authority.issue([zone.name]) for zone in known},
    )


def zone_of(tmp_path: Path) -> Zone:
    (zone,) = zones(told(tmp_path))
    return zone


def test_names_that_are_proxied_lead_to_the_edge_and_others_past_it(tmp_path: Path) -> None:
    text = laid(told(tmp_path), tmp_path)["lab.test.zone"]
    lines = text.splitlines()
    assert f"echo.lab.test. IN A {ADDRESS}" in lines
    assert f"*.apps.lab.test. IN A {ADDRESS}" in lines
    assert "past.lab.test. IN A 192.0.2.66" in lines
    assert r'lab.test. IN TXT "v=spf1 \"-all\""' in lines
    assert "www.lab.test. IN CNAME past.lab.test." in lines
    assert "lab.test. IN MX 10 past.lab.test." in lines
    assert not [line for line in lines if "203.0.113" in line]
    assert "lab.test. IN SOA ns.lab.test. dns.lab.test. 7 300 60 3600 60" in lines


def test_every_address_of_a_name_is_an_origin_and_a_certificate_is_shown_where_it_was_given(
    tmp_path: Path,
) -> None:
    echo, others = zone_of(tmp_path).sites
    assert (echo.name, echo.origins) == ("echo.lab.test", ["203.0.113.10", "203.0.113.11"])
    assert echo.shown is not None
    assert others.shown is None


def test_rules_that_it_cannot_act_upon_are_said_and_those_out_of_force_are_not(
    tmp_path: Path,
) -> None:
    zone = zone_of(tmp_path)
    assert [each.atoms[0].pattern for each in zone.blocked] == ["^x$"]
    assert [(each.when.atoms[0].pattern, each.seconds) for each in zone.kept] == [("^/kept/", 7200)]
    assert zone.left_out == [
        "c: it does nothing for the action log",
        "d: the lab's edge does not act upon ip.src eq 1.2.3.4",
        "f: it keeps an answer for a time that the rule names, or not at all",
    ]


def test_a_text_in_nginx_words_is_what_it_was() -> None:
    assert quoted(r'~^/a\.b"$') == r'"~^/a\\.b\"$"'


@pytest.mark.root
@pytest.mark.skipif(not edge.item().ready, reason="the edge's tree is built for its profile alone")
def test_the_daemons_take_the_files_and_keep_them_when_others_are_wrong(tmp_path: Path) -> None:
    """In namespaces of their own, without a way out."""
    state = told(tmp_path)
    wanted = laid(state, tmp_path)
    shell = f'ip link set lo up; ip address add {ADDRESS}/32 dev lo; exec "$@"'
    done = subprocess.run(
        [
            *("unshare", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", shell, "sh"),
            *(sys.executable, "-c", SERVED, str(edge.item().path / "root"), str(tmp_path)),
        ],
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "unknown directive" in done.stdout
    assert done.stdout.endswith("True\n")
