"""The lab as a whole: what `make up` puts there, in order, and `make down` takes away.

Everything that lasts carries the lab's own mark or stands in its state directory, so that taking
away works from any state, half-made ones included.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from lab import runner, stack
from lab.hypervisor.hypervisor import Hypervisor
from lab.network import Network, Topology
from lab.network.network import end_processes
from lab.paths import cache_dir, state_dir
from lab.probes.edge import through_the_chain
from lab.probes.result import until
from lab.probes.world import Edge, World
from lab.services import Service
from lab.software import edge, plugins
from lab.software.images import ECHO
from lab.software.progress import Progress
from lab.software.software import Software, depot_of, ensure, everything, meanwhile
from lab.steps import Steps
from settings.files import load_stack

DEPOT = Service("depot")
CLOUDFLARE = Service("cloudflare")
EDGE = Service("edge")
CLOUDFLARE_PORT = 8787
DESTROY_SECONDS = 600


class LabError(RuntimeError):
    """The lab cannot do what was asked; the text says why and what to do next."""

    human = True


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Only one command changes the lab at a time.

    Raises:
        LabError: another one is under way.
    """
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / "lab.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(
                "another `make up` or `make down` is under way; next: wait for it or end it"
            ) from None
        yield


def end_strays(topology: Topology, seconds: float = 30) -> None:
    """End what a killed command left running in the runner's namespace: first asked, then killed.

    A run of Pulumi that outlives its caller would hold the stack, or write into a state that is
    being taken away.
    """
    end_processes(topology.namespace("runner"), seconds)


def up(profile: str | None, steps: Steps) -> None:
    """From a bare machine to a request that a pod answered. The same again changes nothing.

    Raises:
        LabError: `pulumi up` failed (its words were shown), or nothing answers in the end.
        UnservedChart: the stack names a chart that the lab does not serve.
    """
    stack.refuse_unserved(profile)
    progress, late = Progress(steps.console), plugins.late()
    with steps.step("software"):
        wanted = [*everything(), *stack.profile_software(profile)]
        software = ensure([name for name in wanted if name not in late], progress)
        software = replace(software, depot_root=depot_of(wanted))
    with meanwhile(late, progress):
        _up(profile, steps, software, wanted)


def _up(profile: str | None, steps: Steps, software: Software, wanted: Collection[str]) -> None:
    topology = Topology.default()
    with steps.step("networks"):
        end_strays(topology)
        Network(topology).up()
    with steps.step("depot and Cloudflare"):
        _services(software, topology)
        if edge.NAME in wanted:
            _edge(software, topology)
    hypervisor = Hypervisor(topology=topology)
    with steps.step("two Proxmox hosts"):
        access = hypervisor.up(software.base_image)
    facts = stack.Facts(
        image_sha256=software.base_sha256,
        signing_key=software.signing_key.read_text(),
        demo_image=ECHO.reference,
    )
    config = stack.config(facts, profile)
    stack.settings(config, runner.folder())
    secrets = {
        f"{stack.NAMESPACE}proxmoxApiToken": access.api_token,
        f"{stack.NAMESPACE}proxmoxSshKey": access.ssh_private_key,
        f"{stack.NAMESPACE}cloudflareApiToken": _cloudflare_token(),
    }
    runner.give(config, secrets, software.helm)
    _profile().write_text(profile or "")
    with steps.step("pulumi up"):
        if runner.run("up", topology=topology) != 0:
            raise LabError(
                "pulumi up failed; next: correct what it says and run make up again (it goes on "
                "from where it stopped), or make down"
            )
    seen = world()
    with steps.step("a request through the whole chain"):
        said = until(lambda: through_the_chain(seen, 3), 60, "no answer through the whole chain")
        steps.console.print(f"  {said}", markup=False)


