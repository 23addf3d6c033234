"""Which package brings which daemon, on which distribution."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.host import packages
from components.host.part import Package
from settings.models import DEFAULT_DISTRIBUTION, DISTRIBUTIONS

BOOKWORM = DISTRIBUTIONS[DEFAULT_DISTRIBUTION]
OTHER = replace(BOOKWORM, packages={"chrony": "chronyd", "kubelet": "kubelet"})


def test_a_daemon_is_asked_for_by_its_own_name() -> None:
    assert packages.package("bird") == Package(name="bird2", brings="bird")
    assert packages.package("kubelet", version="1.36.3-1.1", hold=True) == Package(
        name="kubelet", version="1.36.3-1.1", hold=True, brings="kubelet"
    )


def test_another_distribution_is_another_table() -> None:
    asked = [packages.package("chrony"), packages.package("kubelet", version="1", hold=True)]
    assert [(each.name, each.version, each.hold) for each in packages.named(asked, OTHER)] == [
        ("chronyd", None, False),
        ("kubelet", "1", True),
    ]


def test_what_no_table_knows_is_called_so_everywhere() -> None:
    own = Package(name="containerd.io", version="2.4.2-1")
    assert packages.named([own], OTHER) == (own,)


def test_a_daemon_without_a_package_is_named_with_those_that_have_one() -> None:
    with pytest.raises(KeyError, match=r"ntpd: no package of bookworm is known for it \(known: "):
        packages.package("ntpd")
    with pytest.raises(KeyError, match=r"bird: no package of bookworm is known for it \(known: "):
        packages.named([packages.package("bird")], OTHER)


def test_every_distribution_has_a_package_for_everything() -> None:
    wanted = set(BOOKWORM.packages)
    assert {name: wanted ^ set(row.packages) for name, row in DISTRIBUTIONS.items()} == {
        name: set() for name in DISTRIBUTIONS
    }
