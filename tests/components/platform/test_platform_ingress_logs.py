"""What each ingress controller says of a request where the stack has logging."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from components.platform.addon import Values
from components.platform.ingress import CONTROLLERS
from lab.software import checkers
from settings.models import Platform
from tests.components import stacks
from tests.components.checked import real
from tests.components.platform.platform_args import plain, site

ID = "20107232-073a-4b1e-91d4-653f0c8c5747"
LOGGING = [word for word, controller in CONTROLLERS.items() if controller.access_log is not None]
SILENT = {
    "traefik": ("accessLog",),
    "nginx": ("log-format", "log-format-escaping"),
    "haproxy": ("log-format", "syslog-server", "frontend-config-snippet"),
    "contour": ("accesslog-format", "json-fields"),
}
"""The values by which each is turned on."""


def values(kind: str, platform: Platform) -> Values:
    ingress = platform.ingress.model_copy(update={"kind": kind})
    return CONTROLLERS[kind].values(site(platform.model_copy(update={"ingress": ingress})))


def keys(given: Any) -> set[str]:
    """Every key of a tree of values."""
    if not isinstance(given, dict):
        return set()
    return set(given).union(*(keys(each) for each in given.values()))


@pytest.mark.parametrize("kind", LOGGING)
def test_a_controller_writes_an_access_log_where_there_is_logging_alone(kind: str) -> None:
    assert set(SILENT[kind]) <= keys(values(kind, plain()))
    assert not set(SILENT[kind]) & keys(values(kind, stacks.lab().platform))


def test_nginx_writes_an_object_of_json_with_the_id_and_without_query_or_header_field() -> None:
    entries = values("nginx", plain())["controller"]["config"]["entries"]
    assert entries["log-format-escaping"] == "json"
    line = entries["log-format"]
    assert "'" not in line
    told = set(re.findall(r"\$([a-z0-9_]+)", line))
    assert not told & {"request", "request_uri", "args", "query_string", "http_referer"}
    assert {each for each in told if each.startswith("http_")} == {"http_x_request_id"}
    assert json.loads(re.sub(r"\$[a-z0-9_]+", "1", line))["request_id"] == "1"


def test_contours_envoys_write_the_id_and_no_query_or_header_field() -> None:
    """By Contour's own grammar: a name of its table, or `name=format`."""
    inline = values("contour", plain())["configInline"]
    assert inline["accesslog-format"] == "json"
    fields = inline["json-fields"]
    assert "request_id" in fields
    assert "path" not in fields
    assert not {"user_agent", "x_forwarded_for"} & set(fields)
    (path,) = (each for each in fields if each.startswith("path="))
    assert "REQ_WITHOUT_QUERY(" in path


_SERVED = r"""
haproxy -db -f /etc/haproxy/ingress.cfg > /tmp/log &
url=http://198.18.0.21:8080
ask() {{ curl --silent --output /dev/null "$@"; }}
ask --retry 50 --retry-delay 1 --retry-connrefused \
    --header 'X-Request-Id: {id}' "$url/a%22b?secret=1"
ask --header 'X-Request-Id: "}}' "$url/plain"
ask --request OPTIONS --request-target '*' "$url"
ask "$url/last"
kill -USR1 $!
wait
cat /tmp/log
"""


@real
def test_haproxy_writes_an_object_of_json_for_each_request_and_none_for_a_check() -> None:
    """As the controller writes it: the format in apostrophes, a line of each log server, and the
    snippet in the frontend."""
    config = values("haproxy", plain())["controller"]["config"]
    given = dict(word.strip().split(":", 1) for word in config["syslog-server"].split(","))
    assert given == {
        **{"address": "stdout", "format": " raw", "facility": "daemon"},
        "length": f" {config['syslog-server'].rpartition(' ')[2]}",
    }
    text = "\n".join(
        (
            "global",
            f"  log stdout len {given['length'].strip()} format raw daemon",
            "defaults",
            "  mode http",
            "  log global",
            "  timeout client 5s",
            f"  log-format '{config['log-format']}'",
            "frontend http",
            "  bind 198.18.0.21:8080",
            *(f"  {each}" for each in config["frontend-config-snippet"].splitlines()),
            "  http-request return status 204",
            "",
        )
    )
    asked = ["bash", "-c", _SERVED.format(id=ID)]
    files = {"/etc/haproxy/ingress.cfg": text}
    done = checkers.run_checker(asked, files, interfaces={"eth0": ["198.18.0.21/24"]})
    assert done.returncode == 0, done.stderr
    lines = [each for each in done.stdout.splitlines() if each.startswith("{")]
    first, second, last = (json.loads(each) for each in lines)
    assert (first["request_id"], first["path"], first["status"]) == (ID, "/a%22b", 204)
    assert (second["request_id"], second["path"]) == ('"}', "/plain")
    assert (last["request_id"], last["path"]) == ("-", "/last")
    assert "secret" not in done.stdout
