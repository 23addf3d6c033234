"""HAProxy: its process, the Kubernetes API and the statistics; then the service's routes. Pure.

One daemon, pushed twice: `part` before the cluster exists, `routes_part` when what it needs is
known. Each push owns its own files, and both have the whole directory checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from components.host import sysctls
from components.host.packages import package
from components.host.part import (
    Check,
    Exporter,
    Health,
    Late,
    OpenPort,
    Part,
    Service,
    Text,
)
from components.host.text import environment
from components.loadbalancers import access_log
from components.loadbalancers.announce import AWAY
from components.loadbalancers.backends import (
    asked_for,
    backends,
    below,
    cookie,
    own,
    quoted,
    schemes,
    way,
)
from components.loadbalancers.keepalived import ALIVE, ENDS, HAPROXY
from components.loadbalancers.model import (
    ALIVE_PORT,
    HTTP_PORT,
    HTTPS_PORT,
    ORDERED,
    OWN_TABLES_PORT,
    SERVES_PORT,
    TABLES_PORT,
    Balancer,
    BalancersModel,
    Order,
    RoutesModel,
)
from components.loadbalancers.reach import WAYS
from settings.models import (
    API_SERVER_PORT,
    CHALLENGE_PATH,
    CHECKED_HOST,
    CLIENTS_WORDS,
    CONNECTION_FILES,
    OTHER_FILES,
    SOURCE_PORTS,
    MaintenancePage,
    Sources,
    TcpRoute,
)

DIRECTORY = "/etc/haproxy/layered"
"""HAProxy reads every `*.cfg` in it, in alphabetical order (haproxy(1), -f)."""
BASE = f"{DIRECTORY}/10-base.cfg"
ROUTES = f"{DIRECTORY}/20-routes.cfg"
CDN = f"{DIRECTORY}/cdn.lst"
ALLOWED = f"{DIRECTORY}/allowed.lst"
DENIED = f"{DIRECTORY}/denied.lst"
"""Visitors' networks, one a line; there where the stack names some."""
PAGE = f"{DIRECTORY}/maintenance.html"
"""What is answered with 503; there where the stack has one."""
CERTIFICATE = "/etc/haproxy/tls/site.pem"
"""The certificates, leaf first, and their key."""
PLACEHOLDER = f"{ORDERED}/placeholder.pem"
"""The same where balancers order theirs: shown until it has come."""
FURTHER = "/etc/haproxy/tls/further-{name}.pem"
"""The same for other names."""
FURTHER_LIST = "/etc/haproxy/tls/further.lst"
"""Their paths, one a line (HAProxy configuration manual, `crt-list`): a line of its configuration
has 64 words at most."""
AUTHORITIES = "/etc/haproxy/tls/clients.pem"
"""Who signs the certificates that clients show."""
DROP_IN = f"/etc/systemd/system/{HAPROXY}.d/layered.conf"
RELOAD = "/etc/haproxy/layered-reload"
ENDED = "/etc/haproxy/layered-ended"
SYSCTL = "/etc/sysctl.d/90-layered-balancer.conf"
SOCKET = "/run/haproxy/layered.sock"
"""The runtime API, mode 0600 (HAProxy management guide, section 9.3)."""
CHECK = ("/usr/sbin/haproxy", "-c", "-f", DIRECTORY)
QUESTION = f'if ! {ALIVE} 1; then\n    echo "haproxy does not answer"\n    exit 0\nfi\n'
"""What a balancer's peer is told when HAProxy runs, but does not answer."""

_HEALTH = Health(argv=(ALIVE, "1"))


def _milliseconds(value: float) -> str:
    """A time as HAProxy writes it: whole seconds where it can, else milliseconds."""
    return f"{int(value)}s" if value == int(value) else f"{round(value * 1000)}ms"


_TEMPLATES = environment(Path(__file__).parent / "templates" / "haproxy")
_TEMPLATES.filters["time"] = _milliseconds
_TEMPLATES.filters["quoted"] = quoted
_TEMPLATES.filters["written"] = lambda value: quoted(value.replace("%", "%%"))