def _services(software: Software, topology: Topology) -> None:
    depot = topology.nodes["depot"]
    namespace = topology.namespace("depot")
    addresses = [str(leg.address.ip) for leg in depot.legs]
    enter = ["ip", "netns", "exec", namespace, sys.executable, "-m"]
    listen = [word for address in addresses for word in ("--listen", f"{address}:80")]
    DEPOT.start([*enter, "lab.software.depot", "--root", str(software.depot_root), *listen])
    management = str(depot.address_on("mgmt"))
    ranges = [str(topology.segments["users"].network)]
    CLOUDFLARE.start(
        [
            *(*enter, "lab.cloudflare", "--listen", f"{management}:{CLOUDFLARE_PORT}"),
            *("--state", str(state_dir() / "cloudflare.json")),
            *(word for each in ranges for word in ("--ranges", each)),
        ]
    )
    for address in addresses:
        DEPOT.wait_tcp(address, 80, namespace)
    CLOUDFLARE.wait_tcp(management, CLOUDFLARE_PORT, namespace)


def _edge(software: Software, topology: Topology) -> None:
    """The CDN's edge, of what the API was told."""
    namespace = topology.namespace("edge")
    address = str(topology.nodes["edge"].address_on("users"))
    enter = ["ip", "netns", "exec", namespace, sys.executable, "-m"]
    EDGE.start(
        [
            *(*enter, "lab.edge", "--address", address, "--tree", str(software.edge)),
            *("--state", str(state_dir() / "cloudflare.json"), "--folder", str(_edge_folder())),
        ]
    )
    for port in (53, 80, 443):
        EDGE.wait_tcp(address, port, namespace)


def _edge_folder() -> Path:
    return state_dir() / "edge"


def _cloudflare_token() -> str:
    return (state_dir() / "cloudflare.json.token").read_text().strip()


def outputs() -> dict[str, object]:
    """The stack's plain outputs as the last `up` left them.

    Raises:
        LabError: there was none.
    """
    try:
        data: dict[str, object] = json.loads((state_dir() / "access" / "outputs.json").read_text())
    except FileNotFoundError:
        raise LabError("the lab is not up; next: make up") from None
    return data


def world() -> World:
    """The running lab, for probes and drills.

    Raises:
        LabError: it is not up.
    """
    found, profile = outputs(), _made_of()
    settings = load_stack(runner.folder() / f"Pulumi.{stack.NAME}.yaml")
    topology = Topology.default()
    return World(
        stack=settings,
        topology=topology,
        outputs=found,
        profile=profile,
        edge=Edge.of(topology, _edge_folder()) if _has_edge(profile) else None,
    )


def services() -> list[Service]:
    """The helpers that the running lab has."""
    return [DEPOT, CLOUDFLARE, *([EDGE] if _has_edge(_made_of()) else [])]


def _has_edge(profile: str) -> bool:
    return edge.NAME in stack.profile_software(profile)


def _made_of() -> str:
    """The name of the profile that the running lab was made of, empty for none."""
    return _profile().read_text() if _profile().exists() else ""


def _profile() -> Path:
    """The file with the name of the profile that the running lab was made of."""
    return runner.folder() / "profile"


def down(steps: Steps, quiet: bool = False) -> None:
    """Destroy the stack, then take the lab away: nothing is left, whatever state it was in."""
    topology = Topology.default()
    hypervisor = Hypervisor(topology=topology)
    end_strays(topology)
    if (runner.folder() / "given.yaml").exists() and not quiet:
        with steps.step("pulumi destroy"):
            _destroy(steps, topology)
    with steps.step("machines and Proxmox hosts"):
        hypervisor.down()
    with steps.step("depot and Cloudflare"):
        EDGE.stop()
        DEPOT.stop()
        CLOUDFLARE.stop()
    with steps.step("networks"):
        Network(topology).down()
    if state_dir().exists():
        shutil.rmtree(state_dir())


def _destroy(steps: Steps, topology: Topology) -> None:
    """The stack's own destroy, bounded; what it cannot take away goes with the lab."""
    argv = runner.inside([sys.executable, "-m", "lab.runner", "destroy"], topology)
    started = time.monotonic()
    child = subprocess.Popen(argv)
    try:
        code = child.wait(timeout=DESTROY_SECONDS)
    except subprocess.TimeoutExpired:
        child.terminate()
        code = child.wait(timeout=60)
    if code != 0:
        steps.console.print(
            f"pulumi destroy did not finish ({time.monotonic() - started:.0f} s, status {code}); "
            "its machines go with the lab",
            style="yellow",
        )
