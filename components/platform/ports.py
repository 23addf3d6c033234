"""Where the ingress answers: its Service, read back by a control plane once it is installed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pulumi

from components.host import HostAction, HostActionArgs
from components.platform import readback, render
from components.platform.addon import Addon
from components.platform.args import PlatformArgs
from components.platform.ingress import Controller
from settings.models import Ingress

SERVICE_SECONDS = 60
"""How long a changed address may take until the Service has it."""

T = TypeVar("T", int, str)


@dataclass(frozen=True, kw_only=True)
class IngressPorts:
    """Where the ingress answers: NodePorts of every node that takes pods, and the LoadBalancer
    address. What was decided is known in a preview; the rest is discovered. `health` is none where
    every node answers (the policy Cluster)."""

    http: pulumi.Output[int]
    https: pulumi.Output[int]
    health: pulumi.Output[int | None]
    load_balancer_ip: pulumi.Output[str]


def read_back(
    name: str,
    args: PlatformArgs,
    controller: Controller,
    addon: Addon,
    opts: pulumi.ResourceOptions,
) -> HostAction:
    """The ingress' Service, read by a control plane, not by the provider: when the API is out of
    reach, an unchanged release is not looked at, so that what comes before and after can still be
    changed. A changed one is asked for all the same, and the action fails."""
    expected = readback.expected(controller, args.settings.ingress)
    where = (controller.namespace, controller.service)
    return HostAction(
        name,
        HostActionArgs(
            machine=args.control_plane,
            name="ingress-service",
            do=render.service_agrees(*where, expected, SERVICE_SECONDS),
            result=render.service(*where),
            result_secret=False,
            epoch=f"{args.epoch}-{_fingerprint(addon)}",
            seconds=SERVICE_SECONDS + 60,
        ),
        opts=opts,
    )


def seen(ingress: Ingress, controller: Controller, service: HostAction) -> IngressPorts:
    """What the Service says. What was decided is known in a preview; on an update it flows only
    once it was seen live."""

    def live(decided: T | None, read: Callable[[readback.Service], T]) -> pulumi.Output[T]:
        if decided is not None and pulumi.runtime.is_dry_run():
            return pulumi.Output.from_input(decided)
        return service.result.apply(lambda text: read(readback.Service.parsed(text)))

    ports, address = ingress.node_ports, ingress.load_balancer_ip
    return IngressPorts(
        http=live(ports.http, lambda live: live.node_port(controller.http)),
        https=live(ports.https, lambda live: live.node_port(controller.https)),
        health=(
            live(ports.health, lambda live: live.health_port)
            if ingress.external_traffic_policy == "Local"
            else pulumi.Output.from_input(None)
        ),
        load_balancer_ip=live(None if address is None else str(address), lambda live: live.address),
    )


def _fingerprint(addon: Addon) -> str:
    """Another text for every other release."""
    chart = None if addon.chart is None else (addon.chart.chart, addon.chart.version)
    text = json.dumps([chart, addon.chart_values], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