def part(model: BalancersModel, balancer: Balancer) -> Part:
    """The process, the Kubernetes API on every VIP, and the statistics. Valid without any routes.

    Its own Prometheus endpoint is on the management leg, beside the statistics page.
    """
    way, api = WAYS[model.reach], "the Kubernetes API"
    drop_in = _text(
        "haproxy.dropin",
        directory=DIRECTORY,
        files=CONNECTION_FILES * model.max_connections + OTHER_FILES,
        ended=ENDED,
        ends=ENDS,
        stopping=way.stopping,
        away=AWAY,
        seconds=int(model.timeouts.hard_stop_after) + 5,
    )
    return Part(
        name="haproxy",
        packages=(package("haproxy"),),
        files=(
            Text(path=BASE, content=base(model, balancer)),
            Text(path=DROP_IN, content=drop_in),
            Text(path=RELOAD, content=_text("haproxy-reload.py"), mode="0755"),
            Text(
                path=ENDED,
                content=_text("haproxy-ended.sh", ends=ENDS, ended=way.ended),
                mode="0755",
            ),
            Text(path=SYSCTL, content=kernel(model, balancer)),
        ),
        checks=(Check(name="haproxy", argv=CHECK, watches=(BASE,)),),
        steps=(sysctls.step(SYSCTL),),
        services=(
            Service(name=HAPROXY, on_change=(RELOAD,), watches=(BASE, DROP_IN), health=_HEALTH),
        ),
        ports=(
            *(_port(model.api_port, leg, leg, api) for leg in ("lan", "management")),
            _port(model.stats_port, "management", "management", "statistics and metrics"),
            _port(ALIVE_PORT, "loopback", "itself", "keepalived's check"),
            *(_table_ports() if model.shares_tables else ()),
        ),
        exporters=(Exporter(name="haproxy", network="management", port=model.stats_port),),
    )


def routes_part(
    further: Sequence[str] = (),
    sources: Sources | None = None,
    page: MaintenancePage | None = None,
    tcp_routes: Sequence[TcpRoute] = (),
    *,
    order: Order | None = None,
    authorities: bool = False,
) -> Part:
    """The service's frontends and where they send; alike on both balancers. `further` are the names
    of certificates beside the first, which an `order` replaces, `sources` the visitors' networks,
    `page` what is answered where nobody does, `tcp_routes` what is passed on beside HTTP.

    Late: `routes`, a `RoutesModel`; `cdn_ranges`, the CDN's networks, none where nobody may name a
    client's address; `certificate`, the PEM chain, leaf first; `authorities` (PEM) where they are
    wanted. Secrets: `key`, its private key; `further_NAME`, a chain and its key.
    """
    signers = Text(path=AUTHORITIES, content=Late(needs=("authorities",), render=_signers))
    return Part(
        name="haproxy-routes",
        files=(
            Text(path=ROUTES, content=Late(needs=("routes",), render=site)),
            Text(path=CDN, content=Late(needs=("cdn_ranges",), render=cdn)),
            *(
                Text(path=path, content=networks(named))
                for path, named in _visitors(sources or Sources())
                if named
            ),
            Text(
                path=CERTIFICATE if order is None else PLACEHOLDER,
                content=Late(needs=("certificate",), render=_bundle),
                mode="0600",
                secrets=("key",),
            ),
            *(
                Text(
                    path=FURTHER.format(name=name),
                    content=f"@@further_{name}@@\n",
                    mode="0600",
                    secrets=(f"further_{name}",),
                )
                for name in further
            ),
            *((Text(path=FURTHER_LIST, content=_paths(further)),) if further else ()),
            *((signers,) if authorities else ()),
            *(() if page is None else (Text(path=PAGE, content=page.html),)),
        ),
        checks=(Check(name="haproxy", argv=CHECK),),
        services=(
            Service(
                name=HAPROXY,
                on_change=(RELOAD,),
                enable=False,  # the base has enabled it
                health=_HEALTH,
            ),
        ),
        ports=(
            *(
                _port(port, "lan", sources, f"{name} of the service")
                for port, name in ((HTTP_PORT, "HTTP"), (HTTPS_PORT, "HTTPS"))
                for sources in ("cdn", "lan")
            ),
            *(
                _port(each.port, "lan", "named" if each.sources else "anyone", f"tcp_{each.name}")
                for each in tcp_routes
            ),
            _port(SERVES_PORT, "loopback", "itself", "keepalived's preference"),
        ),
    )


