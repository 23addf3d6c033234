"""The release that the cluster runs, asked before anything is touched."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.cluster.scripts import skew
from components.host import LayerError


class Release(pulumi.ComponentResource):
    """What the stack wants, and what every node was last brought to.

    Promises: a version that may not follow the one that runs is refused in a preview, and in an
    update before anything that waits for this is made; so is another one while a control plane is
    called unreachable, since all of them are upgraded.

    Leaves out: an upgrade that stopped half way, after which this knows of none; then each node's
    own action refuses (`upgrade.py`).

    Raises `LayerError`, from the engine's hook.
    """

    version: pulumi.Output[str]
    """What every node runs; not registered before they do."""

    def __init__(
        self,
        name: str,
        version: str,
        unreachable: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        hook = pulumi.ResourceHook(
            f"{name}-follows", asked, pulumi.ResourceHookOptions(on_dry_run=True)
        )
        super().__init__(
            "layered-cloud:cluster:Release",
            name,
            {"version": version, "unreachable": list(unreachable)},
            pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook])),
            ),
        )

    def reached(self, version: pulumi.Input[str]) -> None:
        """`version` is known once every node runs it."""
        self.version = pulumi.Output.from_input(version)
        self.register_outputs({"version": self.version})


async def asked(args: pulumi.ResourceHookArgs) -> None:
    """Refuses a version that may not follow, or not now.

    Raises:
        LayerError: names every reason.
    """
    now = args.new_inputs or {}
    runs, wanted = (args.old_outputs or {}).get("version"), now.get("version")
    if not runs or runs == wanted:
        return
    problems = []
    if problem := skew.refusal(str(runs), str(wanted)):
        problems.append(problem)
    if away := now.get("unreachable"):
        problems.append(
            f"cluster.unreachable: {', '.join(map(str, away))} cannot be upgraded, and "
            f"{skew.KEY} is {wanted} where the cluster is at {runs}; bring it back or replace it "
            f"first, with {skew.KEY}: {runs}"
        )
    if problems:
        raise LayerError("cluster", problems)
