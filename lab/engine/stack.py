"""The Automation API's stack without the questions that it asks the command line of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from pulumi.automation import OutputMap, Stack, UpdateSummary, Workspace
from pulumi.automation._stack import StackInitMode

_ASKED_NOBODY = UpdateSummary(
    kind="", start_time=datetime.fromtimestamp(0, UTC), message="", environment={}, config={},
    result="",
)  # fmt: skip


class OwnStack(Stack):
    """A stack that is there is not selected (every command names it), and a run that is over is
    not asked for its outputs, in clear and masked, and its entry in the history: that is four
    commands of a second each around every run, for answers that nobody looks at.
    """

    def __init__(self, name: str, workspace: Workspace, *, exists: bool) -> None:
        if exists:
            vars(self).update(name=name, workspace=workspace, _mode=StackInitMode.SELECT)
        else:
            super().__init__(name, workspace, StackInitMode.CREATE)

    def outputs(self) -> OutputMap:
        """Nothing: see `checkpoint`."""
        return {}

    def info(self, show_secrets: bool = True) -> UpdateSummary:
        """Nothing: the events of a run say what it did."""
        return _ASKED_NOBODY
