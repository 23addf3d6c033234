"""BIRD's process: its configuration, who may read it, and what judges it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.host.packages import package
from components.host.part import Check, Health, OpenPort, Part, Service, Step, Text

CONFIG = "/etc/bird/bird.conf"
UNIT = "bird.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/layered.conf"
HEALTH = ("/usr/sbin/birdc", "show", "status")


def sealed(path: str, content: str, secrets: Sequence[str]) -> Text:
    """A text with the sessions' passwords, named `secrets`, which BIRD alone may read."""
    return Text(path=path, content=content, mode="0640", owner="root:bird", secrets=tuple(secrets))


def part(
    files: Sequence[Text],
    *,
    drop_in: str,
    judged: Mapping[str, str],
    watches: Sequence[str],
    beside: Sequence[Text] = (),
    steps: Sequence[Step] = (),
    ports: Sequence[OpenPort] = (),
) -> Part:
    """BIRD with its configuration in `files` (BIRD user's guide) and the unit's `drop_in`.

    `judged` are the texts that may be told to it, by the name of the check; it is reloaded when one
    of `watches` changes. `beside` are further files.
    """
    return Part(
        name="bird",
        packages=(package("bird"),),
        files=(*files, Text(path=DROP_IN, content=drop_in), *beside),
        checks=tuple(
            Check(
                name=name,
                argv=("/usr/sbin/bird", "-p", "-c", path),
                watches=tuple(dict.fromkeys((path, *(each for each in watches if each != CONFIG)))),
            )
            for name, path in judged.items()
        ),
        steps=tuple(steps),
        services=(
            Service(
                name=UNIT,
                on_change="reload",
                watches=tuple(watches),
                health=Health(argv=HEALTH),
            ),
        ),
        ports=tuple(ports),
    )
