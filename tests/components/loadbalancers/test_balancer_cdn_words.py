"""The header in which a CDN names a client is taken out where that CDN does not call."""

from __future__ import annotations

import re

import pytest

from components.loadbalancers import haproxy
from settings.models.cdn import headers_of_cdns
from tests.components import rendered, stacks

_TAKEN_OUT = re.compile(r"^ +http-request del-header (\S+) -m reg$", flags=re.MULTILINE)


@pytest.mark.parametrize("header", sorted(headers_of_cdns()))
def test_without_a_cdn_a_client_names_itself_in_no_cdns_header(header: str) -> None:
    text = rendered.balancer_files(stacks.straight(), "lb-a")[haproxy.ROUTES]
    patterns = _TAKEN_OUT.findall(text)
    for written in (header, header.replace("-", "_")):
        assert any(re.fullmatch(each.strip("^$"), written) for each in patterns), patterns
