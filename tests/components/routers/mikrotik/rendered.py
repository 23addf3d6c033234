"""Scripts of a stack's MikroTik routers, and routers that they have run on."""

from __future__ import annotations

from components.routers.mikrotik.script import texts
from components.routers.texts import Texts
from settings.models import Stack
from tests.components import rendered
from tests.components.routers.mikrotik.router_os import RouterOs

SECONDS = 75


def script(stack: Stack, name: str, *, cdn: list[str] | None = None, epoch: str = "1") -> Texts:
    """Both texts of the router `name`."""
    model = rendered.routers_model(stack)
    return texts(
        model,
        model.member(name),
        cdn or rendered.ranges(stack),
        gateway=str(stack.networks.wan.gateway),
        epoch=epoch,
        confirm_seconds=SECONDS,
    )


def bare(stack: Stack, name: str, *, peer_answers: bool = True) -> RouterOs:
    """A router that nobody has told anything but its management address."""
    model = rendered.routers_model(stack)
    router, link = model.member(name), model.link(name)
    return RouterOs(
        interfaces=tuple(leg.interface for leg in router.legs()),
        management=(str(router.management.address), router.management.interface),
        answers=frozenset({str(link.theirs.ip)} if link and peer_answers else ()),
    )


def push(router: RouterOs, given: Texts) -> str:
    """The script and its confirmation: what the router printed."""
    return router.source(given.script) + "\n" + router.source(given.confirmation)


def made(stack: Stack, name: str) -> RouterOs:
    """A router of the stack."""
    router = bare(stack, name)
    said = push(router, script(stack, name))
    assert said.splitlines() == ["layered-armed", "layered-done", "layered-confirmed"], said
    return router
