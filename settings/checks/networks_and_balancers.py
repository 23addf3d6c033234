"""Networks and balancers: whom the access log is sent to."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import claims
from settings.checks.networks_and_holders import OTHERS, nobodys
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("networks", "balancers")
def log_servers_are_elsewhere(stack: Stack) -> Iterator[Problem]:
    """No machine of the stack takes logs, and some addresses are nobody's."""
    logging = stack.balancers.logging
    ours = [each for each in claims(stack) if each.path.split(".")[0] not in OTHERS]
    holders = {claim.address: claim for claim in ours}
    for index, each in enumerate(logging.servers if logging else []):
        path = f"balancers.logging.servers[{index}].address"
        right = "name a log server outside the stack"
        holder = holders.get(each.address)
        if holder is not None:
            wrong = f"belongs to {holder.owner} ({holder.path}), which takes no logs"
            yield problem(path, each.address, wrong, right)
        elif (why := nobodys(stack.networks, each.address)) is not None:
            yield problem(path, each.address, why, right)
