"""Whether a given certificate and its key will do: both are secrets, so a stack file cannot say.

What is told of a certificate is what everybody sees of it who calls the service: whose it is, for
which names, until when. Of the key nothing is told but that it does not fit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from settings.checks.names import covered
from settings.models.balancers import FurtherCertificate, renewal_hours
from settings.models.pem import bundles
from settings.problems import NAMESPACE, Problem

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a certificate comes from, for messages: the secrets of its chain and of its key, and
    the setting with its names."""

    chain: str = "tlsCertificate"
    key: str = "tlsKey"
    names: str = "balancers.certificate.names"

    @property
    def another(self) -> str:
        """What to do about one that ends."""
        if self.chain == self.key:
            return f"set its successor in {self.chain}, with its key"
        return f"set its successor, and {self.key} with it when the key is another one"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is wrong with it, and what soon will be."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def judge_further(text: str, wanted: Sequence[FurtherCertificate], now: datetime) -> Verdict:
    """The certificates after the first, as `tlsFurther` has them: a chain and its key for each of
    `wanted`, in their order."""
    given = bundles(text)
    name = "tlsFurther"
    if len(given) != len(wanted):
        wrong = f"holds {len(given)} private keys, and balancers.certificate.further names "
        wrong += f"{len(wanted)} certificates"
        right = "give each certificate's chain with its key behind it, in the order of the list"
        return Verdict(problems=[_wrong(name, wrong, right)])
    verdicts = []
    for index, (each, bundle) in enumerate(zip(wanted, given, strict=True)):
        names = f"balancers.certificate.further[{index}].names"
        place = Place(chain=name, key=name, names=names)
        verdict = judge(bundle.chain, bundle.key, each.names, now, place)
        for found in (verdict.problems, verdict.warnings):
            found[:] = [replace(one, wrong=f"({each.name}) {one.wrong}") for one in found]
        verdicts.append(verdict)
    return Verdict(
        problems=[one for each in verdicts for one in each.problems],
        warnings=[one for each in verdicts for one in each.warnings],
    )


def judge(
    chain: str, key: str, names: Sequence[str], now: datetime, place: Place | None = None
) -> Verdict:
    """A chain and a private key in PEM, for a service of these `names`, at the time `now` (with a
    time zone). A chain is in order when each certificate is signed by the next one (RFC 8446,
    4.4.2); whether the last one is trusted is the CDN's to say."""
    place = place or Place()
    try:
        links = x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        return Verdict(problems=[_wrong(place.chain, "cannot be read", "give a PEM chain")])
    problems = [
        *_order(links, place),
        *_fit(links, key, place),
        *_coverage(links[0], names, place),
    ]
    warnings: list[Problem] = []
    for link in links:
        ends = link.not_valid_after_utc
        which = f"{_whose(link)}, serial {link.serial_number:x},"
        if ends <= now:
            problems.append(
                _wrong(place.chain, f"{which} expired on {ends:%Y-%m-%d}", place.another)
            )
        elif link.not_valid_before_utc > now:
            begins = link.not_valid_before_utc
            right = f"give one that is valid now, or look at this machine's clock ({now:%Y-%m-%d})"
            problems.append(
                _wrong(place.chain, f"{which} is valid from {begins:%Y-%m-%d} on", right)
            )
        elif ends - now < _window(link):
            left = (ends - now).days
            said = f"{which} ends on {ends:%Y-%m-%d}, in {left} day{'s' * (left != 1)}"
            warnings.append(_wrong(place.chain, said, place.another))
    return Verdict(problems=problems, warnings=warnings)


def judge_authorities(pem: str, key: str, now: datetime) -> Verdict:
    """Certificates of authorities in PEM, under the stack's `key`, at the time `now`: whom an
    expired one has signed is refused by whoever verifies it."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for each in x509.load_pem_x509_certificates(pem.encode()):
        ends = each.not_valid_after_utc
        if ends <= now:
            said = f"{_whose(each)} expired on {ends:%Y-%m-%d}"
            problems.append(_wrong(key, said, "write its successor"))
        elif ends - now < _window(each):
            left = (ends - now).days
            said = f"{_whose(each)} ends on {ends:%Y-%m-%d}, in {left} day{'s' * (left != 1)}"
            warnings.append(_wrong(key, said, "add its successor; both are accepted"))
    return Verdict(problems=problems, warnings=warnings)


def _window(link: x509.Certificate) -> timedelta:
    life = link.not_valid_after_utc - link.not_valid_before_utc
    return renewal_hours(life // _HOUR) * _HOUR


def _order(links: Sequence[x509.Certificate], place: Place) -> Iterator[Problem]:
    for link, signer in itertools.pairwise(links):
        if not _signed(link, signer):
            yield _wrong(
                place.chain,
                f"is not in order: {_whose(link)} is not signed by {_whose(signer)}, which follows",
                "put the service's own certificate first, then the one that signed it, and so on",
            )


def _signed(link: x509.Certificate, signer: x509.Certificate) -> bool:
    try:
        link.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _fit(links: Sequence[x509.Certificate], key: str, place: Place) -> Iterator[Problem]:
    try:
        public = load_pem_private_key(key.encode(), password=None).public_key()
    except TypeError:
        right = "give it without one: nobody can type it on a balancer"
        yield _wrong(place.key, "has a passphrase", right)
        return
    except (ValueError, UnsupportedAlgorithm):
        yield _wrong(place.key, "cannot be read", "give a PEM private key")
        return
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ours = public.public_bytes(*form)
    fitting = [each for each in links if each.public_key().public_bytes(*form) == ours]
    if links[0] in fitting:
        return
    if fitting:
        yield _wrong(
            place.key,
            f"is the key of {_whose(fitting[0])}, which does not stand first in {place.chain}",
            "put that certificate first",
        )
    else:
        yield _wrong(
            place.key,
            f"is not the key of {_whose(links[0])}, which stands first in {place.chain}",
            "set the two that belong together",
        )


def _coverage(leaf: x509.Certificate, names: Sequence[str], place: Place) -> Iterator[Problem]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        given = [each.lower() for each in found.get_values_for_type(x509.DNSName)]
    except x509.ExtensionNotFound:
        given = []
    lacking = [name for name in names if not covered(given, name.lower())]
    if lacking:
        yield _wrong(
            place.chain,
            f"is for {', '.join(given) or 'no host name'} and not for {', '.join(lacking)}",
            f"give one for every name in {place.names}, or take the name out there",
        )


def _whose(link: x509.Certificate) -> str:
    """The common name, or the whole subject of a certificate without one."""
    named = link.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if named:
        return str(named[0].value)
    return link.subject.rfc4514_string() or "a certificate without a name"


def _wrong(name: str, wrong: str, right: str) -> Problem:
    return Problem(key=f"{NAMESPACE}:{name}", wrong=wrong, right=right)
