"""The cluster's machines, the service's names, and the CDN in front."""

from __future__ import annotations

from typing import Final

from settings.init.questions.question import Answers, Fixed, Question, with_answer
from settings.models.cdn import CDN_KINDS

_MANAGED: Final = with_answer(
    "cdn", *(word for word, traits in CDN_KINDS.items() if traits.managed)
)
_LISTED: Final = with_answer("cdn", *(word for word, traits in CDN_KINDS.items() if traits.listed))


def _lasts(given: Answers) -> str:
    """The zone that the first name is most likely in."""
    return ".".join(given["names"].split(",")[0].strip().split(".")[-2:])


CLUSTER: Final = (
    Question(
        name="control-planes",
        text="control planes, 1 or 3",
        keys=("cluster.control_planes",),
        default=Fixed("1"),
        number=True,
    ),
    Question(
        name="workers",
        text="workers",
        keys=("cluster.workers",),
        default=lambda given: str(given["hosts"].count("=") or 1),
        stand_in="1",
        number=True,
    ),
)

SERVICE: Final = (
    Question(
        name="names",
        text="host names of the service, such as www.example.org,example.org",
        keys=("balancers.certificate.names", "cdn.records"),
        stand_in="www.example.org",
    ),
    Question(
        name="cdn",
        text="CDN in front",
        keys=("cdn", "balancers.certificate.source"),
        default=Fixed("cloudflare"),
        stand_in="none",
        choices=tuple(CDN_KINDS),
    ),
    Question(
        name="zone",
        text="the zone of the names at the CDN",
        keys=("cdn.zone",),
        default=_lasts,
        when=_MANAGED,
    ),
    Question(
        name="cdn-ranges",
        text="the CDN's own address ranges, as it publishes them: 192.0.2.0/24,198.51.100.0/24",
        keys=("cdn.range_list",),
        when=_LISTED,
    ),
    Question(
        name="client-header",
        text="the header in which the CDN, over whatever a client wrote there, names the client "
        "(docs/cdn.md)",
        keys=("cdn.client_ip_header",),
        when=_LISTED,
    ),
)
