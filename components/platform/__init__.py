"""What runs on the cluster first: pod network, load-balancer addresses, ingress."""

from components.platform.args import PlatformArgs
from components.platform.component import Platform
from components.platform.ports import IngressPorts

__all__ = ["IngressPorts", "Platform", "PlatformArgs"]
