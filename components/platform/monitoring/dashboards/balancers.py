"""The balancers: what HAProxy tells of visitors, backends and itself. Pure.

Source: HAProxy's Prometheus exporter (addons/promex) and its management guide, section 9.1, for
what each figure means; its proxies are those of this program's configuration.
"""

from __future__ import annotations

from components.platform.addon import Site
from components.platform.monitoring.budgets import BURNS, RATIO
from components.platform.monitoring.dashboards import addresses, sessions
from components.platform.monitoring.dashboards.model import (
    BAD,
    Dashboard,
    Panel,
    Section,
)
from components.platform.promql import growth, rate

_JOB = 'job="haproxy"'
_VISITORS = f'{_JOB}, proxy="service"'
_FRONTENDS = f'{_JOB}, proxy!~"alive|serves|stats|tables"'
"""What somebody from elsewhere connects to."""
_SERVICES = f'{_JOB}, proxy=~"route_.+"'
_PROXY = "{{instance}} {{proxy}}"
ANSWERS = f"haproxy_frontend_http_responses_total{{{_VISITORS}}}"
TIME = f"haproxy_backend_total_time_average_seconds{{{_JOB}}}"
_FILLED = (
    f"haproxy_frontend_current_sessions{{{_FRONTENDS}}} "
    f"/ haproxy_frontend_limit_sessions{{{_FRONTENDS}}}"
)


def server(state: str) -> str:
    """A series for each server of each backend and balancer, 1 where it is in that state."""
    return f'haproxy_server_status{{{_JOB}, state="{state}"}}'


def failed(*by: str) -> str:
    """The share of visitors' answers that are 5xx, HAProxy's own with the ingress'."""
    bad = f'haproxy_frontend_http_responses_total{{{_VISITORS}, code="5xx"}}'
    return f"{rate(bad, *by)} / {rate(ANSWERS, *by)}"


def page(site: Site) -> Dashboard:
    """Every stack has balancers, and HAProxy tells of itself."""
    return Dashboard(
        name="balancers",
        title="Layered cloud: balancers",
        about="HAProxy: visitors, what they are led to, and how much room is left.",
        sections=(
            addresses.section(site, "balancer"),
            sessions.section(site, "balancer"),
            Section(title="Visitors", panels=_visitors()),
            Section(title="Backends", panels=_backends()),
            Section(title="Services", panels=_services(site)),
            Section(title="The process", panels=_process()),
        ),
    )


def _visitors() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Requests, by their answers",
            unit="reqps",
            queries={"{{code}}": rate(ANSWERS, "code")},
        ),
        Panel(
            title="Requests, by balancer",
            unit="reqps",
            queries={"{{instance}}": rate(ANSWERS, "instance")},
        ),
        Panel(
            title="Answered with 5xx",
            unit="percentunit",
            queries={"{{instance}}": failed("instance")},
            hint="Whose they are, the balancers' log says.",
        ),
        Panel(
            title="Connections, of those they may",
            unit="percentunit",
            queries={_PROXY: _FILLED},
            most=1,
            hint="Full, who comes waits in the kernel's queue. The limit follows "
            "balancers.max_connections.",
        ),
        Panel(
            title="Bytes",
            unit="Bps",
            queries={
                f"{{{{proxy}}}} {way}": rate(
                    f"haproxy_frontend_bytes_{way}_total{{{_FRONTENDS}}}", "proxy"
                )
                for way in ("in", "out")
            },
        ),
        Panel(
            title="Requests that were turned away",
            unit="reqps",
            queries={
                "{{proxy}} denied": rate(
                    f"haproxy_frontend_requests_denied_total{{{_FRONTENDS}}}", "proxy"
                ),
                "{{proxy}} no HTTP": rate(
                    f"haproxy_frontend_request_errors_total{{{_FRONTENDS}}}", "proxy"
                ),
                "{{proxy}} connections refused": rate(
                    f"haproxy_frontend_denied_connections_total{{{_FRONTENDS}}}", "proxy"
                ),
            },
            hint="By a filter, a limit or a rule; or because it could not be read.",
        ),
    )


