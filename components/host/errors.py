"""What is wrong with a configuration, an action or a layer, before any machine sees it.

Each is a `RunError`, which Pulumi shows as its text alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi


class HostError(ValueError, pulumi.RunError):
    """Names the resource and everything that is wrong with it; shown without a traceback."""

    human = True


class LayerError(pulumi.RunError):
    """Everything wrong with what a layer was given, a line each; shown without a traceback.

    No `ValueError`: Pulumi wraps one of those that is raised inside an `apply` into another, which
    it then shows with a traceback.
    """

    human = True

    def __init__(self, layer: str, problems: Sequence[str]) -> None:
        super().__init__(f"{layer}:\n" + "\n".join(f"  - {each}" for each in problems))
        self.problems = tuple(problems)
