"""The Pulumi engine, driven with the program inline: `workspace(...)` gives an `Engine`.

with workspace("lab", config={...}, secrets={...}) as engine:
    engine.up(on_output=print)
    engine.outputs()
"""

from lab.engine.cli import Cli, ensure_cli, find_cli
from lab.engine.engine import Engine, workspace
from lab.engine.errors import EngineCancelled, EngineError
from lab.engine.run import Result

__all__ = [
    "Cli",
    "Engine",
    "EngineCancelled",
    "EngineError",
    "Result",
    "ensure_cli",
    "find_cli",
    "workspace",
]