def base(model: BalancersModel, balancer: Balancer) -> str:
    """What is known before the cluster exists."""
    return _text(
        "10-base.cfg",
        model=model,
        balancer=balancer,
        socket=SOCKET,
        others=model.others(balancer.name),
        alive_port=ALIVE_PORT,
        tables_port=TABLES_PORT,
        own_tables_port=OWN_TABLES_PORT,
        api_server_port=API_SERVER_PORT,
    )


def kernel(model: BalancersModel, balancer: Balancer) -> str:
    """sysctl.d(5): addresses of the other balancer, and ports of the machine's own connections,
    none of which takes one that HAProxy listens on."""
    first, last = SOURCE_PORTS
    own = (model.api_port, model.stats_port, *model.tcp_ports)
    listening = [each for each in own if first <= each <= last]
    return _text(
        "sysctl.conf",
        balancer=balancer,
        paired=model.peer(balancer.name) is not None,
        ports=SOURCE_PORTS,
        listening=listening,
    )


def site(routes: RoutesModel) -> str:
    """Frontends for HTTP and HTTPS, and the backends of the ingress."""
    every = (*routes.routes, *routes.services)
    return _text(
        "20-routes.cfg",
        model=routes,
        backends=list(backends(routes)),
        own=list(own(routes)),
        ways=[way(route) for route in every],
        schemes=schemes(routes),
        clients_words=CLIENTS_WORDS,
        by_path=bool(routes.filter.denied_paths)
        or any(route.paths or route.prefixes for route in every),
        below=below,
        asked_for=asked_for,
        page=PAGE,
        allowed=ALLOWED,
        denied=DENIED,
        cookie=cookie,
        log=access_log,
        certificate=CERTIFICATE if routes.order is None else ORDERED,
        challenge_path=CHALLENGE_PATH,
        further=FURTHER_LIST if routes.further else None,
        authorities=AUTHORITIES,
        cdn=CDN,
        http_port=HTTP_PORT,
        https_port=HTTPS_PORT,
        checked_host=CHECKED_HOST,
        serves_port=SERVES_PORT,
    )


def cdn(cdn_ranges: Sequence[str]) -> str:
    """Who may name a client's address."""
    return networks(cdn_ranges)


def networks(named: Sequence[object]) -> str:
    """Networks, one a line (HAProxy pattern file)."""
    return "".join(f"{network}\n" for network in named)


def _visitors(sources: Sources) -> tuple[tuple[str, Sequence[object]], ...]:
    return (ALLOWED, sources.allow), (DENIED, sources.deny)


def _bundle(certificate: str) -> str:
    return f"{certificate.strip()}\n@@key@@\n"


def _paths(further: Sequence[str]) -> str:
    return "".join(f"{FURTHER.format(name=name)}\n" for name in further)


def _signers(authorities: str) -> str:
    return f"{authorities.strip()}\n"


def _table_ports() -> tuple[OpenPort, ...]:
    purpose = "what the peer's HAProxy counts and remembers"
    return (
        _port(TABLES_PORT, "lan", "peer", purpose),
        _port(OWN_TABLES_PORT, "loopback", "itself", purpose),
    )


def _text(template: str, **values: object) -> str:
    return _TEMPLATES.get_template(f"{template}.j2").render(**values)


def _port(number: int, network: str, sources: str, purpose: str) -> OpenPort:
    return OpenPort(
        protocol="tcp", number=number, network=network, sources=sources, purpose=purpose
    )
