"""The balancers: ports free of each other, names once, memory enough."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import doubts, reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

TAKEN = {
    22: "sshd",
    80: "the HTTP frontend",
    179: "BGP",
    443: "the HTTPS frontend",
    8405: "the check of the local HAProxy",
    8406: "the pair's health",
    8407: "the check of what the local HAProxy serves",
    8409: "the pair's shared tables",
    8410: "the pair's shared tables",
    8411: "answers to an ACME authority",
    8412: "answers to an ACME authority",
    9100: "node_exporter",
}
"""Ports of the balancers that are not for settings to choose."""


@reads("balancers")
def balancer_ports_are_free_of_each_other(stack: Stack) -> Iterator[Problem]:
    """The API and the statistics listen where nothing else does."""
    taken = dict(TAKEN)
    for key, user in (("api_port", "the API frontend"), ("stats_port", "the statistics")):
        port = getattr(stack.balancers, key)
        if port in taken:
            yield problem(
                f"balancers.{key}",
                port,
                f"is taken by {taken[port]} on the balancers",
                f"give {user} a port of its own",
            )
        taken.setdefault(port, f"{user} (balancers.{key})")


@reads("balancers")
def certificate_names_are_told_once(stack: Stack) -> Iterator[Problem]:
    """A name that stands twice is a slip of the pen."""
    certificate = stack.balancers.certificate
    lists = [("names", certificate.names)]
    lists += [
        (f"further[{index}].names", one.names) for index, one in enumerate(certificate.further)
    ]
    told: set[str] = set()
    for path, names in lists:
        for index, name in enumerate(names):
            if name in told:
                yield problem(
                    f"balancers.certificate.{path}[{index}]", name, "stands twice", "name it once"
                )
            told.add(name)


@reads("balancers")
def further_certificates_are_called_once(stack: Stack) -> Iterator[Problem]:
    """Each lies in a file of its name."""
    called = [each.name for each in stack.balancers.certificate.further]
    for index, name in enumerate(called):
        if name in called[:index]:
            yield problem(
                f"balancers.certificate.further[{index}].name",
                name,
                "is what another further certificate is called",
                "give each a name of its own",
            )


@reads("balancers")
def no_client_takes_every_connection(stack: Stack) -> Iterator[Problem]:
    """A limit for one client is below the limit for all."""
    one, most = stack.balancers.max_connections_per_client, stack.balancers.max_connections
    if one is not None and one >= most:
        yield problem(
            "balancers.max_connections_per_client",
            one,
            f"would let one client take all of balancers.max_connections ({most})",
            f"write {most // 10}, or leave it out for that",
        )


OPEN, AT_WORK = 20, 62
"""KiB of a connection that is open, and in the middle of a TLS request passed on over TLS: 16 and
54 of HAProxy (measured with 2.6), and 4 of the kernel for each of its one or two sockets."""
BUFFERS, SHARE = 3.5, 10
"""Full buffers of a connection whose body one end does not take (measured), and one in how many is
such a one."""
_SYSTEM, _FEWEST = 256, 1000
"""MiB of everything else on the machine; fewer connections than the last are no advice."""


@reads("balancers")
def connections_have_memory(stack: Stack) -> Iterator[Problem]:
    """Not even idle ones fit a machine that is this small."""
    yield from _beyond(stack, OPEN, f"even when nothing is asked on them ({OPEN} KiB each")


@doubts("balancers")
def busy_connections_have_memory(stack: Stack) -> Iterator[Problem]:
    """All of them at work at once would not fit."""
    if not list(connections_have_memory(stack)):
        buffer = stack.balancers.sizes.buffer // 1024
        yield from _beyond(
            stack,
            _busy(stack),
            f"when all are at work at once ({AT_WORK} KiB each, and one in {SHARE} has {BUFFERS:g} "
            f"buffers of {buffer} KiB, by balancers.sizes",
        )


def _busy(stack: Stack) -> int:
    return int(AT_WORK + BUFFERS * stack.balancers.sizes.buffer / 1024 / SHARE)


def _beyond(stack: Stack, each: int, words: str) -> Iterator[Problem]:
    most = stack.balancers.max_connections
    smallest = min(stack.balancers.machines, key=lambda machine: machine.memory)
    need = most * each // 1024 + _SYSTEM
    if need > smallest.memory:
        busy = _busy(stack)
        fitting = (smallest.memory - _SYSTEM) * 1024 // busy // 100 * 100
        enough = most * busy // 1024 + _SYSTEM + 1
        less = f"write {fitting}, or " if fitting >= _FEWEST else ""
        yield problem(
            "balancers.max_connections",
            most,
            f"need {need} MiB {words}, and {_SYSTEM} MiB for the rest), and {smallest.name} has "
            f"{smallest.memory}",
            f"{less}give the balancers {enough}",
        )


_MONTH = 720
_IN_DAYS = (730, 825, 1095, 1460, 1825, 3650)


@doubts("balancers")
def certificates_live_for_hours(stack: Stack) -> Iterator[Problem]:
    """A year is 8760 hours; a number of days is a short life."""
    certificate = stack.balancers.certificate
    hours = certificate.validity_hours
    if certificate.source == "self-signed" and (hours < _MONTH or hours in _IN_DAYS):
        yield problem(
            "balancers.certificate.validity_hours",
            hours,
            f"hours are {hours / 24:.3g} days",
            f"write {24 * hours} if days were meant",
        )
