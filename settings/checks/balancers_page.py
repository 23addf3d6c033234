"""The page for when nobody answers: it fits, and is for hosts that visitors come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.names import covered
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_PAGE: Final = "balancers.maintenance_page"
_RESERVED: Final = 8192
"""Bytes of a buffer that are not the page's: HAProxy's `tune.maxrewrite`, which is 4096 here, and
the answer's header fields."""


@reads("balancers")
def the_page_fits_a_buffer(stack: Stack) -> Iterator[Problem]:
    """HAProxy answers with a whole page out of one buffer (configuration manual, `http-error`)."""
    page = stack.balancers.maintenance_page
    if page is None:
        return
    size, most = len(page.html.encode()), stack.balancers.sizes.buffer - _RESERVED
    if size > most:
        yield problem(
            f"{_PAGE}.html",
            ABSENT,
            f"is {size} bytes long, and a buffer has room for {most} (by balancers.sizes)",
            "leave pictures to another host",
        )


@reads("balancers")
def hosts_with_the_page_are_ours(stack: Stack) -> Iterator[Problem]:
    """A name that the certificate is not for is nobody's, and a slip of the pen."""
    page, names = stack.balancers.maintenance_page, stack.balancers.certificate.every_name
    hosts = [] if page is None else page.hosts
    for index, host in enumerate(hosts):
        path = f"{_PAGE}.hosts[{index}]"
        if host in hosts[:index]:
            yield problem(path, host, "stands twice", "name each host once")
        elif not covered(names, host):
            yield problem(
                path,
                host,
                "is no name of balancers.certificate",
                f"write one of {', '.join(names)}, or add it to balancers.certificate.names",
            )
