"""The load balancers: a HAProxy pair for the Kubernetes API and for the service's requests."""

from components.loadbalancers.args import BalancersBaseArgs, BalancersRoutesArgs
from components.loadbalancers.component import BalancersBase, BalancersRoutes

__all__ = [
    "BalancersBase",
    "BalancersBaseArgs",
    "BalancersRoutes",
    "BalancersRoutesArgs",
]
