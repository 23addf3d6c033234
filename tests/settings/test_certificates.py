"""A given certificate and its key, judged before anything is made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from settings.certificates import judge, judge_authorities, judge_further
from settings.models import FurtherCertificate
from tests.issued import NOW, Pair, made
from tests.settings.fixtures import base_config
from tests.settings.test_loader import SECRET, give, loaded, loop, refused, warned

__all__ = ["loop", "warned"]

NAMES = ["www.lab.test"]


ROOT = made("Root", names=(), ends=NOW + timedelta(days=3650))
MIDDLE = made("Middle", by=ROOT, names=(), ends=NOW + timedelta(days=1000))
LEAF = made("www", by=MIDDLE)


def told(chain: str, key: str, names: list[str] = NAMES) -> tuple[list[str], list[str]]:
    verdict = judge(chain, key, names, NOW)
    return [str(each) for each in verdict.problems], [str(each) for each in verdict.warnings]


def test_a_chain_in_order_with_its_key_for_its_names_is_right() -> None:
    for chain in (LEAF.pem + MIDDLE.pem, LEAF.pem + MIDDLE.pem + ROOT.pem, LEAF.pem):
        assert told(chain, LEAF.key_pem, ["www.lab.test", "*.lab.test", "lab.test"]) == ([], [])


def test_one_that_expired_is_refused_by_name_and_date_wherever_it_stands() -> None:
    ends = NOW - timedelta(days=3)
    old = made("www", by=MIDDLE, ends=ends)
    assert told(old.pem, old.key_pem)[0] == [
        "layered-cloud:tlsCertificate: www, serial abc, expired on 2026-06-12; set its successor, "
        "and tlsKey with it when the key is another one"
    ]
    between = made("Between", by=ROOT, ends=ends)
    leaf = made("www", by=between)
    problems, _ = told(leaf.pem + between.pem, leaf.key_pem)
    assert [line.split(";")[0] for line in problems] == [
        "layered-cloud:tlsCertificate: Between, serial abc, expired on 2026-06-12"
    ]


def test_one_that_ends_soon_is_warned_of_with_the_date_and_the_days() -> None:
    for days, life, warns in ((29, 365, True), (31, 365, False), (20, 80, True), (28, 80, False)):
        ends = NOW + timedelta(days=days)
        soon = made("www", begins=ends - timedelta(days=life), ends=ends)
        problems, warnings = told(soon.pem, soon.key_pem)
        assert problems == []
        assert bool(warnings) == warns, (days, life)
    ends = NOW + timedelta(days=1, hours=5)
    soon = made("www", ends=ends)
    assert told(soon.pem, soon.key_pem)[1] == [
        "layered-cloud:tlsCertificate: www, serial abc, ends on 2026-06-16, in 1 day; set its "
        "successor, and tlsKey with it when the key is another one"
    ]


def test_one_of_tomorrow_is_refused() -> None:
    early = made("www", begins=NOW + timedelta(days=1))
    (line,) = told(early.pem, early.key_pem)[0]
    assert "is valid from 2026-06-16 on; give one that is valid now, or look at" in line


def test_a_chain_out_of_order_is_refused_by_the_names_that_do_not_follow() -> None:
    problems, _ = told(LEAF.pem + ROOT.pem + MIDDLE.pem, LEAF.key_pem)
    assert [line.split(";")[0] for line in problems] == [
        "layered-cloud:tlsCertificate: is not in order: www is not signed by Root, which follows",
        "layered-cloud:tlsCertificate: is not in order: Root is not signed by Middle, which "
        "follows",
    ]
    upside_down, _ = told(MIDDLE.pem + LEAF.pem, LEAF.key_pem)
    assert any(
        "tlsKey: is the key of www, which does not stand first in tlsCertificate" in line
        for line in upside_down
    )


def test_another_certificates_key_is_refused_and_never_shown() -> None:
    other = made("other")
    problems, _ = told(LEAF.pem, other.key_pem)
    assert problems == [
        "layered-cloud:tlsKey: is not the key of www, which stands first in tlsCertificate; set "
        "the two that belong together"
    ]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (
            LEAF.key.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hush")
            ).decode(),
            "has a passphrase; give it without one",
        ),
        ("-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n", "cannot be read"),
    ],
)
def test_a_key_that_nobody_can_use_is_refused(key: str, words: str) -> None:
    (line,) = told(LEAF.pem, key)[0]
    assert line.startswith(f"layered-cloud:tlsKey: {words}")
    assert "hush" not in line


def test_one_that_is_not_for_the_names_is_refused_by_the_names() -> None:
    problems, _ = told(LEAF.pem, LEAF.key_pem, ["www.lab.test", "a.b.lab.test", "other.test"])
    assert problems == [
        "layered-cloud:tlsCertificate: is for *.lab.test, lab.test and not for a.b.lab.test, "
        "other.test; give one for every name in balancers.certificate.names, or take the name "
        "out there"
    ]
    bare = made("www.lab.test", names=())
    (line,) = told(bare.pem, bare.key_pem)[0]
    assert "is for no host name and not for www.lab.test" in line


def test_a_text_that_is_no_certificate_is_refused() -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    (line,) = told(broken, LEAF.key_pem)[0]
    assert line == "layered-cloud:tlsCertificate: cannot be read; give a PEM chain"


@pytest.fixture
def given() -> Iterator[dict[str, Any]]:
    config = base_config()
    config["layered-cloud:balancers"]["certificate"]["source"] = "given"
    yield config


def of_today(**more: Any) -> Pair:
    return made("www", names=("*.lab.test", "lab.test"), begins=datetime.now(UTC), **more)


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_stack_refuses_it_on_up_and_in_a_preview(
    given: dict[str, Any], warned: list[str], dry_run: bool
) -> None:
    given["layered-cloud:balancers"]["certificate"]["names"].append("elsewhere.test")
    pair = of_today(ends=datetime.now(UTC) + timedelta(days=300))
    secrets = {**SECRET, "tlsCertificate": pair.pem, "tlsKey": pair.key_pem}
    give(given, secrets, dry_run=dry_run)
    (line,) = refused()
    assert line.startswith("layered-cloud:tlsCertificate: is for *.lab.test, lab.test and not for")


def test_the_stack_warns_of_one_that_ends_soon(given: dict[str, Any], warned: list[str]) -> None:
    now = datetime.now(UTC)
    pair = made("www", begins=now - timedelta(days=350), ends=now + timedelta(days=10, minutes=5))
    give(given, {**SECRET, "tlsCertificate": pair.pem, "tlsKey": pair.key_pem})
    loaded(lambda stack, secrets: None)
    (line,) = warned
    assert line.startswith("layered-cloud:tlsCertificate: www, serial abc, ends on ")
    assert ", in 10 days; set its successor" in line


KEY = "cdn.origin_pulls.client_ca"


def judged(*authorities: Pair) -> tuple[list[str], list[str]]:
    verdict = judge_authorities("".join(each.pem for each in authorities), KEY, NOW)
    return [str(each) for each in verdict.problems], [str(each) for each in verdict.warnings]


def test_an_authority_is_judged_by_its_end_alone() -> None:
    good = made("Good", authority=True, names=())
    old = made("Old", authority=True, names=(), ends=NOW - timedelta(days=1))
    soon = made("Soon", authority=True, names=(), ends=NOW + timedelta(days=3))
    assert judged(good) == ([], [])
    assert judged(good, old, soon) == (
        [f"layered-cloud:{KEY}: Old expired on 2026-06-14; write its successor"],
        [
            f"layered-cloud:{KEY}: Soon ends on 2026-06-18, in 3 days; add its successor; both are "
            "accepted"
        ],
    )


def test_the_stack_refuses_a_cdns_authority_that_expired(warned: list[str]) -> None:
    ends = datetime.now(UTC) - timedelta(days=1)
    old = made("Old", authority=True, names=(), begins=ends - timedelta(days=9), ends=ends)
    config = base_config()
    config["layered-cloud:balancers"]["certificate"]["source"] = "self-signed"
    config["layered-cloud:balancers"]["redirect_to_https"] = True
    config["layered-cloud:cdn"] = {
        **{"kind": "listed", "range_list": ["198.51.100.0/24"], "client_ip_header": "X-Client"},
        "origin_pulls": {"client_ca": old.pem},
    }
    give(config, SECRET)
    (line,) = refused()
    assert line.startswith(f"layered-cloud:{KEY}: Old expired on ")


SHOP = made("shop", by=MIDDLE, names=("shop.test",))
SHOPS = FurtherCertificate(name="shops", names=["shop.test"])
SITES = FurtherCertificate(name="sites", names=["www.lab.test"])


def further(text: str) -> list[str]:
    return [str(each) for each in judge_further(text, [SHOPS, SITES], NOW).problems]


def test_further_certificates_stand_one_after_another_each_with_its_key() -> None:
    text = SHOP.pem + MIDDLE.pem + SHOP.key_pem + LEAF.pem + LEAF.key_pem
    assert further(text) == []


def test_what_is_wrong_with_a_further_certificate_is_told_by_what_it_is_called() -> None:
    assert further(LEAF.pem + LEAF.key_pem + LEAF.pem + SHOP.key_pem) == [
        "layered-cloud:tlsFurther: (shops) is for *.lab.test, lab.test and not for shop.test; give "
        "one for every name in balancers.certificate.further[0].names, or take the name out there",
        "layered-cloud:tlsFurther: (sites) is not the key of www, which stands first in "
        "tlsFurther; set the two that belong together",
    ]
    ended = made("shop", names=("shop.test",), ends=NOW - timedelta(days=1))
    assert further(ended.pem + ended.key_pem + LEAF.pem + LEAF.key_pem) == [
        "layered-cloud:tlsFurther: (shops) shop, serial abc, expired on 2026-06-14; set its "
        "successor in tlsFurther, with its key"
    ]


def test_as_many_further_certificates_are_given_as_are_named() -> None:
    assert further(SHOP.pem + SHOP.key_pem) == [
        "layered-cloud:tlsFurther: holds 1 private keys, and balancers.certificate.further names "
        "2 certificates; give each certificate's chain with its key behind it, in the order of "
        "the list"
    ]


def test_a_stack_with_further_certificates_needs_them_and_judges_them(warned: list[str]) -> None:
    config = base_config()
    config["layered-cloud:balancers"]["certificate"]["further"] = [SHOPS.model_dump()]
    give(config, SECRET)
    (line,) = refused()
    assert line.startswith("layered-cloud:tlsFurther: is not set (the further certificates (PEM)")
    pair = of_today(ends=datetime.now(UTC) + timedelta(days=300))
    give(config, {**SECRET, "tlsFurther": pair.pem + pair.key_pem})
    (line,) = refused()
    assert line.startswith("layered-cloud:tlsFurther: (shops) is for *.lab.test, lab.test and not")


def ordering(**acme: Any) -> dict[str, Any]:
    """The base stack, whose balancers order their certificate by records."""
    config = base_config()
    told = {"challenge": "dns-01", "email": "ops@lab.test", "terms_agreed": True}
    config["layered-cloud:balancers"]["certificate"] = {
        **{"source": "acme", "names": ["lab.test", "*.lab.test"]},
        "acme": {**told, "zones": ["lab.test"], **acme},
    }
    return config


def test_who_orders_by_records_needs_a_token_of_a_sound_form(warned: list[str]) -> None:
    give(ordering(), SECRET)
    (line,) = refused()
    assert line.startswith("layered-cloud:acmeDnsToken: is not set (the Cloudflare API token that")
    give(ordering(), {**SECRET, "acmeDnsToken": "a token\ndns_cloudflare_api_key = other"})
    (line,) = refused()
    assert line.startswith(
        "layered-cloud:acmeDnsToken: has the wrong form (its value is not shown)"
    )
    assert "other" not in line
    give(ordering(), {**SECRET, "acmeDnsToken": "Ab_-9"})
    loaded(lambda stack, secrets: None)


def test_the_stack_refuses_who_signs_a_directorys_certificate_and_has_expired(
    warned: list[str],
) -> None:
    ends = datetime.now(UTC) - timedelta(days=1)
    old = made("Old", authority=True, names=(), begins=ends - timedelta(days=9), ends=ends)
    give(ordering(authorities=old.pem), {**SECRET, "acmeDnsToken": "Ab_-9"})
    (line,) = refused()
    assert line.startswith("layered-cloud:balancers.certificate.acme.authorities: Old expired on ")
