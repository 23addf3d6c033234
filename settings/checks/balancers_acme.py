"""A certificate that the balancers order themselves: its names can be proven, and who asks about
them is answered."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.names import inside
from settings.checks.registry import doubts, reads
from settings.models.acme import Acme
from settings.models.cert_manager import CHALLENGE_PATH
from settings.models.platform import Demo
from settings.models.services import PublicService
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import ABSENT, Problem, problem

_CERTIFICATE = "balancers.certificate"
_ACME = f"{_CERTIFICATE}.acme"
_STAGING = "//acme-staging"


@reads("balancers")
def an_ordered_certificate_has_an_authority(stack: Stack) -> Iterator[Problem]:
    """Who orders says of whom; who orders nothing says nothing of it."""
    certificate = stack.balancers.certificate
    source = certificate.source
    if source == "acme" and certificate.acme is None:
        wrong = f"is missing, and {_CERTIFICATE}.source is acme"
        yield problem(_ACME, ABSENT, wrong, "write challenge, email and terms_agreed there")
    if source != "acme" and certificate.acme is not None:
        wrong = f"is of no use to {_CERTIFICATE}.source {source}, which orders nothing"
        yield problem(_ACME, ABSENT, wrong, "remove it, or write acme")
    if source == "acme" and "validity_hours" in certificate.model_fields_set:
        wrong = f"is the authority's to say, and {_CERTIFICATE}.source is acme"
        hours = certificate.validity_hours
        yield problem(f"{_CERTIFICATE}.validity_hours", hours, wrong, "remove it")


@reads("balancers")
def terms_are_agreed_to(stack: Stack) -> Iterator[Problem]:
    """Certbot would agree in somebody's name."""
    ordered = stack.balancers.certificate.ordered
    if ordered is not None and not ordered.terms_agreed:
        yield problem(
            f"{_ACME}.terms_agreed",
            False,
            f"keeps the balancers from registering at {_ACME}.directory ({ordered.directory})",
            "read the terms that it names (termsOfService), and write true",
        )


@reads("balancers")
def ordered_names_can_be_proven(stack: Stack) -> Iterator[Problem]:
    """By an answer no wildcard (RFC 8555, section 8.3); by a record those of certain zones."""
    ordered, names = stack.balancers.certificate.ordered, stack.balancers.certificate.names
    if ordered is None:
        return
    if ordered.traits.zones and not ordered.zones:
        wrong = f"are missing: {ordered.challenge} writes records, by a token for certain zones"
        yield problem(f"{_ACME}.zones", ABSENT, wrong, "write the zones of the names")
    if not ordered.traits.zones and ordered.zones:
        wrong = f"are of no use to {_ACME}.challenge {ordered.challenge}, which writes no record"
        yield problem(f"{_ACME}.zones", ABSENT, wrong, "remove them, or write dns-01")
    for index, name in enumerate(names):
        path = f"{_CERTIFICATE}.names[{index}]"
        if ordered.traits.answers and name.startswith("*."):
            wrong = f"is a wildcard, which {_ACME}.challenge {ordered.challenge} does not prove"
            yield problem(path, name, wrong, "write dns-01, or every name by itself")
        if ordered.zones and not any(inside(zone, name) for zone in ordered.zones):
            wrong = f"is in none of {_ACME}.zones ({', '.join(ordered.zones)})"
            yield problem(path, name, wrong, "add its zone there, or leave the name out")


def _answered(stack: Stack) -> Acme | None:
    """Where the authority asks for an answer."""
    ordered = stack.balancers.certificate.ordered
    return None if ordered is None or not ordered.traits.answers else ordered


@reads("balancers", "routers", "cdn")
def the_authority_reaches_the_balancers(stack: Stack) -> Iterator[Problem]:
    """It asks the public address, by plain HTTP (RFC 8555, section 8.3)."""
    ordered = _answered(stack)
    if ordered is None:
        return
    if 80 not in stack.routers.public_ports:
        yield problem(
            f"{_ACME}.challenge",
            ordered.challenge,
            "is asked at port 80, and routers.public_ports has none",
            "add 80 there, or write dns-01",
        )
    if stack.cdn.traits.managed:
        yield problem(
            f"{_ACME}.challenge",
            ordered.challenge,
            f"is asked of the CDN, to which the names lead (cdn.kind {stack.cdn.kind}), and the "
            "routers let nobody else in: it may redirect the question or answer it by itself",
            f"write dns-01, or origin-ca in {_CERTIFICATE}.source",
        )


@doubts("balancers", "cdn")
def a_cdn_passes_the_question_on(stack: Stack) -> Iterator[Problem]:
    """What a CDN does that is managed elsewhere nobody here knows."""
    ordered, cdn = _answered(stack), stack.cdn
    if ordered is not None and cdn.traits.present and not cdn.traits.managed:
        yield problem(
            f"{_ACME}.challenge",
            ordered.challenge,
            f"is asked of the CDN (cdn.kind {cdn.kind}), which must pass {CHALLENGE_PATH} on at "
            "port 80, neither kept nor redirected",
            "have it do so, or write dns-01",
        )


@doubts("balancers")
def an_authority_is_trusted(stack: Stack) -> Iterator[Problem]:
    """Let's Encrypt's documentation, "Staging Environment"."""
    ordered = stack.balancers.certificate.ordered
    if ordered is not None and _STAGING in ordered.directory:
        default = Acme.model_fields["directory"].default
        yield problem(
            f"{_ACME}.directory",
            ordered.directory,
            "signs certificates that nobody trusts",
            f"once one has come, write {default}, or remove the key",
        )


@reads("balancers")
def one_that_has_none_yet_does_not_serve(stack: Stack) -> Iterator[Problem]:
    """A balancer of a pair that has no certificate yet leaves the addresses to the other one."""
    kind = stack.balancers.reach.kind
    if stack.balancers.certificate.source == "acme" and kind != "vrrp":
        yield problem(
            f"{_CERTIFICATE}.source",
            "acme",
            "is ordered by each balancer for itself, and a new one would serve before it has a "
            f"certificate where balancers.reach.kind is {kind}",
            "write given, or vrrp there",
        )


@reads("balancers", "platform")
def a_name_is_proven_in_one_place(stack: Stack) -> Iterator[Problem]:
    """What asks for a name's proof is answered by the balancers, or by the ingress."""
    ordered, given = _answered(stack), stack.platform.cert_manager
    answering = [] if given is None else [one.name for one in given.issuers if one.traits.answers]
    if ordered is None:
        return
    asking = [(path, demo.issuer, [demo.host]) for path, demo in walk(stack, Demo) if demo.enabled]
    asking += [(path, each.issuer, each.hosts) for path, each in walk(stack, PublicService)]
    for path, issuer, hosts in asking:
        both = [host for host in hosts if host in stack.balancers.certificate.names]
        if issuer in answering and both:
            yield problem(
                f"{path}.issuer",
                issuer,
                f"proves {', '.join(both)} by an answer at {CHALLENGE_PATH}, which the balancers "
                f"give themselves ({_ACME}.challenge {ordered.challenge})",
                "write an issuer of kind acme-dns01, or dns-01 there",
            )
