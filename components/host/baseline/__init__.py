"""What every machine gets, whatever its role: one file a daemon or duty, summed into one push."""

from components.host.baseline.args import BaselineArgs
from components.host.baseline.baselines import baselines
from components.host.baseline.component import Baseline

__all__ = ["Baseline", "BaselineArgs", "baselines"]
