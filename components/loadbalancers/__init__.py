"""The load balancers: a HAProxy pair for the Kubernetes API and for the service's requests."""

from components.loadbalancers.args import BalancersBaseArgs, BalancersRoutesArgs, api_endpoint
from components.loadbalancers.component import BalancersBase, BalancersRoutes

__all__ = [
    "BalancersBase",
    "BalancersBaseArgs",
    "BalancersRoutes",
    "BalancersRoutesArgs",
    "api_endpoint",
]
