"""Who watches the chain, and who is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from settings.models.base import Domain, Name, Port, Strict
from settings.models.cert_manager import Email
from settings.models.charts import Chart
from settings.models.walk import mapping

MONITORING_NAMESPACE: Final = "monitoring"
"""Where Prometheus and its Secrets are."""

Severity = Literal["critical", "warning"]


@dataclass(frozen=True, kw_only=True)
class ReceiverTraits:
    """What a kind of receiver asks of a stack: whether it `mails` (then the fields of mail), and
    the key of its Secret: `always`, or only with a `username`."""

    mails: bool
    key: str
    always: bool


RECEIVER_KINDS: Final[Mapping[str, ReceiverTraits]] = MappingProxyType(
    {
        "mail": ReceiverTraits(mails=True, key="password", always=False),
        "webhook": ReceiverTraits(mails=False, key="url", always=True),
    }
)
"""By the word of `Receiver.kind`."""


class Receiver(Strict):
    """Who is told of alerts, and again when they are over."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "url": "put it into the secret platformSecrets, as monitoring/alerts-NAME/url",
        "password": "put it into the secret platformSecrets, as monitoring/alerts-NAME/password",
    }

    name: Name
    """What Alertmanager calls it, and its line in the secret `platformSecrets`."""
    kind: Literal["mail", "webhook"]
    """By SMTP with STARTTLS, or by an HTTP request (Alertmanager's own JSON) to the URL that
    `platformSecrets` has as `monitoring/alerts-NAME/url`."""
    severities: list[Severity] = Field(default=["critical", "warning"], min_length=1)
    """Of which alerts."""
    to: list[Email] = Field(default_factory=list)
    """Of kind mail alone, as the next four: who gets it. Needed there, as `sender` and `server`
    are."""
    sender: Email | None = None
    """Whom it is from."""
    server: Domain | None = None
    """The SMTP server."""
    port: Port = 587
    """Its port."""
    username: str | None = Field(default=None, min_length=1, max_length=254)
    """Who logs in there, with the password `monitoring/alerts-NAME/password` of `platformSecrets`.
    Null: no login."""

    @property
    def traits(self) -> ReceiverTraits:
        """Of its kind."""
        return RECEIVER_KINDS[self.kind]

    @property
    def secret(self) -> str:
        """Its Secret's name."""
        return f"alerts-{self.name}"

    def secret_keys(self) -> tuple[str, ...]:
        """The keys of its Secret; none where it needs none."""
        needed = self.traits.always or self.username is not None
        return (self.traits.key,) if needed else ()


class Monitoring(Strict):
    """Prometheus and Alertmanager over the whole chain."""

    chart: Chart
    """kube-prometheus-stack's chart."""
    receivers: list[Receiver] = Field(default_factory=list)
    """Who is told. Empty: alerts are seen in Prometheus only."""
    dashboards: bool | None = None
    """Whether the cluster has dashboards of this chain, in ConfigMaps that Grafana's sidecar looks
    for. Null: where the chart's values turn on its Grafana (`grafana.enabled`). True is for a
    Grafana that the program knows nothing of."""

    @property
    def shows_dashboards(self) -> bool:
        """Whether they are made."""
        if self.dashboards is not None:
            return self.dashboards
        return mapping(self.chart.values, "grafana").get("enabled") in (True, "true")

    @property
    def sidecar(self) -> Mapping[str, Any]:
        """What the chart's values say of the one that looks for dashboards."""
        return mapping(self.chart.values, "grafana", "sidecar", "dashboards")

    @property
    def dashboard_label(self) -> tuple[str, str]:
        """Name and value of the label that it looks for: the chart's own where the values say
        nothing."""
        name, value = self.sidecar.get("label"), self.sidecar.get("labelValue")
        return str(name or "grafana_dashboard"), str(value or "1")

    def references(self) -> list[str]:
        """The lines that `platformSecrets` must have, NAMESPACE/NAME/KEY each."""
        return [
            f"{MONITORING_NAMESPACE}/{each.secret}/{key}"
            for each in self.receivers
            for key in each.secret_keys()
        ]
