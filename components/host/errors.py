"""What is wrong with a configuration or an action, before any machine sees it."""

from __future__ import annotations


class HostError(ValueError):
    """Names the resource and everything that is wrong with it; shown without a traceback."""

    human = True
