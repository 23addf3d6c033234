"""The lab's stack and its profiles, without a lab."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab import datacentre, stack
from lab.software.charts import CHARTS
from lab.steps import Steps
from settings.files import inspect

FACTS = stack.Facts(
    image_sha256="ab" * 32,
    signing_key=(
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ0AA\n-----END PGP PUBLIC KEY BLOCK-----\n"
    ),
    demo_image="registry.lab.test/echo:0123abcd",
)
PROFILES = [None, *sorted(each.stem for each in stack.PROFILES.glob("*.yaml"))]


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_every_profile_is_a_valid_stack_once_the_lab_has_said_what_it_knows(
    profile: str | None, tmp_path: Path
) -> None:
    config = stack.config(FACTS, profile)
    found, problems = inspect(config)

    assert [str(each) for each in problems] == []
    assert found is not None
    assert found.proxmox.image.sha256 == FACTS.image_sha256
    assert stack.settings(config, tmp_path / "runner") == found


def test_a_profile_is_another_datacentre() -> None:
    names = (None, "single", "both-active", "three")
    whole, single, both, three = (stack.config(FACTS, each) for each in names)

    def machines(config: dict[str, object]) -> int:
        found, _ = inspect(config)
        assert found is not None
        return len(list(found.machines()))

    assert [machines(each) for each in (whole, single, both, three)] == [7, 4, 7, 8]
    routers = both["layered-cloud:routers"]
    assert [vip["owner"] for vip in routers["vips"]] == ["router-a", "router-b"]
    assert routers["machines"] == whole["layered-cloud:routers"]["machines"]


def test_an_unknown_profile_is_refused_with_those_there_are() -> None:
    with pytest.raises(stack.UnknownProfile) as refused:
        stack.config(FACTS, "nonesuch")

    assert str(refused.value) == (
        "there is no profile nonesuch; profiles here: balancers-bgp, both-active, edge, single, "
        "three, upgrade"
    )


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_the_lab_serves_every_chart_of_its_own_stacks(profile: str | None) -> None:
    stack.refuse_unserved(profile)


def test_a_chart_that_the_lab_does_not_serve_is_refused_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = {"chart": "nginx-ingress", "version": "2.6.4", "repository": "http://198.18.0.4/charts"}
    platform = {
        "ingress": {"kind": "nginx", "chart": chart},
        "charts": [{**chart, "chart": "traefik", "name": "second"}, {"chart": "/srv/a-chart"}],
    }
    config = {"config": {"layered-cloud:platform": platform}}
    (tmp_path / "nginx.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setattr(stack, "PROFILES", tmp_path)
    with pytest.raises(stack.UnservedChart) as refused:
        datacentre.up("nginx", Steps())
    served = ", ".join(f"{name} {version}" for name, version in CHARTS.items())
    assert str(refused.value).splitlines() == [
        f"platform.ingress.chart: the lab cannot run nginx-ingress 2.6.4; it serves {served}",
        f"platform.charts[0]: the lab cannot run traefik 2.6.4; it serves {served}",
        "next: name one of those here; charts that the lab does not serve are for other stacks, "
        "whose plan `make preview STACK=NAME` shows",
    ]
    assert refused.value.human


def test_a_profile_is_laid_over_key_by_key_and_lists_are_replaced() -> None:
    under = {"a": {"b": 1, "c": [1, 2]}, "d": 3}

    assert stack.merged(under, {"a": {"c": [9]}, "e": None}) == {
        "a": {"b": 1, "c": [9]},
        "d": 3,
        "e": None,
    }
    assert under == {"a": {"b": 1, "c": [1, 2]}, "d": 3}


def test_the_stack_file_itself_stays_as_it_is(tmp_path: Path) -> None:
    before = (stack.CHECKOUT / "Pulumi.lab.yaml").read_text(encoding="utf-8")
    stack.settings(stack.config(FACTS), tmp_path)

    assert (stack.CHECKOUT / "Pulumi.lab.yaml").read_text(encoding="utf-8") == before
    written = yaml.safe_load((tmp_path / "Pulumi.lab.yaml").read_text(encoding="utf-8"))
    assert written["config"]["layered-cloud:platform"]["demo"]["image"] == FACTS.demo_image


def test_services_of_the_demonstrations_image_have_the_one_that_was_built() -> None:
    config = stack.config(FACTS, "both-active")
    images = [each.get("image") for each in config["layered-cloud:services"]]
    assert images == [FACTS.demo_image, None]
    assert config["layered-cloud:platform"]["demo"]["image"] == FACTS.demo_image
