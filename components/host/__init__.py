"""The only two ways anything reaches a machine: `HostConfiguration` and `HostAction`."""

from components.host.action import HostAction, HostActionArgs
from components.host.baseline import Baseline, BaselineArgs
from components.host.baselines import baselines
from components.host.configuration import HostConfiguration, HostConfigurationArgs
from components.host.files import ConfirmPolicy, File, PeerGuard, Repository
from components.host.machine import Connection, Machine
from components.host.part import Check, Health, Package, Service, Step
from components.host.transport import dependencies

__all__ = [
    "Baseline",
    "BaselineArgs",
    "Check",
    "ConfirmPolicy",
    "Connection",
    "File",
    "Health",
    "HostAction",
    "HostActionArgs",
    "HostConfiguration",
    "HostConfigurationArgs",
    "Machine",
    "Package",
    "PeerGuard",
    "Repository",
    "Service",
    "Step",
    "baselines",
    "dependencies",
]
