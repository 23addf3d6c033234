"""The baseline of a group of machines, as a stack's settings say."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.host.baseline.args import BaselineArgs
from components.host.baseline.component import Baseline
from components.host.machine import Machine
from components.host.packages import repositories
from settings.models import Access, Collector, Networks, Software


def baselines(
    machines: Sequence[Machine],
    *,
    access: Access,
    networks: Networks,
    software: Software,
    deploy_key: pulumi.Input[str],
    readers: Sequence[Machine] = (),
    collector: Collector | None = None,
    behind: Sequence[pulumi.Resource] = (),
) -> list[Baseline]:
    """One `Baseline` each, pushed once `behind` is there; the machines know each other by name.

    `deploy_key` is the public key this program logs in with, `readers` are machines that read all
    others' figures; `collector` is sent their journals.
    """
    return [
        Baseline(
            f"{machine.name}-baseline",
            BaselineArgs(
                machine=machine,
                authorized_keys=(deploy_key, *access.authorized_keys),
                repositories=repositories(software.of(machine.distribution.name)),
                resolvers=tuple(map(str, networks.resolvers)),
                domain=networks.domain,
                ntp_servers=tuple(networks.ntp),
                hosts={each.name: str(each.address("lan")) for each in machines},
                journal_mebibytes=access.journald_max_mebibytes,
                automatic_upgrades=access.unattended_upgrades,
                node_exporter=access.node_exporter,
                readers=tuple(each.address("management") for each in readers),
                collector=collector,
                install_packages=access.baseline_packages,
                epoch=str(access.epoch),
            ),
            pulumi.ResourceOptions(depends_on=list(behind)),
        )
        for machine in machines
    ]
