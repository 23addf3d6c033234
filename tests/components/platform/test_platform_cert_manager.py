"""Certificates in the cluster: who signs, when they are sent, what an Ingress says."""

from __future__ import annotations

from typing import get_args

from components.platform import cert_manager, demo
from components.platform.addon import Addon
from components.platform.entrance import ingress
from components.platform.ingress import CONTROLLERS
from settings.models import Issuer
from settings.models.cert_manager import TOKEN_REFERENCE
from tests.components import stacks
from tests.components.platform.platform_args import plain, site


def addon(*kinds: str) -> Addon:
    given = plain().cert_manager
    assert given is not None
    issuers = [each for each in given.issuers if each.kind in kinds]
    chosen = given.model_copy(update={"issuers": issuers})
    made = cert_manager.addon(site(plain().model_copy(update={"cert_manager": chosen})))
    assert made is not None
    return made


def test_every_kind_of_issuer_is_a_row() -> None:
    words = get_args(Issuer.model_fields["kind"].annotation)
    assert sorted(cert_manager.ISSUERS) == sorted(words)


def test_the_token_is_a_secret_only_where_records_are_written() -> None:
    assert addon("acme-dns01").secrets == {"cloudflare": ("api-token",)}
    assert addon("acme-http01", "own-ca").secrets == {}
    assert TOKEN_REFERENCE in plain().references()
    assert stacks.lab().platform.references() == []


def test_the_issuer_reads_the_token_that_is_sent() -> None:
    made = addon("acme-dns01")
    (issuer,) = made.objects.values()
    (solver,) = issuer["spec"]["acme"]["solvers"]
    named = solver["dns01"]["cloudflare"]["apiTokenSecretRef"]
    assert made.secrets == {named["name"]: (named["key"],)}
    assert solver["selector"] == {"dnsZones": ["example.org"]}


def test_an_authority_of_ones_own_signs_with_the_key_it_made() -> None:
    root, authority, issuer = addon("own-ca").objects.values()
    assert authority["spec"]["issuerRef"]["name"] == root["metadata"]["name"]
    assert issuer["spec"]["ca"]["secretName"] == authority["spec"]["secretName"]
    assert authority["metadata"]["namespace"] == addon("own-ca").values["clusterResourceNamespace"]


def test_answers_are_given_at_the_ingress_that_is_there() -> None:
    (issuer,) = addon("acme-http01").objects.values()
    (solver,) = issuer["spec"]["acme"]["solvers"]
    assert solver == {"http01": {"ingress": {"ingressClassName": "traefik"}}}


def test_the_demonstration_asks_whom_the_stack_names() -> None:
    shown = stacks.lab().platform.demo
    assert shown is not None
    signed = shown.model_copy(update={"issuer": "inside"})
    made = ingress(demo.entrance(signed), CONTROLLERS["traefik"])
    assert made["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "inside"}
    assert made["spec"]["tls"] == [{"hosts": [shown.host], "secretName": "echo-tls"}]
    assert "tls" not in ingress(demo.entrance(shown), CONTROLLERS["traefik"])["spec"]
