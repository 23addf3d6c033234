"""A node's kernel settings, whole, and what systemd says of them."""

from __future__ import annotations

from components.cluster import system
from tests.components.cluster.nodes import checked, cluster, worker
from tests.golden_files import assert_golden


def test_the_kernel_settings_are_the_golden_file_and_systemd_takes_them() -> None:
    text = system.sysctl_config({"net.core.somaxconn": "4096"})
    assert_golden("cluster/sysctl.conf", text)
    status, _, err = checked(
        ["/usr/lib/systemd/systemd-sysctl", "--strict", system.SYSCTL],
        {system.SYSCTL: text},
    )
    assert status == 0, err


def test_modules_are_one_a_line() -> None:
    assert system.part(worker()).texts()[system.MODULES] == "overlay\nbr_netfilter\n"


def test_a_sysctl_of_the_stack_comes_last() -> None:
    text = system.part(worker(cluster(sysctls={"net.core.somaxconn": "4096"}))).texts()
    assert text[system.SYSCTL].endswith("\nnet.core.somaxconn = 4096\n")


def test_modules_are_there_before_the_sysctls_that_need_them() -> None:
    assert [step.name for step in system.part(worker()).steps] == ["modules", "sysctl", "swap"]
    (swap,) = [file for file in system.part(worker()).files if file.path == system.SWAP]
    assert (swap.mode, str(swap.content).splitlines()[0]) == ("0755", "#!/bin/bash -eu")
