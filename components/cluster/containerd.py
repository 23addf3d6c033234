"""The container runtime. Pure. Sources: containerd's docs/cri/config.md and docs/hosts.md."""

from __future__ import annotations

from components.cluster.model import MEMBER, NodeModel
from components.cluster.render import text
from components.host.part import Check, Health, Package, Part, Service, Text

SOCKET = "unix:///run/containerd/containerd.sock"
_HOME = "/etc/containerd"
_WATCHED = (f"{_HOME}/config.toml", f"{_HOME}/conf.d")


def part(node: NodeModel) -> Part:
    """containerd with runc under systemd's cgroups, the stack's snippets, and registries by
    certs.d (which containerd reads anew for each pull, so that it is not restarted for them)."""
    settings = node.cluster.containerd
    return Part(
        name="containerd",
        packages=(
            Package(name=settings.package, version=settings.version, hold=True, settled=MEMBER),
        ),
        files=(
            Text(path=f"{_HOME}/config.toml", content=config()),
            *(
                Text(path=f"{_HOME}/conf.d/{name}", content=snippet)
                for name, snippet in settings.snippets.items()
            ),
            *(
                Text(path=f"{_HOME}/certs.d/{registry}/hosts.toml", content=hosts)
                for registry, hosts in settings.hosts.items()
            ),
        ),
        checks=(Check(name="containerd", argv=("containerd", "config", "dump"), watches=_WATCHED),),
        services=(
            Service(
                name="containerd",
                on_change="restart",
                watches=_WATCHED,
                health=Health(argv=("ctr", "--timeout", "5s", "version"), seconds=30),
            ),
        ),
    )


def config() -> str:
    """/etc/containerd/config.toml."""
    return text("containerd.toml.j2")
