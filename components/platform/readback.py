"""The ingress' Service as a control plane reads it back: what was decided, and what is live."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.platform.ingress import Controller, placement
from settings.models import Ingress


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One value of the live Service: its name in words, where it stands (a kubectl JSONPath), and
    what was decided; empty when it is to be discovered."""

    what: str
    path: str
    decided: str


def expected(controller: Controller, ingress: Ingress) -> list[Expected]:
    """Every value that flows to other layers. There is no health port where every node answers."""
    ports, address = ingress.node_ports, ingress.load_balancer_ip

    def node_port(name: str) -> str:
        return f'{{.spec.ports[?(@.name=="{name}")].nodePort}}'

    wanted: Sequence[tuple[str, str, object]] = (
        ("NodePort for http", node_port(controller.http), ports.http),
        ("NodePort for https", node_port(controller.https), ports.https),
        *(
            [("healthCheckNodePort", "{.spec.healthCheckNodePort}", placement.health_port(ingress))]
            if ingress.external_traffic_policy == "Local"
            else []
        ),
        ("LoadBalancer address", "{.status.loadBalancer.ingress[*].ip}", address),
    )
    return [
        Expected(what=what, path=path, decided="" if decided is None else str(decided))
        for what, path, decided in wanted
    ]


@dataclass(frozen=True, kw_only=True)
class Service:
    """The API's Service, as JSON has it. A value that it lacks is a `LookupError`."""

    document: Mapping[str, Any]

    @classmethod
    def parsed(cls, text: str) -> Service:
        """The answer of `kubectl get service --output json`."""
        return cls(document=json.loads(text))

    def node_port(self, name: str) -> int:
        """The NodePort of the port called `name`."""
        by_name = {port["name"]: port for port in self.document["spec"]["ports"]}
        return int(by_name[name]["nodePort"])

    @property
    def health_port(self) -> int:
        """The Service's healthCheckNodePort."""
        return int(self.document["spec"]["healthCheckNodePort"])

    @property
    def address(self) -> str:
        """The first address its load balancer has."""
        return str(self.document["status"]["loadBalancer"]["ingress"][0]["ip"])
