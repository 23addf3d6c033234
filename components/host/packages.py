"""Where machines get software, and what its packages are called there. Pure.

The names stand in `settings.models.distributions`, a table for each distribution. Names only: the
agent installs with apt, and the parts' units and paths are Debian's, which Ubuntu has too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from components.host.part import Package
from settings.models import DEFAULT_DISTRIBUTION, DISTRIBUTIONS, AptRepository, Distribution


def package(
    what: str, *, version: str | None = None, hold: bool = False, settled: str | None = None
) -> Package:
    """The package that brings the daemon or tool `what`; the others as in `Package`.

    It is named as the ordinary distribution does, until a machine is known (`named`). `KeyError`
    names what the table lacks.
    """
    name = _name(what, DISTRIBUTIONS[DEFAULT_DISTRIBUTION])
    return Package(name=name, version=version, hold=hold, settled=settled, brings=what)


def named(packages: Iterable[Package], distribution: Distribution) -> tuple[Package, ...]:
    """The packages as machines of a distribution call them. `KeyError` as from `package`."""
    return tuple(
        each if each.brings is None else replace(each, name=_name(each.brings, distribution))
        for each in packages
    )


def _name(what: str, distribution: Distribution) -> str:
    names = distribution.packages
    if what not in names:
        known = ", ".join(sorted(names))
        raise KeyError(
            f"{what}: no package of {distribution.name} is known for it (known: {known}); add it "
            "to DISTRIBUTIONS in settings/models/distributions.py"
        )
    return names[what]


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One apt repository (`man sources.list`, deb822), written to sources.list.d/NAME.sources.

    `signed_by` is the armored public key itself; `None` uses the machine's own keyring.
    """

    name: str
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...] = ()
    signed_by: str | None = None


def repositories(settings: Iterable[AptRepository | None]) -> tuple[Repository, ...]:
    """The repositories of a stack's settings; what a stack leaves out (None) is left out."""
    return tuple(
        Repository(
            name=one.name,
            uris=tuple(one.uris),
            suites=tuple(one.suites),
            components=tuple(one.components),
            signed_by=one.signed_by,
        )
        for one in settings
        if one is not None
    )
