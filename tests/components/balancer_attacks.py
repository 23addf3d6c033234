"""What is tried on the balancers, and what each gets: the rows of docs/attacks.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

VISITOR = "192.0.2.7"
"""Whom the CDN names."""
LIAR = "203.0.113.66"
"""Whom a client says that it is."""
_NAMED = f"CF-Connecting-IP: {VISITOR}\r\n"
_HEAD = f"Host: echo.lab.test\r\n{_NAMED}"
_UPGRADE = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade"
_SMUGGLED = "GET /admin HTTP/1.1\r\nHost: echo.lab.test\r\n\r\n"
ENDED = 0
"""No answer: the stream is reset (HTTP/2)."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One request: `title` and `outcome` are its row, `asked` is what `raw_client.play` takes.

    `status` is what it is answered with; the application's request has all of `has` and none of
    `lacks`, whatever their case; `body` is the body that it gets.
    """

    title: str
    outcome: str
    asked: dict[str, Any]
    status: int
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    body: str = ""
    space: str = "cdn"


def _get(target: str, more: str = "", method: str = "GET", head: str = _HEAD) -> dict[str, Any]:
    return {"sent": f"{method} {target} HTTP/1.1\r\n{head}{more}\r\n"}


def _post(more: str, body: str) -> dict[str, Any]:
    return {"sent": f"POST /x HTTP/1.1\r\n{_HEAD}{more}\r\n{body}"}


@dataclass
class _Two:
    """A request over HTTP/2: pseudo-header fields, others."""

    over: dict[str, str] = field(default_factory=dict)
    more: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def asked(self) -> dict[str, Any]:
        pseudo = {":method": "GET", ":scheme": "https", ":path": "/x"}
        pseudo |= {":authority": "echo.lab.test", **self.over}
        fields = [*pseudo.items(), ("cf-connecting-ip", VISITOR), *self.more]
        return {"fields": fields, "body": self.body}


def _refused(status: int, title: str, asked: dict[str, Any]) -> Attack:
    words = {ENDED: "the stream is reset"}
    return Attack(title=title, outcome=words.get(status, str(status)), asked=asked, status=status)


def _paths() -> Iterator[Attack]:
    for target in ("/x/../admin", "/x/%2e%2e/admin", "/x%2f..%2fadmin", "/./admin", "/admin/."):
        yield _refused(400, f"`{target}`", _get(target))
    for target in ("/x/..;/admin", "/x/..;a=b/admin", "/x/%2e%2e;/admin"):
        yield _refused(400, f"`{target}` (a segment's parameter)", _get(target))
    for target in ("/x\\..\\admin", "/admin\\x", "/x%5c..%5cadmin"):
        yield _refused(400, f"`{target}` (a backslash)", _get(target))
    for target in ("/admin%00", "/admin%00.png", "/admin%09", "/admin%0d%0aX:y"):
        yield _refused(400, f"`{target}` (a control character)", _get(target))
    for target in ("/admin#x", "/a b", "/\x01", "/\xe9", "admin"):
        shown = target.encode("unicode_escape").decode()
        yield _refused(400, f"`{shown}` as it stands", _get(target))
    for target in ("/admin", "/ADMIN", "//admin", "/%61dmin", "/%2fadmin", "/admin?x", "/admin%2f"):
        yield _refused(403, f"`{target}`, which is denied", _get(target))
    for target in ("/admin;x", "/admin;x=1/y", "/;/admin", "/;a/admin;b"):
        yield _refused(403, f"`{target}` (parameters around it)", _get(target))
    yield _refused(403, "`http://echo.lab.test/admin`", _get("http://echo.lab.test/admin"))
    yield _refused(400, "`GET *`", _get("*"))
    yield _refused(400, "`GET http://echo.lab.test`, without a path", _get("http://echo.lab.test"))
    yield Attack(
        title="`/%2561dmin` (encoded twice)",
        outcome="passed on as it is: whoever decodes once reads `/%61dmin`",
        asked=_get("/%2561dmin"),
        status=200,
        has=("GET /%2561dmin HTTP/1.1",),
    )


def _methods() -> Iterator[Attack]:
    yield _refused(501, "`CONNECT echo.lab.test:443`", _get("echo.lab.test:443", method="CONNECT"))
    yield _refused(400, "`CONNECT /admin`", _get("/admin", method="CONNECT"))
    yield _refused(501, "`TRACE`", _get("/x", method="TRACE"))
    yield _refused(400, "`G@T`", _get("/x", method="G@T"))
    yield Attack(
        title="`X-HTTP-Method-Override`, `X_Method`, where methods are filtered",
        outcome="taken out",
        asked=_get("/x", "X-HTTP-Method-Override: DELETE\r\nX_Method: DELETE\r\n"),
        status=200,
        lacks=("delete",),
    )
    for title, value in (
        ("h2c", "h2c"),
        ("TLS", "TLS/1.0"),
        ("WebSocket or h2c", "websocket, h2c"),
    ):
        yield Attack(
            title=f"an upgrade to {title}",
            outcome="passed on without it",
            asked=_get(
                "/x",
                f"{_UPGRADE}, HTTP2-Settings\r\nHTTP2-Settings: AA\r\nUpgrade: {value}\r\n",
            ),
            status=200,
            lacks=("upgrade", "http2-settings"),
        )
    yield Attack(
        title="an upgrade to WebSocket",
        outcome="passed on",
        asked=_get("/x", f"{_UPGRADE}, X-Forwarded-For\r\nUpgrade: websocket\r\n"),
        status=200,
        has=("upgrade: websocket\r\n", "connection: Upgrade\r\n"),
    )


def _forged() -> Iterator[Attack]:
    names = ["X-Forwarded-For", "X-Forwarded", "X-Forwarded-Server", "X-Real-IP", "Client-IP"]
    names += ["Forwarded", "True-Client-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Host"]
    names += ["X-Original-URL", "X-Rewrite-URL", "X-Original-Host", "Front-End-Https", "Proxy"]
    names += ["Fastly-Client-IP", "X-Original-Forwarded-For", "CF-Connecting-IPv6"]
    under = [each.replace("-", "_") for each in ("CF-Connecting-IP", *names)]
    mixed = ["X_Forwarded-For", "CF_Connecting-IP", "CF-Connecting_IP", "CF-Connecting_IPv6"]
    for title, said in (
        (f"`{'`, `'.join(names[:-1])}`", names[:-1]),
        ("the same, and the CDN's own, with underscores", under),
        ("the same with both", mixed),
    ):
        yield Attack(
            title=title,
            outcome="taken out",
            asked=_get("/x", "".join(f"{name}: {LIAR}\r\n" for name in said)),
            status=200,
            has=(f"x-forwarded-for: {VISITOR}\r\n", f"cf-connecting-ip: {VISITOR}\r\n"),
            lacks=(LIAR,),
        )
    yield Attack(
        title="the CDN's own header, from somebody else",
        outcome="taken out",
        asked=_get(
            "/x",
            head=f"Host: a\r\nCF-Connecting-IP: {LIAR}\r\nCF-Connecting-IPv6: {LIAR}\r\n",
        ),
        status=200,
        has=("x-forwarded-for: 192.0.2.66\r\n",),
        lacks=(LIAR, "cf-connecting-ip"),
        space="stranger",
    )
    yield Attack(
        title="the CDN's own header twice",
        outcome="passed on once: the last, which the CDN wrote",
        asked=_get("/x", head=f"Host: a\r\nCF-Connecting-IP: {LIAR}\r\n{_NAMED}"),
        status=200,
        has=(f"cf-connecting-ip: {VISITOR}\r\n",),
        lacks=(LIAR,),
    )
    yield Attack(
        title="the CDN's own header without an address",
        outcome="passed on with the CDN's address",
        asked=_get("/x", head="Host: a\r\nCF-Connecting-IP: nobody\r\n"),
        status=200,
        has=("cf-connecting-ip: 198.51.100.10\r\n", "x-forwarded-for: 198.51.100.10\r\n"),
        lacks=("nobody",),
    )
    yield Attack(
        title="`Connection: X-Forwarded-For, CF-Connecting-IP`",
        outcome="passed on without `Connection`",
        asked=_get("/x", "Connection: X-Forwarded-For, CF-Connecting-IP\r\n"),
        status=200,
        has=(f"x-forwarded-for: {VISITOR}\r\n",),
        lacks=("\r\nconnection:",),
    )
    yield _refused(
        400,
        "a PROXY header of version 1",
        {"sent": f"PROXY TCP4 {LIAR} 192.0.2.1 1 2\r\n{_get('/x')['sent']}"},
    )
    yield _refused(
        400,
        "a PROXY header of version 2",
        {"sent": "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + "\1" * 12 + _get("/x")["sent"]},
    )


def _framing() -> Iterator[Attack]:
    size = len(_SMUGGLED)
    yield Attack(
        title="CL.TE",
        outcome="passed on chunked without the length; then the connection ends",
        asked=_post(
            f"Content-Length: {5 + size}\r\nTransfer-Encoding: chunked\r\n", f"0\r\n\r\n{_SMUGGLED}"
        ),
        status=200,
        has=("transfer-encoding: chunked\r\n",),
        lacks=("content-length",),
    )
    yield Attack(
        title="TE.CL",
        outcome="passed on chunked without the length",
        asked=_post(
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            f"{size:x}\r\n{_SMUGGLED}\r\n0\r\n\r\n",
        ),
        status=200,
        has=("transfer-encoding: chunked\r\n",),
        lacks=("content-length",),
        body=_SMUGGLED,
    )
    for value in (
        "xchunked",
        "chunked, identity",
        "chunked, chunked",
        "identity",
        "\x0bchunked",
        '"chunked"',
    ):
        shown = value.encode("unicode_escape").decode()
        yield _refused(
            400,
            f"TE.TE: `Transfer-Encoding: {shown}`",
            _post(f"Transfer-Encoding: {value}\r\n", "0\r\n\r\n"),
        )
    for value in ("identity, chunked", "gzip, chunked", ",chunked"):
        yield _refused(
            422,
            f"TE.TE: `Transfer-Encoding: {value}`",
            _post(f"Transfer-Encoding: {value}\r\n", "0\r\n\r\n"),
        )
    yield _refused(
        400,
        "TE.TE: two fields, `chunked` and `x`",
        _post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n"),
    )
    yield _refused(
        400, "`Transfer-Encoding : chunked`", _post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")
    )
    yield _refused(
        400, "CL.CL: 0 and 5", _post("Content-Length: 0\r\nContent-Length: 5\r\n", "hello")
    )
    for value in ("5,6", "+5", "-1", "0x5", "5 5", "", "99999999999999999999999"):
        yield _refused(
            400, f"`Content-Length: {value}`", _post(f"Content-Length: {value}\r\n", "hello")
        )
    for title, fields in (
        ("CL.CL: 5 twice", "Content-Length: 5\r\n" * 2),
        ("`Content-Length: 5, 5`", "Content-Length: 5, 5\r\n"),
    ):
        yield Attack(
            title=title,
            outcome="passed on with one length",
            asked=_post(fields, "hello"),
            status=200,
            has=("content-length: 5\r\n",),
            lacks=("5, 5",),
            body="hello",
        )
    for title, body in (
        ("`5;a=b` (a chunk's extension)", "5;a=b\r\nhello\r\n0\r\n\r\n"),
        ("chunks that end in a bare LF", "5\nhello\n0\n\n"),
    ):
        yield Attack(
            title=title,
            outcome="passed on as chunks of our own",
            asked=_post("Transfer-Encoding: chunked\r\n", body),
            status=200,
            body="hello",
        )
    for title, body in (
        ("`0x5` as a chunk's size", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("a chunk's size beyond 64 bits", "ffffffffffffffff5\r\nhello\r\n0\r\n\r\n"),
        ("a chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n"),
        ("a bare LF in a chunk's extension", "5;a\nb\r\nhello\r\n0\r\n\r\n"),
    ):
        yield _refused(400, title, _post("Transfer-Encoding: chunked\r\n", body))
    yield Attack(
        title="a whole request as the body of a GET",
        outcome="passed on as the body",
        asked=_get("/x", f"Content-Length: {size}\r\n")
        | {"sent": _get("/x", f"Content-Length: {size}\r\n")["sent"] + _SMUGGLED},
        status=200,
        body=_SMUGGLED,
    )


def _fields() -> Iterator[Attack]:
    for title, more in (
        ("a folded field (obs-fold)", "X-A: b\r\n\tc\r\n"),
        ("lines that end in a bare LF", "X-A: b\nX-B: c\r\n"),
    ):
        yield Attack(
            title=title,
            outcome="passed on in lines of our own",
            asked=_get("/x", more),
            status=200,
            has=("x-a: b",),
            lacks=("b\r\n\t", "b\nx-b"),
        )
    for title, more in (
        ("a bare CR", "X-A: b\rX-B: c\r\n"),
        ("NUL in a field", "X-A: b\0c\r\n"),
        ("U+0001 in a field", "X-A: b\x01c\r\n"),
        ("a field without a name", ": b\r\n"),
        ("a blank in a field's name", "X A: b\r\n"),
        ("a blank before the first field's name", " X-A: b\r\n"),
    ):
        asked = _get("/x", more)
        if more.startswith(" "):
            asked = _get("/x", head=more + _HEAD)
        yield _refused(400, title, asked)
    for host in (
        "a b",
        "a, b",
        "<script>",
        'a"b',
        "echo.lab.test/x",
        "x@echo.lab.test",
        "echo.lab.test:80:80",
        "echo.lab.test:x",
        "..",
        "",
        "\xe9",
    ):
        shown = host.encode("unicode_escape").decode()
        yield _refused(400, f"`Host: {shown}`", _get("/x", head=f"Host: {host}\r\n{_NAMED}"))
    for host in ("ECHO.lab.test.", "echo.lab.test:443", "[2001:db8::1]:443"):
        yield Attack(
            title=f"`Host: {host}`",
            outcome="passed on",
            asked=_get("/x", head=f"Host: {host}\r\n{_NAMED}"),
            status=200,
            has=(f"host: {host}\r\n",),
        )
    yield _refused(400, "no `Host`", _get("/x", head=_NAMED))
    yield _refused(400, "two of `Host`", _get("/x", head="Host: a.example\r\nHost: b.example\r\n"))
    yield _refused(
        400,
        "`http://a.example/x` and `Host: b.example`",
        _get("http://a.example/x", head="Host: b.example\r\n"),
    )
    for version in ("HTTP/1.10", "HTTP/01.1", "http/1.1", "ICY/1.1"):
        yield _refused(
            400, f"`{version}` as the version", {"sent": f"GET /x {version}\r\n{_HEAD}\r\n"}
        )
    yield _refused(400, "no version (HTTP/0.9)", {"sent": "GET /x\r\n\r\n"})


def _sizes() -> Iterator[Attack]:
    yield _refused(414, "a URL of 17 KiB", _get("/" + "a" * 17 * 1024))
    yield _refused(431, "a field of 140 KiB", _get("/x", f"X-A: {'a' * 140 * 1024}\r\n"))
    yield _refused(400, "a field of 400 KiB", _get("/x", f"X-A: {'a' * 400 * 1024}\r\n"))
    yield _refused(400, "a field's name of 64 KiB", _get("/x", f"{'a' * 65536}: b\r\n"))
    yield _refused(
        400, "1001 fields", _get("/x", "".join(f"a{each}: b\r\n" for each in range(1001)))
    )
    yield _refused(
        408,
        "a header that does not end within `timeouts.http_request`",
        {"sent": f"GET /x HTTP/1.1\r\n{_HEAD}"},
    )


def _over_http2() -> Iterator[Attack]:
    for title, more in (
        ("CR LF in a field", ("x-a", "b\r\nx-b: c")),
        ("LF in a field", ("x-a", "b\nx-b: c")),
        ("NUL in a field", ("x-a", "b\0c")),
        ("CR LF in a field's name", ("x-a: b\r\nx-c", "d")),
        ("a colon in a field's name", ("x-a:b", "c")),
        ("a blank in a field's name", ("x a", "b")),
        ("a capital in a field's name", ("X-A", "b")),
        ("a field without a name", ("", "b")),
        ("`Connection`", ("connection", "x-forwarded-for")),
        ("`Transfer-Encoding`", ("transfer-encoding", "chunked")),
        ("`Upgrade`", ("upgrade", "h2c")),
        ("`:path` twice", (":path", "/y")),
        ("an unknown pseudo-field", (":x", "y")),
    ):
        yield _refused(ENDED, title, _Two(more=(more,)).asked())
    for title, path in (
        ("CR LF in `:path`", "/x HTTP/1.1\r\nX: y\r\n\r\nGET /admin"),
        ("a blank in `:path`", "/x y"),
        ("`:path` `/admin#x`", "/admin#x"),
        ("`:path` `admin`", "admin"),
        ("`:path` `http://a/admin`", "http://a/admin"),
        ("no `:path`", ""),
    ):
        yield _refused(ENDED, title, _Two({":path": path}).asked())
    for title, path in (
        ("`:path` `*`", "*"),
        ("`:path` beyond ASCII", "/\xe9"),
        ("`:path` `/x/../admin`", "/x/../admin"),
    ):
        yield _refused(400, title, _Two({":path": path}).asked())
    for authority in ("a/b", "a,b", "x@a", "a b"):
        yield _refused(400, f"`:authority` `{authority}`", _Two({":authority": authority}).asked())
    yield _refused(ENDED, "CR LF in `:authority`", _Two({":authority": "a\r\nX: y"}).asked())
    yield _refused(
        ENDED, "a request line in `:method`", _Two({":method": "GET /admin HTTP/1.1\r\nX:"}).asked()
    )
    yield _refused(400, "`:scheme` `http://a/?`", _Two({":scheme": "http://a/?"}).asked())
    yield _refused(
        501,
        "`CONNECT`",
        {"fields": [(":method", "CONNECT"), (":authority", "echo.lab.test:443")], "body": ""},
    )
    yield _refused(
        ENDED,
        "a body longer than `Content-Length`",
        _Two(more=(("content-length", "1"),), body="hello").asked(),
    )
    yield Attack(
        title="`Host` beside `:authority`",
        outcome="passed on as `:authority` says",
        asked=_Two(more=(("host", "evil.example"),)).asked(),
        status=200,
        has=("host: echo.lab.test\r\n",),
        lacks=("evil",),
    )
    yield Attack(
        title="`:protocol` `h2c`",
        outcome="passed on without an upgrade",
        asked=_Two({":method": "CONNECT", ":protocol": "h2c"}).asked(),
        status=200,
        lacks=("upgrade", "h2c"),
    )
    yield Attack(
        title="`:protocol` `websocket`",
        outcome="passed on as an upgrade",
        asked=_Two({":method": "CONNECT", ":protocol": "websocket"}).asked(),
        status=200,
        has=("upgrade: websocket\r\n", "connection: upgrade\r\n"),
    )


GROUPS = {
    "Paths": tuple(_paths()),
    "Methods and upgrades": tuple(_methods()),
    "Words about who calls": tuple(_forged()),
    "Where a request ends": tuple(_framing()),
    "Fields and hosts": tuple(_fields()),
    "Sizes and time": tuple(_sizes()),
    "HTTP/2, passed on as HTTP/1.1": tuple(_over_http2()),
}
"""By the heading of their table."""
