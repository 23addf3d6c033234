"""Where routers and balancers send their lines: an address of the pool that is free, room for what
waits, and machines that send nothing."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import doubts, reads
from settings.checks.routers_kind import KINDS
from settings.models.stack import Stack
from settings.problems import Problem, problem

_KEY = "platform.logging.collector"


@reads("platform")
def the_collector_has_an_address_of_its_own(stack: Stack) -> Iterator[Problem]:
    """MetalLB gives a Service no address but of its pool, and two Services none twice."""
    if (collector := stack.collector) is None:
        return
    pools, ingress = stack.platform.metallb.pool, stack.platform.ingress
    here = f"{_KEY}.address"
    if not any(each.holds(collector.address) for each in pools):
        written = ", ".join(each.written for each in pools)
        yield problem(
            here,
            collector.address,
            f"is outside platform.metallb.pool ({written}): nobody would answer there",
            "write an address of the pool that no Service has",
        )
    elif collector.address == ingress.load_balancer_ip:
        yield problem(
            here,
            collector.address,
            "is platform.ingress.load_balancer_ip, the ingress' own",
            "write another address of the pool",
        )
    elif ingress.load_balancer_ip is None:
        yield problem(
            here,
            collector.address,
            "may become the ingress' own: platform.ingress.load_balancer_ip is left to MetalLB",
            "decide that one too",
        )


@reads("balancers", "platform")
def the_collector_is_told_once(stack: Stack) -> Iterator[Problem]:
    """The program adds it to the access log's servers."""
    logging, collector = stack.balancers.logging, stack.collector
    for index, each in enumerate(logging.servers if logging and collector else []):
        if collector is not None and (each.address, each.port) == (
            collector.address,
            collector.port,
        ):
            yield problem(
                f"balancers.logging.servers[{index}].address",
                each.address,
                f"is {_KEY} (port {each.port}), which is sent every line already",
                "remove this server",
            )


@reads("balancers", "platform")
def balancers_have_room_for_what_waits(stack: Stack) -> Iterator[Problem]:
    """The journal's queue, and one of the access log for the collector beside those of its
    servers: together half of the disk."""
    if (collector := stack.collector) is None:
        return
    logging = stack.collected_balancers.logging
    waiting = collector.queue + (len(logging.servers) * logging.queue if logging else 0)
    smallest = min(stack.balancers.machines, key=lambda machine: machine.disk)
    half = smallest.disk * 1024 // 2
    if waiting > half:
        yield problem(
            f"{_KEY}.queue",
            collector.queue,
            f"MiB, with the access log's {waiting} MiB, are more than half of the disk of "
            f"{smallest.name} ({smallest.disk} GiB)",
            "write less here or in balancers.logging.queue, or give it a larger disk",
        )


@doubts("routers", "platform")
def routers_send_their_lines(stack: Stack) -> Iterator[Problem]:
    """An appliance has no rsyslog of ours."""
    kind = stack.routers.kind
    if stack.collector is not None and not KINDS[kind].figures:
        yield problem(
            "routers.kind",
            kind,
            f"sends {_KEY} nothing: these routers' logs stay with them",
            "let them log to a syslog server by their own means",
        )
