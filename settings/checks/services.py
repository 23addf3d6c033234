"""Public services by themselves: each says what runs, and no two are at one place."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.platform_values import likely_secrets
from settings.checks.registry import reads
from settings.models.services import FOR_IMAGES, PublicService
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem


@reads("services")
def services_are_named_once(stack: Stack) -> Iterator[Problem]:
    """A service is an Ingress and a route of its name, and with `image` a namespace."""
    names = [each.name for each in stack.services]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield problem(
                f"services[{index}].name",
                name,
                f"is the name of services[{names.index(name)}] already",
                "give each service a name of its own",
            )


@reads("services")
def services_say_what_runs(stack: Stack) -> Iterator[Problem]:
    """Pods that the program makes, or a Service that is there."""
    for index, each in enumerate(stack.services):
        here = f"services[{index}]"
        if each.image is None and each.service is None:
            wrong = "is missing, and service too: nothing would answer"
            right = "write what is run, or service: NAMESPACE/NAME:PORT for what is there"
            yield problem(f"{here}.image", ABSENT, wrong, right)
        elif each.image is None:
            yield from _not_made(here, each)
        elif each.service is not None:
            wrong = "is beside image, and a service is one of the two"
            yield problem(f"{here}.service", each.service, wrong, "remove one of them")
        else:
            yield from _made(here, each)


def _not_made(here: str, service: PublicService) -> Iterator[Problem]:
    for key in FOR_IMAGES:
        if getattr(service, key) != type(service).model_fields[key].get_default(
            call_default_factory=True
        ):
            wrong = "is about pods that the program makes, and these are others'"
            yield problem(f"{here}.{key}", ABSENT, wrong, "remove it, or write image for service")


def _made(here: str, service: PublicService) -> Iterator[Problem]:
    for where in likely_secrets(f"{here}.env", service.env):
        wrong = "reads like a secret, in clear text"
        right = f"name it in {here}.secrets, and put its value into the secret platformSecrets"
        yield problem(where, ABSENT, wrong, right)
    for place, key in enumerate(service.secrets):
        at = f"{here}.secrets[{place}]"
        if key in service.secrets[:place]:
            yield problem(at, key, "is a variable of it twice", "name it once")
        elif key in service.env:
            yield problem(at, key, f"is in {here}.env too", "remove it there")
    for place, folder in enumerate(service.writable):
        if folder in service.writable[:place]:
            at = f"{here}.writable[{place}]"
            yield problem(at, folder, "is a folder of it twice", "name each folder once")
    limit = service.memory_limit
    if limit is not None and limit < service.memory:
        wrong = f"MiB are less than what is kept for each pod, {here}.memory ({service.memory})"
        yield problem(f"{here}.memory_limit", limit, wrong, "write as much or more, or null")


@reads("platform", "services")
def services_are_at_places_of_their_own(stack: Stack) -> Iterator[Problem]:
    """A request is for one of them: a name and a path lead to one, and the demonstration has all
    paths of its name that no service takes."""
    taken: dict[tuple[str, str], str] = {}
    demo = stack.platform.demo
    if demo is not None and demo.enabled:
        taken[demo.host, ""] = "platform.demo.host"
    for index, each in enumerate(stack.services):
        for place, host in enumerate(each.hosts):
            here = f"services[{index}].hosts[{place}]"
            if host in each.hosts[:place]:
                yield problem(here, host, "is a name of it twice", "name it once")
                continue
            earlier = taken.setdefault((host, each.path.rstrip("/")), here)
            if earlier != here:
                wrong = f"with the path {each.path} is {earlier} already"
                yield problem(here, host, wrong, "give one of them another name or path")
