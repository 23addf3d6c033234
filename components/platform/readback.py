"""What the ingress Service really has, held against what was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pulumi

T = TypeVar("T", int, str)


class Mismatch(pulumi.RunError):
    """The live Service differs from what was decided."""


def node_port(name: str) -> Callable[[Mapping[str, Any]], int | None]:
    """The NodePort of the Service's port called `name`."""

    def read(service: Mapping[str, Any]) -> int | None:
        ports = (service.get("spec") or {}).get("ports") or []
        return next((_int(port.get("node_port")) for port in ports if port["name"] == name), None)

    return read


def health_port(service: Mapping[str, Any]) -> int | None:
    """The Service's healthCheckNodePort."""
    return _int((service.get("spec") or {}).get("health_check_node_port"))


def address(service: Mapping[str, Any]) -> str | None:
    """The first address the Service's load balancer has."""
    status = (service.get("status") or {}).get("load_balancer") or {}
    return next((str(each["ip"]) for each in status.get("ingress") or [] if each.get("ip")), None)


def agreed(what: str, decided: T | None, live: T | None) -> T:
    """The live value; raises `Mismatch` when it is not the decided one, or there is none."""
    if live is None:
        raise Mismatch(
            f"ingress: the live Service has no {what}"
            + ("" if decided is None else f", though {decided} was decided")
            + "; look at `kubectl -n traefik describe service traefik`"
        )
    if decided is not None and live != decided:
        raise Mismatch(
            f"ingress: the live Service's {what} is {live}, but {decided} was decided. Balancers "
            f"and routers were not changed: decide {live} in the stack, or free {decided} and run "
            "`pulumi up` again"
        )
    return live


def flows(
    what: str,
    decided: T | None,
    live: pulumi.Output[T | None],
) -> pulumi.Output[T]:
    """A decided value is known in a preview; on an update it flows only once it was seen live.

    An undecided one is discovered: unknown until the Service exists.
    """
    if decided is not None and pulumi.runtime.is_dry_run():
        return pulumi.Output.from_input(decided)
    return live.apply(lambda value: agreed(what, decided, value))


def _int(value: Any) -> int | None:
    return None if value is None else int(value)
