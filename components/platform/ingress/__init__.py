"""The ingress controllers a stack can choose (`platform.ingress.kind`), one file each."""

from collections.abc import Mapping

from components.platform.ingress.cilium import CILIUM
from components.platform.ingress.contour import CONTOUR
from components.platform.ingress.controller import Controller
from components.platform.ingress.haproxy import HAPROXY
from components.platform.ingress.nginx import NGINX
from components.platform.ingress.traefik import TRAEFIK

CONTROLLERS: Mapping[str, Controller] = {
    "cilium": CILIUM,
    "contour": CONTOUR,
    "haproxy": HAPROXY,
    "nginx": NGINX,
    "traefik": TRAEFIK,
}
"""By the setting's value."""

__all__ = ["CONTROLLERS", "Controller"]
