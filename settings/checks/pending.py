"""What a stack still lacks before it can be built: blanks that a preview does not need.

Shipped stacks carry such blanks on purpose, because no default could be right. They are warnings
at preview and errors at `up`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from settings.checks.claims import claims
from settings.models.addresses import DOCUMENTATION, AnyNetwork, within
from settings.models.cert_manager import Issuer
from settings.models.charts import Chart
from settings.models.proxmox import Image
from settings.models.software import AptRepository
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import ABSENT, Problem, problem

_EXAMPLE = re.compile(r"(^|[^a-z0-9-])example\.(org|com|net)(?![a-z0-9.-])|\.example(?![a-z0-9.-])")


def pending(stack: Stack) -> list[Problem]:
    """Every blank that has to be filled in before `up`."""
    return [
        *_checksum(stack),
        *_repository_keys(stack),
        *_examples(stack),
        *_addresses(stack),
        *_numbers(stack),
    ]


def _checksum(stack: Stack) -> Iterator[Problem]:
    for path, image in walk(stack, Image):
        if set(image.sha256) == {"0"}:
            yield problem(
                f"{path}.sha256",
                ABSENT,
                "is all zeros, a blank to fill in",
                f"write the image's checksum: download {image.url}, compare it with the "
                f"publisher's own sums beside it, then: sha256sum {image.url.rpartition('/')[2]}",
            )


def _repository_keys(stack: Stack) -> Iterator[Problem]:
    for key in ("kubernetes_repository", "containerd_repository"):
        repository = getattr(stack.software, key)
        if repository is not None and repository.signed_by is None:
            yield problem(
                f"software.{key}.signed_by",
                ABSENT,
                f"is missing: the image does not know the key of {repository.uris[0]}",
                "write the armored public key, as the repository publishes it",
            )


def _examples(stack: Stack) -> Iterator[Problem]:
    given: list[tuple[str, str | None]] = [
        ("proxmox.endpoint", stack.proxmox.endpoint),
        *((f"{path}.url", image.url) for path, image in walk(stack, Image)),
        ("cdn.zone", stack.cdn.zone),
    ]
    for path, repository in walk(stack, AptRepository):
        given += [(f"{path}.uris[{index}]", uri) for index, uri in enumerate(repository.uris)]
    for path, chart in walk(stack, Chart):
        given.append((f"{path}.repository", chart.repository))
    for path, issuer in walk(stack, Issuer):
        given.append((f"{path}.email", issuer.email))
    for path, text in given:
        if text is not None and _EXAMPLE.search(text):
            yield problem(
                path, text, "is an example (RFC 2606), a blank to fill in", "write your own"
            )


def _addresses(stack: Stack) -> Iterator[Problem]:
    """Documentation addresses on the WAN, unless the stack is a test's."""
    if _a_tests(stack):
        return
    wan = stack.networks.wan
    blanks: list[tuple[str, object]] = [
        (f"networks.wan.{key}", each) for key, each in wan.subnets.items() if _documents(each)
    ]
    blanks += [
        (claim.path, claim.address)
        for claim in claims(stack)
        if ".wan" in claim.path and any(claim.address in each for each in DOCUMENTATION)
    ]
    for path, shown in blanks:
        yield problem(
            path,
            shown,
            f"is for documentation (RFC {3849 if ':' in str(shown) else 5737}), a blank to fill in",
            "write what your provider gave you",
        )


_EXAMPLES = (*range(64_496, 64_512), *range(65_536, 65_552))
"""AS numbers for documentation (RFC 5398)."""


def _numbers(stack: Stack) -> Iterator[Problem]:
    """Documentation's AS numbers, unless the stack is a test's."""
    bgp = stack.routers.bgp
    if bgp is None or _a_tests(stack):
        return
    given = [("routers.bgp.asn", bgp.asn)]
    given += [
        (f"routers.bgp.upstream[{index}].asn", each.asn) for index, each in enumerate(bgp.upstream)
    ]
    for path, number in given:
        if number in _EXAMPLES:
            wrong = "is for documentation (RFC 5398), a blank to fill in"
            yield problem(path, number, wrong, "write the number that was assigned")


def _a_tests(stack: Stack) -> bool:
    """By its names (RFC 6761)."""
    names = (stack.networks.domain, stack.cdn.zone or "", *stack.balancers.certificate.names)
    return any(name.endswith(".test") for name in names)


def _documents(network: AnyNetwork) -> bool:
    return any(within(network, each) for each in DOCUMENTATION)
