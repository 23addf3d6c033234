"""The hand-over to GitOps: what is sent, what stays, and a password that is in no plan."""

from __future__ import annotations

from typing import Any

import pytest

from components.platform import delivery
from components.platform.addon import Addon
from components.platform.delivery import DELIVERIES
from settings.checks.platform_delivery import DELIVERY
from settings.models import Delivery
from settings.models.delivery import DELIVERY_KINDS
from tests.components import stacks
from tests.components.platform.platform_args import plain, site


def given(**changes: Any) -> Delivery:
    found = plain().delivery
    assert found is not None
    return found.model_copy(update=changes)


def made(kind: str, **changes: Any) -> Addon:
    return DELIVERIES[kind](given(kind=kind, **changes))


def test_a_stack_without_it_hands_nothing_over() -> None:
    assert delivery.addon(site(stacks.lab().platform)) is None


def test_every_kind_has_rules_of_its_own() -> None:
    assert set(DELIVERY) == set(DELIVERIES)


@pytest.mark.parametrize("kind", sorted(DELIVERIES))
def test_the_hand_over_waits_until_its_kinds_are_known_and_stands_where_its_secret_is(
    kind: str,
) -> None:
    addon = made(kind)
    assert addon.webhook is not None
    assert addon.namespace == DELIVERY_KINDS[kind].namespace
    assert {each["metadata"]["namespace"] for each in addon.objects.values()} == {addon.namespace}
    wanted = {
        f"{addon.namespace}/{name}/{key}" for name in addon.secrets for key in addon.secrets[name]
    }
    assert wanted == set(given(kind=kind).references())
    assert made(kind, credentials=False).secrets == {}


def test_flux_reads_the_repository_with_the_secret_and_applies_the_folder() -> None:
    source, applied = made("flux").objects.values()
    assert source["spec"]["secretRef"] == {"name": "repository"}
    assert applied["spec"]["sourceRef"]["name"] == source["metadata"]["name"]
    assert applied["spec"]["path"] == "./clusters/prod"
    (open_source, root) = made("flux", credentials=False, path=".").objects.values()
    assert "secretRef" not in open_source["spec"]
    assert root["spec"]["path"] == "./"


def test_what_was_delivered_stays_when_the_hand_over_goes() -> None:
    _, applied = made("flux").objects.values()
    assert applied["spec"]["deletionPolicy"] == "Orphan"
    (application,) = made("argo-cd").objects.values()
    assert "finalizers" not in application["metadata"]


def test_argo_cd_finds_the_password_by_the_repositorys_url() -> None:
    addon = made("argo-cd")
    (application,) = addon.objects.values()
    (form,) = addon.forms.values()
    assert form.labels == {"argocd.argoproj.io/secret-type": "repository"}
    assert form.plain["url"] == application["spec"]["source"]["repoURL"]
    assert made("argo-cd", credentials=False).forms == {}


@pytest.mark.parametrize("prune", [True, False])
def test_what_is_taken_out_is_deleted_only_where_the_stack_says_so(prune: bool) -> None:
    _, applied = made("flux", prune=prune).objects.values()
    (application,) = made("argo-cd", prune=prune).objects.values()
    assert applied["spec"]["prune"] is prune
    assert application["spec"]["syncPolicy"]["automated"]["prune"] is prune
