"""What every node of the cluster has: containerd, the kubelet's packages, kernel settings."""

from __future__ import annotations

import pulumi

from components.cluster import render
from components.cluster.args import ClusterArgs
from components.host import (
    Check,
    File,
    Health,
    HostConfiguration,
    HostConfigurationArgs,
    Machine,
    Package,
    Repository,
    Service,
    Step,
)
from settings.models import AptRepository

_SYSCTL = "/etc/sysctl.d/90-kubernetes.conf"
_MODULES = "/etc/modules-load.d/kubernetes.conf"
_KUBELET = "/etc/default/kubelet"
_CONTAINERD = "/etc/containerd"
_SWAP = "/etc/layered-cloud/swap-off"

# A kernel without module support has no such directory, and all it can do built in.
_LOAD_MODULES = "test ! -e /proc/modules || exec systemctl restart systemd-modules-load.service"


def node_configuration(
    machine: Machine, args: ClusterArgs, parent: pulumi.Resource
) -> HostConfiguration:
    """The push of one node. The kubelet is started by kubeadm, not here: until a node is in a
    cluster it has nothing to run."""
    cluster = args.cluster
    version = f"{cluster.kubernetes_version}-{cluster.package_revision}"
    return HostConfiguration(
        f"{machine.name}-node",
        HostConfigurationArgs(
            machine=machine,
            layer="cluster",
            repositories=tuple(
                _repository(each)
                for each in (
                    args.software.kubernetes_repository,
                    args.software.containerd_repository,
                )
                if each is not None
            ),
            packages=(
                Package(
                    name=cluster.containerd.package, version=cluster.containerd.version, hold=True
                ),
                *(
                    Package(name=name, version=version, hold=True)
                    for name in ("kubeadm", "kubelet", "kubectl")
                ),
                *(Package(name=name) for name in cluster.extra_packages),
            ),
            files=_files(machine, args),
            checks=(
                Check(
                    name="containerd",
                    argv=("containerd", "config", "dump"),
                    watches=(f"{_CONTAINERD}/config.toml", f"{_CONTAINERD}/conf.d"),
                ),
                *(
                    (
                        Check(
                            name="kubeadm",
                            argv=(
                                *("kubeadm", "config", "validate"),
                                *("--config", render.KUBEADM_CONFIG),
                            ),
                            watches=(render.KUBEADM_CONFIG,),
                        ),
                    )
                    if machine.role == "control_plane"
                    else ()
                ),
            ),
            steps=(
                Step(name="modules", argv=("sh", "-c", _LOAD_MODULES), watches=(_MODULES,)),
                Step(
                    name="sysctl",
                    argv=("/usr/lib/systemd/systemd-sysctl", _SYSCTL),
                    watches=(_SYSCTL,),
                ),
                Step(name="swap", argv=(_SWAP,), watches=(_SWAP,)),
            ),
            services=(
                Service(
                    name="containerd",
                    on_change="restart",
                    watches=(f"{_CONTAINERD}/config.toml", f"{_CONTAINERD}/conf.d"),
                    health=Health(argv=("ctr", "--timeout", "5s", "version"), seconds=30),
                ),
                Service(
                    name="kubelet",
                    on_change=("systemctl", "try-restart", "kubelet.service"),
                    watches=(_KUBELET,),
                    enable=False,
                ),
            ),
            epoch=args.epoch,
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _files(machine: Machine, args: ClusterArgs) -> tuple[File, ...]:
    cluster = args.cluster
    address = machine.address("lan")
    files = [
        File(path=f"{_CONTAINERD}/config.toml", content=render.containerd_config()),
        *(
            File(path=f"{_CONTAINERD}/conf.d/{name}", content=snippet)
            for name, snippet in cluster.containerd.snippets.items()
        ),
        *(
            File(path=f"{_CONTAINERD}/certs.d/{registry}/hosts.toml", content=hosts)
            for registry, hosts in cluster.containerd.hosts.items()
        ),
        File(path=_SYSCTL, content=render.sysctl_config(cluster.sysctls)),
        File(path=_MODULES, content=render.modules_config()),
        File(path=_SWAP, content=f"#!/bin/bash -eu\n{render.text('swap.sh.j2')}", mode="0755"),
        File(
            path=_KUBELET,
            content=render.kubelet_environment(machine.name, address, cluster.kubelet.extra_args),
        ),
        *(File(path=path, content=content) for path, content in cluster.node_files.items()),
    ]
    if machine.role == "control_plane":
        files.append(
            File(
                path=render.KUBEADM_CONFIG,
                content=render.kubeadm_config(
                    cluster,
                    args.networks,
                    args.api,
                    name=machine.name,
                    addresses=[address, machine.address("management")],
                    domain=args.networks.domain,
                ),
            )
        )
    return tuple(files)


def _repository(settings: AptRepository) -> Repository:
    return Repository(
        name=settings.name,
        uris=tuple(settings.uris),
        suites=tuple(settings.suites),
        components=tuple(settings.components),
        signed_by=settings.signed_by,
    )