def _backends() -> tuple[Panel, ...]:
    times = {
        f"{{{{proxy}}}} {what}": "max by (proxy) "
        f"(haproxy_backend_{what}_time_average_seconds{{{_JOB}}})"
        for what in ("queue", "connect", "response")
    }
    return (
        Panel(
            title="Servers up",
            unit="none",
            queries={_PROXY: f"sum by (instance, proxy) ({server('UP')})"},
        ),
        Panel(
            title="Servers down",
            unit="none",
            queries={"{{instance}}: {{proxy}}/{{server}}": f"{server('DOWN')} == 1"},
            shape="names",
            base=BAD,
        ),
        Panel(
            title="Checks that failed within an hour",
            unit="none",
            queries={
                "{{proxy}}/{{server}}": growth(
                    f"haproxy_server_check_failures_total{{{_JOB}}}", "1h", "proxy", "server"
                )
            },
        ),
        Panel(
            title="Times, means of 1024 requests",
            unit="s",
            queries=times,
            hint="How long a request waited for a free server, for its connection, and for the "
            "first byte of the answer, at the slower balancer.",
        ),
        Panel(
            title="Requests that wait for a server",
            unit="none",
            queries={_PROXY: f"haproxy_backend_current_queue{{{_JOB}}}"},
        ),
        Panel(
            title="Sent again",
            unit="reqps",
            queries={
                "{{proxy}} again": rate(f"haproxy_backend_retry_warnings_total{{{_JOB}}}", "proxy"),
                "{{proxy}} to another": rate(
                    f"haproxy_backend_redispatch_warnings_total{{{_JOB}}}", "proxy"
                ),
            },
        ),
        Panel(
            title="Failures",
            unit="reqps",
            queries={
                "{{proxy}} no connection": rate(
                    f"haproxy_backend_connection_errors_total{{{_JOB}}}", "proxy"
                ),
                "{{proxy}} no answer": rate(
                    f"haproxy_backend_response_errors_total{{{_JOB}}}", "proxy"
                ),
            },
        ),
        Panel(
            title="Cut off",
            unit="reqps",
            queries={
                "{{proxy}} by the client": rate(
                    f"haproxy_backend_client_aborts_total{{{_JOB}}}", "proxy"
                ),
                "{{proxy}} by the server": rate(
                    f"haproxy_backend_server_aborts_total{{{_JOB}}}", "proxy"
                ),
            },
        ),
        Panel(
            title="Connections, by backend",
            unit="none",
            queries={_PROXY: f"haproxy_backend_current_sessions{{{_JOB}}}"},
        ),
    )


def _services(site: Site) -> tuple[Panel, ...]:
    """Of stacks that have some; how fast errors are used up, of services that may have some."""
    if not site.services:
        return ()
    answers = f"haproxy_backend_http_responses_total{{{_SERVICES}}}"
    bad = f'haproxy_backend_http_responses_total{{{_SERVICES}, code="5xx"}}'
    found = [
        Panel(
            title="Requests, by service and scheme",
            unit="reqps",
            queries={"{{proxy}}": rate(answers, "proxy")},
        ),
        Panel(
            title="Services' answers with 5xx",
            unit="percentunit",
            queries={"{{proxy}}": f"{rate(bad, 'proxy')} / {rate(answers, 'proxy')}"},
        ),
    ]
    if any(each.alert is not None for each in site.services):
        longest = BURNS[-1].longer
        found.append(
            Panel(
                title="Errors that count against what may fail",
                unit="percentunit",
                queries={
                    f"{{{{service}}}} over {window}": f"{RATIO}{window}"
                    for window in (BURNS[0].longer, longest)
                },
                hint="Of all answers; services[].alert.availability says how many may fail.",
            )
        )
    return tuple(found)


def _process() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Time in which it had nothing to do",
            unit="percentunit",
            queries={"{{instance}}": f"haproxy_process_idle_time_percent{{{_JOB}}} / 100"},
            most=1,
            hint="Near 0, it takes no more.",
        ),
        Panel(
            title="Since it was started or reloaded",
            unit="s",
            queries={"{{instance}}": f"haproxy_process_uptime_seconds{{{_JOB}}}"},
        ),
        Panel(
            title="TLS handshakes",
            unit="ops",
            queries={
                "{{instance}}": f"haproxy_process_current_frontend_ssl_key_rate{{{_JOB}}}",
            },
            hint="New keys a second: sessions that are taken up again are not among them.",
        ),
    )
