"""The access log: each server once, and room for what waits."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import doubts, reads
from settings.models.addresses import BENCHMARKS, DOCUMENTATION, PRIVATE
from settings.models.stack import Stack
from settings.problems import Problem, problem

_KEY = "balancers.logging"


@reads("balancers")
def log_servers_are_named_once(stack: Stack) -> Iterator[Problem]:
    """Who is named twice is sent every line twice."""
    logging = stack.balancers.logging
    given = [(each.address, each.port) for each in logging.servers] if logging else []
    for index, (address, port) in enumerate(given):
        if (address, port) in given[:index]:
            yield problem(
                f"{_KEY}.servers[{index}].address",
                address,
                f"(port {port}) stands twice",
                "name each server once",
            )


@reads("balancers")
def waiting_lines_leave_the_disk_to_others(stack: Stack) -> Iterator[Problem]:
    """At most half of a balancer's disk, whoever does not answer."""
    logging = stack.balancers.logging
    if logging is None:
        return
    smallest = min(stack.balancers.machines, key=lambda machine: machine.disk)
    servers, half = len(logging.servers), smallest.disk * 1024 // 2
    if servers * logging.queue > half:
        yield problem(
            f"{_KEY}.queue",
            logging.queue,
            f"MiB for each of {servers} servers are more than half of the disk of {smallest.name} "
            f"({smallest.disk} GiB)",
            f"write {half // servers} or less, or give the balancers larger disks",
        )


@doubts("balancers")
def visitors_are_not_read_about_on_the_way(stack: Stack) -> Iterator[Problem]:
    """A server somewhere on the internet is reached past others who could read along."""
    logging = stack.balancers.logging
    near = (*PRIVATE, *DOCUMENTATION, BENCHMARKS)
    for index, each in enumerate(logging.servers if logging else []):
        if each.tls is None and not any(each.address in network for network in near):
            yield problem(
                f"{_KEY}.servers[{index}].address",
                each.address,
                "is sent visitors' addresses over the internet in plain text",
                "say tls for it, unless the way there is encrypted",
            )
