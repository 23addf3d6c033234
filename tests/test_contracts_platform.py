"""What a new chart or ingress controller owes: rules, objects that wait, a line on its page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from components.platform import Platform
from components.platform.addon import Addon, SelfSigned, Site, Webhook
from components.platform.addons import addons
from components.platform.delivery import DELIVERIES
from components.platform.ingress import CONTROLLERS, Controller
from components.platform.mesh import MESHES
from lab.probes import rollouts
from lab.probes.drills import rollouts as drills
from lab.probes.world import World
from settings.checks import platform_ingress
from settings.checks.decided import Decided, only
from settings.checks.platform_charts import OWN
from settings.checks.platform_ingress_rules import IngressRules, Leaving
from settings.models import Ingress
from settings.models import Platform as PlatformSettings
from settings.models.stack import Stack
from tests.components import stacks
from tests.components.mocks import Registered, run_program
from tests.components.platform.platform_args import args, plain, site

PAGE = Path(__file__).parent.parent / "docs" / "platform.md"
WORDS = sorted(get_args(Ingress.model_fields["kind"].annotation))


def choosing(word: str, platform: PlatformSettings | None = None) -> PlatformSettings:
    whole = platform or stacks.lab().platform
    ingress = whole.ingress.model_copy(update={"kind": word})
    return whole.model_copy(update={"ingress": ingress})


def delivering(word: str, whole: PlatformSettings) -> PlatformSettings:
    assert whole.delivery is not None
    chosen = whole.delivery.model_copy(update={"kind": word})
    return whole.model_copy(update={"delivery": chosen})


def meshed(word: str, whole: PlatformSettings) -> PlatformSettings:
    assert whole.mesh is not None
    return whole.model_copy(update={"mesh": whole.mesh.model_copy(update={"kind": word})})


def made() -> dict[str, Addon]:
    """Everything that any stack can install: all that is off by default, every controller."""
    demo = stacks.lab().platform.demo
    every = plain().model_copy(update={"demo": demo})
    several = [choosing(word, every) for word in CONTROLLERS]
    several += [delivering(word, every) for word in DELIVERIES]
    several += [meshed(word, every) for word in MESHES]
    found = [addon for platform in several for addon in addons(site(platform))]
    return {addon.name: addon for addon in found}


def test_every_kind_of_ingress_controller_has_rules_of_its_own() -> None:
    lacking = [
        f"{word}: add a row to INGRESS in settings/checks/platform_ingress.py"
        for word in WORDS
        if word not in platform_ingress.INGRESS
    ]
    assert lacking == []
    assert sorted(platform_ingress.INGRESS) == WORDS


@pytest.mark.parametrize("word", sorted(CONTROLLERS))
def test_a_controller_names_its_pods_as_kubectl_does(word: str) -> None:
    ingress = plain().ingress
    so_many = ingress.model_copy(update={"replicas": 3})
    assert re.fullmatch(r"daemonset/[a-z0-9-]+", CONTROLLERS[word].pods(ingress))
    if not platform_ingress.INGRESS[word].everywhere:
        assert re.fullmatch(r"deployment/[a-z0-9-]+", CONTROLLERS[word].pods(so_many))


def unknown(addon: Addon) -> list[str]:
    """Objects of kinds that no API server knows by itself and nobody waits for."""
    return [
        f"{addon.name}: {each['kind']} is of a kind that a chart brings: give the addon a `webhook`"
        for each in addon.objects.values()
        if "." in (group := each["apiVersion"].rpartition("/")[0])
        and not group.endswith(".k8s.io")
        and addon.webhook is None
    ]


def test_objects_of_kinds_that_a_chart_brings_wait_until_they_are_known() -> None:
    assert [fault for addon in made().values() for fault in unknown(addon)] == []
    metallb = made()["metallb"]
    assert len(unknown(replace(metallb, webhook=None))) == len(metallb.objects) > 0


def test_the_page_names_every_namespace_and_how_far_its_pods_may_go() -> None:
    rows = re.findall(
        r"^\| ([a-z-]+) \| (privileged|baseline|restricted)\b", PAGE.read_text(), re.M
    )
    levels = {each.namespace: each.pod_security for each in made().values() if each.pod_security}
    assert dict(rows) == levels, "the table of namespaces in docs/platform.md"


def test_no_further_chart_takes_a_name_or_namespace_of_ours() -> None:
    ours = {name: addon.namespace for name, addon in made().items()}
    told = {name: own.namespace for name, own in OWN.items()}
    assert told == ours, "OWN in settings/checks/platform_charts.py"


def test_what_a_platform_has_of_ours_is_what_it_installs() -> None:
    platform = stacks.lab().platform
    installed = {each.name for each in addons(site(platform))}
    assert {name for name, own in OWN.items() if own.on(platform)} == installed


CERTIFICATE = SelfSigned(name="other-tls", host="ingress.invalid")


def _values(_: Site) -> dict[str, Any]:
    return {"proxy": True}


def _objects(_: Site) -> Mapping[str, dict[str, Any]]:
    named = {"name": "every", "namespace": "other-system"}
    return {"other-every": {"apiVersion": "other.io/v1", "kind": "Route", "metadata": named}}


OTHER = Controller(
    name="other",
    namespace="other-system",
    pod_security="baseline",
    workload="other-proxy",
    service="other-proxy",
    http="http",
    https="https",
    ingress_class="other",
    values=_values,
    objects=_objects,
    webhook=Webhook(refusal="the cluster does not know its routes", logs="kubectl logs other"),
    minted=CERTIFICATE,
    annotations={"other.io/timeout": "infinity"},
    tls={"secretName": "other-tls"},
)
"""Another controller, with all that Traefik does without."""


def _promised(_: Mapping[str, Any]) -> Any:
    yield "proxy", 60


RULES = IngressRules(
    chart="other",
    decided=lambda _: (Decided(keys=("proxy",), why="hides clients", allowed=only(True)),),
    arguments=None,
    leaving=Leaving(
        strategy=("proxy", "rollout"), patience=("proxy", "grace"), promised=_promised, default=70
    ),
)


def installed(monkeypatch: pytest.MonkeyPatch) -> Registered:
    monkeypatch.setitem(CONTROLLERS, "other", OTHER)  # type: ignore[misc]
    ports = [{"name": "http", "nodePort": 30080}, {"name": "https", "nodePort": 30443}]
    live = {
        "spec": {"ports": ports, "healthCheckNodePort": 30081},
        "status": {"loadBalancer": {"ingress": [{"ip": "198.18.10.200"}]}},
    }

    def answer(_: str, name: str, __: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"stdout": json.dumps(live)} if name == "platform-ingress-service" else {}

    return run_program(lambda: Platform("platform", args(choosing("other"))), answer=answer)


def test_another_controller_is_a_row_its_certificate_objects_and_waits_included(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = installed(monkeypatch)
    release = seen.one("kubernetes:helm.sh/v3:Release", "other")
    minted = seen.one("command:remote:Command", "platform-other-tls")
    judged = seen.one("command:remote:Command", "platform-other-webhook")
    (route,) = seen.of_type("kubernetes:other.io/v1:Route")
    assert minted.urn in release.dependencies
    assert "create secret tls other-tls" in json.loads(minted.inputs["stdin"])["request"]["do"]
    assert release.urn in judged.dependencies
    assert judged.urn in route.dependencies
    service = seen.one("command:remote:Command", "platform-ingress-service")
    assert "other-proxy" in json.loads(service.inputs["stdin"])["request"]["do"]


def test_the_demonstration_says_what_another_controller_asks_of_an_ingress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (ingress,) = installed(monkeypatch).of_type("kubernetes:networking.k8s.io/v1:Ingress")
    host = stacks.lab().platform.demo
    assert host is not None
    assert ingress.inputs["metadata"]["annotations"] == {"other.io/timeout": "infinity"}
    assert ingress.inputs["spec"]["tls"] == [{"hosts": [host.host], "secretName": "other-tls"}]


def test_the_pods_that_are_renewed_are_the_controllers_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(CONTROLLERS, "other", OTHER)  # type: ignore[misc]
    stack = stacks.lab().model_copy(update={"platform": choosing("other")})
    world = World(stack=stack, topology=None, outputs={})  # type: ignore[arg-type]
    renewed: list[tuple[str, str]] = []

    def note(_: World, namespace: str, workload: str, *__: object) -> str:
        renewed.append((namespace, workload))
        return ""

    monkeypatch.setattr(rollouts, "renewed", note)
    monkeypatch.setattr(drills, "replaced", note)
    rollouts.ingress(world)
    drills.ingress(world, "")
    assert renewed == [("other-system", "daemonset/other-proxy")] * 2


def with_values(values: dict[str, Any]) -> Stack:
    platform = choosing("other")
    assert platform.ingress.chart is not None
    chart = platform.ingress.chart.model_copy(update={"values": values})
    ingress = platform.ingress.model_copy(update={"chart": chart})
    return stacks.lab().model_copy(
        update={"platform": platform.model_copy(update={"ingress": ingress})}
    )


def test_another_controllers_values_are_judged_by_its_own_rules_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(platform_ingress.INGRESS, "other", RULES)  # type: ignore[misc]
    of_traefik = {
        "ports": {"web": {"nodePort": 31000}},
        "additionalArguments": ["--entrypoints.web.address=:1"],
    }
    assert list(platform_ingress.ingress_stays_as_decided(with_values(of_traefik))) == []
    (told,) = platform_ingress.ingress_stays_as_decided(with_values({"proxy": False}))
    assert (
        str(told)
        == "layered-cloud:platform.ingress.chart.values.proxy: false hides clients; remove it"
    )
    leaving = {"proxy": {"rollout": {"type": "OnDelete"}, "grace": 30}}
    told_of = [
        str(each)
        for each in platform_ingress.ingress_pods_leave_in_good_order(with_values(leaving))
    ]
    path = "layered-cloud:platform.ingress.chart.values.proxy"
    assert told_of == [
        f"{path}.rollout.type: OnDelete leaves old pods in place for ever; remove it",
        f"{path}.grace: 30 kills a pod whose proxy has 60 s for what it serves; write 70",
    ]
