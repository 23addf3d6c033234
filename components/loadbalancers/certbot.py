"""certbot: the certificate that a balancer orders for itself, and renews. Pure.

Each balancer has an account, a key and a certificate of its own: nothing secret goes from one to
the other. Until the first one has come HAProxy shows a placeholder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from components.host.packages import package
from components.host.part import OpenPort, Part, Service, Text
from components.host.text import environment
from components.loadbalancers.haproxy import DIRECTORY, RELOAD
from components.loadbalancers.model import (
    CHALLENGES_PORT,
    ORDERED,
    ORDERED_CERTIFICATE,
    OWN_CHALLENGES_PORT,
    Order,
    Rooms,
)

ANSWERS: Final = f"{DIRECTORY}/30-answers.cfg"
"""How HAProxy passes an authority's question on to who can answer it; there where one asks."""
FOLDER: Final = "/etc/layered-certbot"
SCRIPT: Final = f"{FOLDER}/order"
TRIAL: Final = f"{FOLDER}/trial.cfg"
"""What HAProxy is asked about a certificate that has come."""
CREDENTIALS: Final = f"{FOLDER}/cloudflare.ini"
"""The token of the records; only root reads it, and it stands in no command line."""
AUTHORITIES: Final = f"{FOLDER}/authorities.pem"
"""Who signs what the directory's server shows, beside those that the system trusts."""
UNIT: Final = "layered-certbot.service"
TIMER: Final = "layered-certbot.timer"
STATE: Final = "/var/lib/layered-certbot"
"""certbot's own folders, and what the certificate that is shown was ordered as."""
LOGS: Final = "/var/log/layered-certbot"
NEW: Final = f"{ORDERED}/certbot.key"
"""One that has come, with its key, before HAProxy has judged it. HAProxy passes over files of this
ending when it reads a folder (configuration manual, `crt`)."""
TOKEN: Final = "acme_token"  # noqa: S105 (the name of a secret, no secret)
CALLED: Final = "site"
"""What certbot calls the certificate."""

_UNITS = "/etc/systemd/system"
_TEMPLATES = environment(Path(__file__).parent / "templates" / "certbot")
_TEMPLATES.filters["python"] = repr


def part(order: Order) -> Part:
    """Who orders; the same on every balancer.

    Looks four times a day whether the certificate is due, and 20 minutes after a failure: an
    authority has limits (Let's Encrypt: five failures an hour for a name). It listens while it
    orders, and then only on loopback.
    """
    acme = order.acme

    def text(template: str) -> str:
        return _TEMPLATES.get_template(f"{template}.j2").render(
            argv=argv(order),
            answers=[str(each.address) for each in order.balancers] if acme.traits.answers else [],
            answers_port=CHALLENGES_PORT,
            balancers=order.balancers,
            certbots_port=OWN_CHALLENGES_PORT,
            room=Rooms.own,
            authorities=None if acme.authorities is None else AUTHORITIES,
            called=CALLED,
            directory=acme.directory,
            names=sorted(order.names),
            new=NEW,
            reload=RELOAD,
            script=SCRIPT,
            shown=ORDERED_CERTIFICATE,
            state=STATE,
            token=TOKEN,
            trial=TRIAL,
        )

    answers = (Text(path=ANSWERS, content=text("answers.cfg")),) if acme.traits.answers else ()
    timer = Text(path=f"{_UNITS}/{TIMER}", content=text("layered-certbot.timer"))
    unit = Text(path=f"{_UNITS}/{UNIT}", content=text("layered-certbot.service"))
    credentials = Text(
        path=CREDENTIALS, content=text("cloudflare.ini"), mode="0600", secrets=(TOKEN,)
    )
    signers = Text(path=AUTHORITIES, content=f"{(acme.authorities or '').strip()}\n")
    return Part(
        name="certbot",
        packages=(
            package("certbot"),
            *((package("certbot-dns-cloudflare"),) if acme.traits.zones else ()),
        ),
        files=(
            Text(path=SCRIPT, content=text("order.py"), mode="0755"),
            Text(path=TRIAL, content=text("trial.cfg")),
            *answers,
            *((credentials,) if acme.traits.zones else ()),
            *((signers,) if acme.authorities else ()),
            unit,
            timer,
        ),
        services=(
            Service(
                name=TIMER,
                on_change="restart",
                watches=(FOLDER, unit.path, timer.path),
                guarded=False,
            ),
        ),
        ports=_ports() if acme.traits.answers else (),
    )


def _ports() -> tuple[OpenPort, ...]:
    return (
        OpenPort(
            protocol="tcp",
            number=CHALLENGES_PORT,
            network="lan",
            sources="peer",
            purpose="an ACME authority's questions, which the peer passes on",
        ),
        OpenPort(
            protocol="tcp",
            number=OWN_CHALLENGES_PORT,
            network="loopback",
            sources="itself",
            purpose="certbot's answers, while it orders",
        ),
    )


def argv(order: Order) -> list[str]:
    """certbot's command line (certbot(1), of version 2.1 and later)."""
    acme = order.acme
    return [
        *("certbot", "certonly", "--non-interactive"),
        *("--config-dir", f"{STATE}/config", "--work-dir", f"{STATE}/work", "--logs-dir", LOGS),
        *("--server", acme.directory, "--agree-tos", "--no-eff-email", "--email", acme.email),
        # When it is due is decided by the script, by its life and not by a number of days.
        *("--cert-name", CALLED, "--force-renewal", "--renew-with-new-domains"),
        *("--key-type", "ecdsa", "--elliptic-curve", "secp256r1"),
        *(_by_record() if acme.traits.zones else _by_answer()),
        *(word for name in order.names for word in ("-d", name)),
    ]


def _by_answer() -> tuple[str, ...]:
    return (
        *("--standalone", "--preferred-challenges", "http"),
        *("--http-01-address", "127.0.0.1", "--http-01-port", str(OWN_CHALLENGES_PORT)),
    )


def _by_record() -> tuple[str, ...]:
    return ("--dns-cloudflare", "--dns-cloudflare-credentials", CREDENTIALS)
