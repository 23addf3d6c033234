"""Where the balancers send requests, and how they share them out among the nodes."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from settings.models.base import Form, Hostname, Name, Seconds, Strict, fault
from settings.models.cdn import HeaderName, headers_of_cdns
from settings.models.platform import NodePort

UrlPath = Annotated[
    str,
    Form(
        r"(?!.*//)/(?!(.*/)?\.\.?(/|$))[A-Za-z0-9._~!$&()*+,=:@/-]{0,200}",
        "is no path of a URL",
        "write it decoded and whole, such as /shop/cart: no query, no percent signs, "
        "no semicolons, no dots alone",
    ),
]
"""A path as it is compared: decoded (RFC 3986, section 6.2.2), without empty segments and without
parameters (section 3.3)."""


def _below(path: str) -> str:
    if path.endswith("/*"):
        raise fault(
            "ends in a pattern, which is compared as it is",
            f"write {path[:-2] or '/'}: all below it is in it",
        )
    return path


UrlPrefix = Annotated[UrlPath, AfterValidator(_below)]
"""A path that stands for all below it, too."""

_NOT_PASSED_ON: Final = ("CONNECT", "TRACE")
"""A tunnel carries requests that nobody sees; TRACE shows what the CDN and the balancers wrote."""


def _passed_on(method: str) -> str:
    if method in _NOT_PASSED_ON:
        raise fault("is passed on by no balancer, which answers it with 501", "leave it out")
    return method


Method = Annotated[
    str,
    Form(r"[A-Z]{3,20}", "is no method of HTTP", "write it in capitals, such as GET"),
    AfterValidator(_passed_on),
]
"""RFC 9110, section 9; methods are compared with their case."""

CLIENTS_WORDS: Final = tuple(
    sorted(
        {
            *("client-ip", "forwarded", "front-end-https", "proxy", "x-client-ip"),
            *("x-cluster-client-ip", "x-forwarded", "x-host", "x-original-forwarded-for"),
            *("x-original-host", "x-original-method", "x-original-path", "x-original-uri"),
            *("x-original-url", "x-real-ip", "x-rewrite-url"),
            # The template knows which of Cloudflare's own stay when Cloudflare calls.
            *(each for each in headers_of_cdns() if not each.startswith("cf-connecting-")),
        }
    )
)
"""Header fields in which a client says who or where it is, or what it asks for: the balancers take
them out, as they do all that begin with `x-forwarded-`."""

HeaderValue = Annotated[
    str,
    Form(
        r"(?! )[ !#-\[\]-~]{1,500}(?<! )",
        "is no value of a header field that is compared or written",
        "write ASCII on one line, without double quotes and backslashes",
    ),
]
"""RFC 9110, section 5.5, but for what HAProxy's own configuration takes."""


class Sharing(Strict):
    """How requests are shared out among the nodes."""

    balance: Literal["roundrobin", "leastconn", "uri", "source"] = "roundrobin"
    """`roundrobin`: in turn. `leastconn`: to the node with the fewest connections (long sessions).
    `uri`: a path always to one node (caches). `source`: a client always to one node. The last two
    by a consistent hash: a node that goes or comes moves its own share only."""
    sticky: Literal["cookie", "source"] | None = None
    """Keeps a client where it was first sent: by a cookie, or by its address in a table that both
    balancers share. When its node is gone, it is sent to another."""
    sticky_for: Seconds = Field(default=1800, ge=1, le=86_400)
    """How long a client by its address is remembered after its last request, in seconds."""

    max_connections_per_node: int | None = Field(default=None, ge=1, le=500_000)
    """Connections of each balancer to a node at a time; who comes then waits for `timeouts.queue`.
    Null: no limit but the balancer's own."""
    http2: bool = False
    """Whether requests go on over HTTP/2: to the ingress where they came over TLS, to a service of
    its own with TLS or without, as one for gRPC needs it."""


class Route(Sharing):
    """Requests with a way of their own. All that is named must fit; the first route that fits is
    taken, and requests that fit none go to the ingress."""

    name: Name
    """Its name in the statistics."""
    hosts: list[Hostname] = Field(default_factory=list)
    """Host names asked for; `*` covers one label. Empty: any."""
    paths: list[UrlPath] = Field(default_factory=list)
    """Whole paths, compared decoded."""
    prefixes: list[UrlPrefix] = Field(default_factory=list)
    """Paths with all below them: /shop is also /shop/cart, and not /shopping."""
    methods: list[Method] = Field(default_factory=list)
    """Methods, such as GET. Empty: any."""
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, max_length=32)
    """Header fields and their values, compared whole."""
    node_port: NodePort | None = None
    """The NodePort of a service that is reached beside the ingress; null: the ingress'."""
    tls: bool = False
    """Whether the service at `node_port` speaks TLS; its certificate is not verified."""
    health_path: UrlPath | None = None
    """What the service at `node_port` is asked on each node; null: whether it takes connections."""

    @property
    def narrowed(self) -> bool:
        """Whether anything is asked of a request at all."""
        return any((self.hosts, self.paths, self.prefixes, self.methods, self.headers))
