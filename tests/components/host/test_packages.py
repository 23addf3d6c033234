"""Which package brings which daemon, on which distribution."""

from __future__ import annotations

import pytest

from components.host import packages
from components.host.part import Package


def test_a_daemon_is_asked_for_by_its_own_name() -> None:
    assert packages.package("chrony") == Package(name="chrony")
    assert packages.package("kubelet", version="1.36.3-1.1", hold=True) == Package(
        name="kubelet", version="1.36.3-1.1", hold=True
    )


def test_another_distribution_is_another_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packages.NAMES, "other", {"chrony": "chronyd"})
    assert packages.package("chrony", distribution="other") == Package(name="chronyd")


def test_a_daemon_without_a_package_is_named_with_those_that_have_one() -> None:
    with pytest.raises(
        KeyError, match=rf"ntpd: no package of {packages.DISTRIBUTION} is known for it \(known: "
    ):
        packages.package("ntpd")


def test_every_distribution_has_a_package_for_everything() -> None:
    wanted = set(packages.NAMES[packages.DISTRIBUTION])
    assert {name: wanted - set(table) for name, table in packages.NAMES.items()} == {
        name: set() for name in packages.NAMES
    }
