"""A part: one daemon of a machine, or one duty of its system, as plain values.

A layer sums its parts into what it pushes. Nothing here knows the engine, so that a part can be
rendered, tested against the real daemon, and read by whoever looks after a running machine.
Everything a daemon says or needs is a constant argv, never a shell line of values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from ipaddress import IPv4Address
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Package:
    """A Debian package; `version` pins it exactly, `hold` keeps upgrades away from it.

    A version that ends in `*` matches as apt's own pins do, for example `2.6.*`. `brings` is the
    daemon or tool for which it was asked (`components.host.packages`), by which another
    distribution's table knows it; None of one that is called so everywhere. On a machine that has
    the file `settled`, a push leaves the version that is installed: whoever looks after what runs
    there changes it in its turn (`host-install`, in an action's texts).
    """

    name: str
    version: str | None = None
    hold: bool = False
    settled: str | None = None
    brings: str | None = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """A daemon's own checker, run before anything is swapped.

    It sees the file system as it will be: this configuration's files staged over the live ones,
    the files of every other configuration as they are. A non-zero exit refuses the whole set.
    Runs only when one of `watches` (paths or directories; empty: any file) changes.
    """

    name: str
    argv: tuple[str, ...]
    watches: tuple[str, ...] = ()
    seconds: int = 60


@dataclass(frozen=True, kw_only=True)
class Step:
    """A constant command around the swap, such as `sysctl --system`; must be idempotent.

    `when` is `before` (the reload of services) or `after` (their health). It runs only when one of
    `watches` changed, and again after a rollback, over the old files. `always` runs it on every
    push that is not a no-op.
    """

    name: str
    argv: tuple[str, ...]
    when: Literal["before", "after"] = "before"
    watches: tuple[str, ...] = ()
    always: bool = False
    seconds: int = 60


@dataclass(frozen=True, kw_only=True)
class Health:
    """A probe repeated until it exits 0; after `seconds` without success the old set comes back."""

    argv: tuple[str, ...]
    seconds: float = 15.0
    interval: float = 0.25


@dataclass(frozen=True, kw_only=True)
class Service:
    """A systemd unit that serves from the files.

    `on_change` says what a changed file needs: `reload` (the unit's own; restart only when it is
    not running), `restart`, `none`, or a constant argv of its own. `watches` narrows the files
    that matter to paths or directories; empty means every file of the configuration. With
    `enable` the unit is enabled and running after every push; a unit that was enabled by this
    configuration is disabled and stopped by its deletion. `guarded` puts it under the
    configuration's `PeerGuard`.
    """

    name: str
    on_change: Literal["reload", "restart", "none"] | tuple[str, ...] = "reload"
    watches: tuple[str, ...] = ()
    enable: bool = True
    health: Health | None = None
    guarded: bool = True


@dataclass(frozen=True, kw_only=True)
class ConfirmPolicy:
    """For machines where a mistake cuts you off.

    The push arms a timed restore before it swaps; a second command over a new connection confirms
    and disarms it. Without it, `seconds` after the swap the old set is back.
    """

    seconds: int = 60


@dataclass(frozen=True, kw_only=True)
class PeerGuard:
    """In a pair: never touch the owner of a VIP while its peer cannot take over.

    While the machine holds one of `vips` (plain addresses), guarded services are reloaded only
    when `probe`, run on the machine, exits 0 within `seconds`: it asks the peer whether it is
    healthy.
    """

    vips: tuple[str, ...]
    probe: tuple[str, ...]
    seconds: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Late:
    """A text that waits for values which only an update knows.

    `render` is called with the values called `needs`, as keyword arguments, and must be pure.
    """

    needs: tuple[str, ...]
    render: Callable[..., str]


@dataclass(frozen=True, kw_only=True)
class Text:
    """One file of a part. `owner` is `user:group`, `mode` is octal text.

    `secrets` names placeholders (`@@name@@` in the text) that the layer gives values for; such a
    file must not be readable by others.
    """

    path: str
    content: str | Late
    mode: str = "0644"
    owner: str = "root:root"
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OpenPort:
    """A port a part listens on.

    `protocol` is tcp, udp, or an IP protocol by its name (`vrrp`), which has no `number`.
    `network` is the leg it listens on (management, lan, wan, sync) or `loopback`; `sources` says
    who calls: `peer`, `management`, `lan`, `cdn`, `anyone`, `itself`, or `named` (`addresses`).
    """

    protocol: str
    number: int | None
    network: str
    sources: str
    purpose: str
    addresses: tuple[IPv4Address, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """Where a part's metrics are read (Prometheus text format): a port on a leg, and a path."""

    name: str
    network: str
    port: int
    path: str = "/metrics"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One daemon: what it needs, how its files are judged, and what it opens.

    Units of a machine are brought up in the order of its parts. The probes of a part's health are
    its services' (`Service.health`).
    """

    name: str
    packages: tuple[Package, ...] = ()
    files: tuple[Text, ...] = ()
    checks: tuple[Check, ...] = ()
    steps: tuple[Step, ...] = ()
    services: tuple[Service, ...] = ()
    ports: tuple[OpenPort, ...] = ()
    exporters: tuple[Exporter, ...] = ()

    def texts(self, **late: object) -> dict[str, str]:
        """Every file by path, its late values given; `KeyError` for one that is not."""
        return {
            file.path: file.content
            if isinstance(file.content, str)
            else file.content.render(**{need: late[need] for need in file.content.needs})
            for file in self.files
        }


def summed(name: str, parts: Iterable[Part]) -> Part:
    """The parts as one: everything of each in order, a package that several need once."""
    whole = list(parts)
    gathered = {
        each.name: tuple(dict.fromkeys(item for part in whole for item in getattr(part, each.name)))
        for each in fields(Part)
        if each.name != "name"
    }
    return Part(name=name, **gathered)
