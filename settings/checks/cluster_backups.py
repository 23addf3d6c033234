"""Backups: where they go, and what is brought back."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.networks_and_holders import nobodys
from settings.checks.registry import doubts, reads
from settings.models.addresses import address, is_address
from settings.models.stack import Stack
from settings.problems import Problem, problem


@doubts("cluster", "proxmox", "routers", "balancers")
def backups_outlive_what_they_are_of(stack: Stack) -> Iterator[Problem]:
    """What stands on the stack's own hosts or machines is lost with them."""
    backups = stack.cluster.backups
    host = backups.ssh.host if backups else ""
    if not is_address(host):
        return
    own: list[tuple[str, object]] = [(each.name, each.ssh_address) for each in stack.proxmox.hosts]
    own += [
        (spec.name, found)
        for _, spec in stack.machines()
        for found in (spec.management, spec.lan, spec.wan)
    ]
    for name, found in own:
        if found is not None and str(found) == str(address(host)):
            yield problem(
                "cluster.backups.ssh.url",
                host,
                f"is {name}, with which the backups would be lost",
                "write a server elsewhere",
            )
            return


@reads("networks", "cluster")
def backups_go_to_a_server(stack: Stack) -> Iterator[Problem]:
    """Some addresses are nobody's, and those of pods and services are not there when the cluster is
    lost."""
    backups = stack.cluster.backups
    host = backups.ssh.host if backups else ""
    if is_address(host) and (why := nobodys(stack.networks, address(host))) is not None:
        right = "write the name or address of a server outside the stack"
        yield problem("cluster.backups.ssh.url", host, why, right)


@reads("cluster")
def a_restore_knows_the_store(stack: Stack) -> Iterator[Problem]:
    """The first control plane fetches the archive as it ships others."""
    restore = stack.cluster.restore
    if restore is not None and stack.cluster.backups is None:
        yield problem(
            "cluster.restore.archive",
            restore.archive,
            "is at no store that the stack knows",
            "write cluster.backups, with the store that has it",
        )


@doubts("cluster")
def a_restore_is_of_one_update(stack: Stack) -> Iterator[Problem]:
    """Left in, it refuses the first control plane's next machine."""
    restore = stack.cluster.restore
    if restore is not None and stack.cluster.backups is not None:
        yield problem(
            "cluster.restore.archive",
            restore.archive,
            "is of the one update that brings the cluster back",
            "when that has gone through, remove cluster.restore and the secret backupKey",
        )
