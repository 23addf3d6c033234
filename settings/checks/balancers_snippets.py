"""Lines of the stack's own in HAProxy's configuration: none undoes what is decided beside it.

HAProxy takes most keywords twice and goes by the last, without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from settings.checks.registry import reads
from settings.models.snippets import keywords
from settings.models.stack import Stack
from settings.problems import Problem, problem

_Said = Mapping[str, str | None]
"""Keyword to the key that says it; None where the program alone does."""

_TIMEOUTS: Final[_Said] = {
    **{
        f"timeout {each}": f"balancers.timeouts.{each.replace('-', '_')}"
        for each in ("connect", "client", "server", "http-request", "http-keep-alive", "queue")
    },
    "timeout tunnel": "balancers.timeouts.tunnel",
    "timeout client-fin": None,
    "timeout check": None,
}
_LOGGED: Final[_Said] = {
    **dict.fromkeys(
        ("log", "log-format", "error-log-format", "unique-id-format", "option httplog"),
        "balancers.logging",
    ),
    "option tcplog": None,
    "option dontlognull": None,
}
_PROXY: Final[_Said] = {"mode": None, "disabled": None, "enabled": None, **_LOGGED}
_HTTP: Final[_Said] = {
    **_PROXY,
    **_TIMEOUTS,
    **dict.fromkeys(
        ("http-error status 503", "errorfile 503", "errorloc 503"), "balancers.maintenance_page"
    ),
    **dict.fromkeys(("errorloc302 503", "errorloc303 503"), "balancers.maintenance_page"),
    "stats": "balancers.stats_port",
    "option forwardfor": None,
}
_AGAIN: Final[_Said] = dict.fromkeys(("option redispatch", "retries", "retry-on"))
"""What is sent to another node."""
_ALIVE: Final[_Said] = dict.fromkeys(
    ("option srvtcpka", "srvtcpka-idle", "srvtcpka-intvl", "srvtcpka-cnt")
)

_DECIDED: Final[Mapping[str, _Said]] = {
    "global": {
        **dict.fromkeys(("maxconn", "ulimit-n"), "balancers.max_connections"),
        "hard-stop-after": "balancers.timeouts.hard_stop_after",
        "tune.bufsize": "balancers.sizes",
        "log": "balancers.logging",
        **dict.fromkeys(("user", "group", "uid", "gid", "chroot", "stats", "localpeer")),
        **dict.fromkeys(("daemon", "master-worker", "pidfile")),
        **dict.fromkeys(("tune.maxrewrite", "tune.http.maxhdr")),
        **dict.fromkeys(("ssl-default-bind-options", "ssl-default-bind-curves")),
        **dict.fromkeys(("ssl-default-bind-ciphers", "ssl-default-bind-ciphersuites")),
    },
    "api": {
        **_PROXY,
        **dict.fromkeys(_TIMEOUTS),
        **_AGAIN,
        "bind": "balancers.api_port",
        "maxconn": "balancers.max_connections",
        **dict.fromkeys(("default_backend", "use_backend")),
        **dict.fromkeys(("option clitcpka", "option srvtcpka")),
    },
    "defaults": {**_HTTP, **_AGAIN, **_ALIVE},
    "service": {
        **_HTTP,
        "bind": None,
        "maxconn": "balancers.max_connections",
        "stick-table": "balancers.max_connections_per_client",
        "default_backend": None,
        "option idle-close-on-response": None,
    },
    "ingress": {
        **_HTTP,
        **_AGAIN,
        **_ALIVE,
        **dict.fromkeys(("balance", "hash-type"), "balancers.ingress.balance"),
        **dict.fromkeys(("cookie", "stick", "stick-table"), "balancers.ingress.sticky"),
        **dict.fromkeys(("server", "server-template", "dispatch"), "balancers.target"),
        "default-server": "balancers.ingress",
        **dict.fromkeys(("option httpchk", "option tcp-check", "http-check", "tcp-check")),
        "http-reuse": None,
    },
}
"""By hook: what the program writes in the section, or beside it. A test compares it with the
templates."""

_CONDITIONS: Final = re.compile(
    "host_(fits|unknown|told|closed)|challenge_(host|path)|method_taken|path_denied|agent_denied|"
    "length_untold|by_ipv4"
    "|route_.*"
)
"""Names of the program's own ACLs in the service's frontend."""


@reads("balancers")
def own_lines_repeat_nothing_decided(stack: Stack) -> Iterator[Problem]:
    """A keyword of the program's is not written once more behind it."""
    for hook, path, line in _lines(stack):
        words = keywords(line)
        for keyword, key in _DECIDED[hook].items():
            wanted = tuple(keyword.split())
            if words[: len(wanted)] != wanted:
                continue
            if key is None:
                wrong, right = f"repeats {keyword}, which the program decides there", "leave it out"
            else:
                wrong, right = f"repeats {keyword}, which is said by {key}", "say it there alone"
            yield problem(path, line, wrong, right)
            break


@reads("balancers")
def own_conditions_have_names_of_their_own(stack: Stack) -> Iterator[Problem]:
    """A second `acl` of one name is an alternative to the first, also in the rules before it
    (HAProxy configuration manual, section 7)."""
    for _, path, line in _lines(stack):
        words = (*keywords(line), "", "")
        if words[0] == "acl" and _CONDITIONS.fullmatch(words[1]):
            yield problem(
                path,
                line,
                f"adds to {words[1]}, by which the program's own rules go",
                f"name it otherwise, such as my_{words[1]}",
            )


def _lines(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Hook, path and text of each."""
    for hook, lines in stack.balancers.snippets.items():
        for index, line in enumerate(lines):
            yield hook, f"balancers.snippets.{hook}[{index}]", line
