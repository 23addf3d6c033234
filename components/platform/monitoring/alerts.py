"""Who is told of alerts. Pure.

Source: Alertmanager's configuration page (route, email_config, webhook_config); files of secrets
are where the operator mounts them (`alertmanagerSpec.secrets`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from components.platform.addon import Object
from settings.models import Receiver

NOBODY = "null"
"""The chart's own receiver of what nobody is told."""
_SECRETS = "/etc/alertmanager/secrets"


def config(receivers: Sequence[Receiver]) -> Object:
    """Every receiver of an alert's severity is told; the chart's own signals of life are not sent.

    A stack without receivers keeps its alerts in Prometheus.
    """
    routes: list[Object] = [
        {"receiver": NOBODY, "matchers": ['alertname =~ "Watchdog|InfoInhibitor"']},
    ]
    for each in receivers:
        matcher = f'severity =~ "{"|".join(each.severities)}"'
        routes.append({"receiver": each.name, "matchers": [matcher], "continue": True})
    return {
        "route": {
            "receiver": NOBODY,
            "group_by": ["alertname", "namespace"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": routes,
        },
        "receivers": [
            {"name": NOBODY},
            *({"name": each.name, **RECEIVERS[each.kind](each)} for each in receivers),
        ],
    }


def by_mail(receiver: Receiver) -> Object:
    """SMTP with STARTTLS; the password is read from a file."""
    mail: Object = {
        "to": ", ".join(receiver.to),
        "from": receiver.sender,
        "smarthost": f"{receiver.server}:{receiver.port}",
        "require_tls": True,
        "send_resolved": True,
    }
    if receiver.username is not None:
        mail["auth_username"] = receiver.username
        mail["auth_password_file"] = _file(receiver)
    return {"email_configs": [mail]}


def by_webhook(receiver: Receiver) -> Object:
    """An HTTP request; its URL, which may hold a token, is read from a file."""
    return {"webhook_configs": [{"url_file": _file(receiver), "send_resolved": True}]}


def _file(receiver: Receiver) -> str:
    return f"{_SECRETS}/{receiver.secret}/{receiver.traits.key}"


RECEIVERS: Mapping[str, Callable[[Receiver], Object]] = {
    "mail": by_mail,
    "webhook": by_webhook,
}
"""By the word of `platform.monitoring.receivers[].kind`."""
