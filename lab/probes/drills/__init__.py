"""Failure drills: break something for real while requests flow, and measure how long it is felt."""

from lab.probes.drills.drill import Drill, Goal, NotHere
from lab.probes.drills.stream import Felt, measured
from lab.probes.drills.table import DRILLS

__all__ = ["DRILLS", "Drill", "Felt", "Goal", "NotHere", "measured"]
