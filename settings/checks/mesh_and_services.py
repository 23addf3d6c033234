"""The mesh and who is in it: namespaces that the stack makes, whose pods the ingress reaches."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.platform_charts import OWN
from settings.checks.registry import reads
from settings.models.platform import Demo
from settings.models.services import PublicService
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem

_DEMO = "echo"


@reads("platform", "services")
def mesh_namespaces_are_made_by_the_stack(stack: Stack) -> Iterator[Problem]:
    """The program labels those that it makes; its own do without proxies."""
    given = stack.platform.mesh
    if given is None:
        return
    ours = {own.namespace: own.key for name, own in OWN.items() if name != _DEMO}
    there = {each.name for each in stack.services if each.image is not None}
    there |= {each.namespace for each in stack.platform.charts}
    if stack.platform.demo is not None and stack.platform.demo.enabled:
        there.add(_DEMO)
    for index, name in enumerate(given.namespaces):
        here = f"platform.mesh.namespaces[{index}]"
        if name in given.namespaces[:index]:
            yield problem(here, name, "is in the mesh already", "name it once")
        elif name in ours:
            wrong = f"is the namespace of {ours[name]}, which does without"
            yield problem(here, name, wrong, "remove it")
        elif name not in there:
            known = f"write one of {', '.join(sorted(there))}" if there else "remove it"
            yield problem(here, name, "is made by nobody here, and so labelled by nobody", known)


@reads("platform", "services")
def the_ingress_gets_in_to_the_mesh(stack: Stack) -> Iterator[Problem]:
    """Where the ingress is not in it, the program lets it in to pods whose labels it knows."""
    given = stack.platform.mesh
    if given is None or given.traits.joins:
        return
    ours = {_DEMO, *(each.namespace for each in stack.services if each.image is not None)}
    for index, each in enumerate(stack.services):
        if each.namespace in given.namespaces and each.namespace not in ours:
            place = given.namespaces.index(each.namespace)
            yield problem(
                f"services[{index}].service",
                each.service,
                f"is in platform.mesh.namespaces[{place}], whose pods refuse the ingress "
                f"(platform.mesh.kind is {given.kind})",
                f"take {each.namespace} out of the mesh, or choose linkerd",
            )


@reads("platform", "services")
def answers_get_out_of_the_mesh(stack: Stack) -> Iterator[Problem]:
    """Who proves a name by an answer at the ingress does so by a pod that is made for it beside the
    application, at a port that no rule of the mesh lets the ingress in to."""
    given, certificates = stack.platform.mesh, stack.platform.cert_manager
    if given is None or given.traits.joins or certificates is None:
        return
    answering = {each.name: each.kind for each in certificates.issuers if each.traits.answers}
    asking: list[tuple[str, str, Demo | PublicService]] = [
        *((path, _DEMO, each) for path, each in walk(stack, Demo)),
        *((path, each.namespace, each) for path, each in walk(stack, PublicService)),
    ]
    for path, namespace, one in asking:
        if one.issuer in answering and namespace in given.namespaces:
            place = given.namespaces.index(namespace)
            yield problem(
                f"{path}.issuer",
                one.issuer,
                f"is of kind {answering[one.issuer]}, whose answers in "
                f"platform.mesh.namespaces[{place}] the ingress does not get (platform.mesh.kind "
                f"is {given.kind})",
                "choose an issuer of another kind, or linkerd",
            )
