"""The only ways anything reaches a machine: `HostConfiguration` and `HostAction`; for an appliance,
which has no Python, `HostScript`, and `HostImport` where it takes back what nobody confirms."""

from components.host.action import HostAction, HostActionArgs
from components.host.baseline import Baseline, BaselineArgs, baselines
from components.host.configuration import HostConfiguration, HostConfigurationArgs
from components.host.endpoint import ApiEndpoint
from components.host.errors import LayerError
from components.host.files import File, files
from components.host.imported import HostImport, HostImportArgs
from components.host.machine import Connection, Machine, Start, ordinary
from components.host.packages import Repository, package, repositories
from components.host.part import (
    Check,
    ConfirmPolicy,
    Exporter,
    Health,
    Late,
    OpenPort,
    Package,
    Part,
    PeerGuard,
    Service,
    Step,
    Text,
    summed,
)
from components.host.script import HostScript, HostScriptArgs
from components.host.seed import Seed
from components.host.transport import dependencies, once_below

__all__ = [
    "ApiEndpoint",
    "Baseline",
    "BaselineArgs",
    "Check",
    "ConfirmPolicy",
    "Connection",
    "Exporter",
    "File",
    "Health",
    "HostAction",
    "HostActionArgs",
    "HostConfiguration",
    "HostConfigurationArgs",
    "HostImport",
    "HostImportArgs",
    "HostScript",
    "HostScriptArgs",
    "Late",
    "LayerError",
    "Machine",
    "OpenPort",
    "Package",
    "Part",
    "PeerGuard",
    "Repository",
    "Seed",
    "Service",
    "Start",
    "Step",
    "Text",
    "baselines",
    "dependencies",
    "files",
    "once_below",
    "ordinary",
    "package",
    "repositories",
    "summed",
]
