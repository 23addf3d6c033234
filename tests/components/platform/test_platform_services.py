"""Public services: their objects whole, and judged by a real API server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml

from components.platform import demo
from components.platform.addon import Addon, Object
from components.platform.addons import addons, in_order
from components.platform.entrance import ingress
from components.platform.ingress import CONTROLLERS
from settings.models import PublicService, Stack
from tests.components import stacks
from tests.components.platform.api_server import ApiServer, api_server, lacking
from tests.components.platform.platform_args import site
from tests.golden_files import assert_golden

LACKING = lacking()
real = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")


def made(stack: Stack | None = None) -> dict[str, Addon]:
    """Everything that the stack installs, by name."""
    chosen = stack or stacks.with_services()
    found = addons(site(chosen.platform, services=tuple(chosen.services)))
    return {each.name: each for each in found}


def of_services() -> list[Addon]:
    return [made()[each.name] for each in stacks.with_services().services]


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def test_every_object_is_what_was_read_and_agreed() -> None:
    whole = {name: each for addon in of_services() for name, each in addon.objects.items()}
    assert_golden(
        "platform/services/objects.yaml", yaml.dump(whole, Dumper=_Plain, sort_keys=False)
    )


def test_a_stack_without_services_has_what_it_had() -> None:
    lab = stacks.lab()
    assert addons(site(lab.platform)) == addons(site(lab.platform, services=tuple(lab.services)))
    assert list(made(lab)) == ["cilium", "metallb", "traefik", "echo"]


def test_what_others_bring_is_waited_for_and_its_namespace_is_theirs() -> None:
    shop, again, figures = (made()[name] for name in ("shop", "again", "figures"))
    assert (shop.namespace, shop.pod_security, shop.after) == ("shop", "restricted", ())
    assert (again.namespace, again.pod_security, again.after) == ("shop", None, ("shop",))
    assert (figures.namespace, figures.pod_security, figures.after) == ("elsewhere", None, ())
    names = [each.name for each in in_order(made().values())]
    assert names.index("shop") < names.index("again")


def test_a_service_of_a_chart_of_ours_or_the_stacks_waits_for_it() -> None:
    stack = stacks.with_services()
    shown = PublicService(name="shown", hosts=["shown.lab.test"], service="metallb-system/x:80")
    found = made(stack.model_copy(update={"services": [shown]}))
    assert found["shown"].after == ("metallb",)


def test_what_is_secret_is_named_and_stands_in_no_object() -> None:
    shop = made()["shop"]
    assert shop.secrets == {"shop": ("PASSWORD",)}
    (container,) = shop.objects["shop-pods"]["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "shop"}}]
    assert "PASSWORD" not in str(shop.objects)
    assert stacks.with_services().references() == ["shop/shop/PASSWORD"]


def test_a_variable_of_the_stacks_own_takes_the_place_of_ours() -> None:
    (container,) = made()["shop"].objects["shop-pods"]["spec"]["template"]["spec"]["containers"]
    names = [each["name"] for each in container["env"]]
    assert sorted(names) == ["MODE", "NODE_NAME", "POD_IP", "POD_NAME"]
    assert {"name": "POD_IP", "value": "none"} in container["env"]


@pytest.mark.parametrize("word", sorted(CONTROLLERS))
def test_a_service_says_what_the_stacks_controller_asks_and_another_ones_does_not(
    word: str,
) -> None:
    stack = stacks.with_services()
    kind = stack.platform.ingress.model_copy(update={"kind": word})
    platform = stack.platform.model_copy(update={"ingress": kind})
    found, controller = made(stack.model_copy(update={"platform": platform})), CONTROLLERS[word]
    ours, theirs = (found[name].objects[f"{name}-ingress"] for name in ("shop", "figures"))
    assert ours["spec"]["ingressClassName"] == controller.ingress_class
    wanted = {**controller.annotations, **controller.tls_annotations}
    assert ours["metadata"].get("annotations", {}) == wanted
    hosts = ["shop.lab.test", "store.lab.test"]
    assert ours["spec"].get("tls") == (
        None if controller.tls is None else [{"hosts": hosts, **controller.tls}]
    )
    assert theirs["spec"]["ingressClassName"] == "other"
    assert theirs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_an_issuer_signs_for_all_names_in_a_secret_beside_the_service() -> None:
    (shop,) = [each for each in stacks.with_services().services if each.name == "shop"]
    signed = shop.model_copy(update={"issuer": "inside"})
    stack = stacks.with_services().model_copy(update={"services": [signed]})
    shown = made(stack)["shop"].objects["shop-ingress"]
    assert shown["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "inside"
    assert shown["spec"]["tls"] == [
        {"hosts": ["shop.lab.test", "store.lab.test"], "secretName": "shop-tls"}
    ]


def test_the_demonstration_is_a_service_like_any_other() -> None:
    lab = stacks.lab().platform
    assert lab.demo is not None
    own = made(stacks.lab())["echo"].objects
    assert own["echo-ingress"] == ingress(demo.entrance(lab.demo), CONTROLLERS["traefik"])
    assert own["echo-pods"]["kind"] == "DaemonSet"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("api")) as server:
        for addon in [*of_services(), made(stacks.lab())["echo"]]:
            if addon.pod_security is not None:
                done = server.takes(addon.namespace_object())
                assert done.returncode == 0, done.stderr
                # What its controller would make.
                server.kubectl("create", "serviceaccount", "default", "-n", addon.namespace)
        server.kubectl("create", "namespace", "elsewhere")
        yield server


def pod_of(workload: Object) -> Object:
    """A pod as the controller of that workload makes it."""
    template = workload["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**workload["metadata"], "name": "one"},
        "spec": template["spec"],
    }


@real
@pytest.mark.root
@pytest.mark.timeout(600)
def test_an_api_server_takes_every_object_and_its_pods_under_the_restricted_standard(
    api: ApiServer,
) -> None:
    for addon in [*of_services(), made(stacks.lab())["echo"]]:
        for name, thing in addon.objects.items():
            done = api.takes(thing)
            assert done.returncode == 0, f"{name}: {done.stderr}"
            assert "Warning" not in done.stderr, f"{name}: {done.stderr}"
            if thing["kind"] in ("Deployment", "DaemonSet"):
                done = api.takes(pod_of(thing), "--dry-run=server")
                assert done.returncode == 0, f"a pod of {name}: {done.stderr}"


@real
@pytest.mark.root
@pytest.mark.timeout(600)
def test_an_api_server_would_refuse_a_wrong_field_and_a_pod_that_may_too_much(
    api: ApiServer,
) -> None:
    whole = made()["shop"].objects
    wrong = {**whole["shop-service"], "spec": {**whole["shop-service"]["spec"], "prot": 1}}
    assert ".spec.prot: field not declared" in api.takes(wrong, "--dry-run=server").stderr
    bold = pod_of(whole["shop-pods"])
    bold["spec"] = {**bold["spec"], "hostNetwork": True}
    refused = api.takes(bold, "--dry-run=server")
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted' in refused.stderr


def test_a_pod_is_given_time_to_be_passed_over_and_to_finish() -> None:
    spec = made()["shop"].objects["shop-pods"]["spec"]
    pod = spec["template"]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": "25%"}
    assert pod["terminationGracePeriodSeconds"] == 320
    assert pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] == 10
    bare = replace(made()["shop"], objects={})
    assert bare.namespace_labels()["pod-security.kubernetes.io/enforce"] == "restricted"
