"""What the end-to-end tests share: commands, variants, and what a lab must not leave behind."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab import runner
from lab.network import Topology
from lab.paths import CHECKOUT, state_dir
from lab.probes.result import until
from lab.probes.world import World
from lab.processes import children

MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
ASIDE = "/etc/kubernetes/kube-apiserver.yaml"

ENV = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"}


def lab(*words: str, seconds: float = 900) -> subprocess.CompletedProcess[str]:
    """`python -m lab WORDS`, its output kept."""
    return subprocess.run(
        [sys.executable, "-m", "lab", *words],
        cwd=CHECKOUT,
        env=ENV,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def variant(verb: str = "up", seconds: float = 600, **spec: Any) -> dict[str, Any]:
    """A run of the stack with something changed (see variant.py); its answer."""
    done = variant_process(verb, **spec)
    out, err = done.communicate(timeout=seconds)
    assert done.returncode == 0, f"{out[-3000:]}\n{err[-3000:]}"
    answer: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return answer


def variant_process(verb: str = "up", **spec: Any) -> subprocess.Popen[str]:
    """The same, still under way."""
    script = str(CHECKOUT / "tests" / "lab" / "e2e" / "variant.py")
    argv = [sys.executable, script, json.dumps({"verb": verb, **spec})]
    return subprocess.Popen(
        runner.inside(argv),
        cwd=CHECKOUT,
        env=ENV,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def processes(process: subprocess.Popen[str]) -> list[int]:
    """The process and all that it started, the newest last."""
    found, new = [], [process.pid]
    while new:
        found += new
        new = [each for pid in new for each in children(pid)]
    return found


def _command_line(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def engine(process: subprocess.Popen[str]) -> int | None:
    """The Pulumi command line that does the run of a `variant_process`, once there is one."""
    for pid in processes(process):
        words = _command_line(pid)
        if "/pulumi " in words and " up " in words and "setpriv" not in words:
            return pid
    return None


def cut(process: subprocess.Popen[str]) -> None:
    """End a run as a loss of power would: no process of it but the providers' gets a last word."""
    ended = [pid for pid in processes(process) if "resource-" not in _command_line(pid)]
    ended = [pid for pid in ended if "lab.plugins" not in _command_line(pid)]
    first = engine(process)
    for pid in ([first] if first else []) + ended:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)


def balancers(**changes: Any) -> dict[str, Any]:
    """The lab's balancers section with other values."""
    return _section("layered-cloud:balancers", changes)


def cluster(**changes: Any) -> dict[str, Any]:
    """The lab's cluster section with other values."""
    return _section("layered-cloud:cluster", changes)


@contextlib.contextmanager
def given(config: dict[str, Any], secrets: dict[str, str]) -> Iterator[None]:
    """Every run has this laid over the stack until the end: secrets, which stand in no command
    line, among it."""
    before = runner.given()
    helm = Path(before["helm"])
    runner.give({**before["config"], **config}, {**before["secrets"], **secrets}, helm)
    try:
        yield
    finally:
        runner.give(before["config"], before["secrets"], helm)


def _section(key: str, changes: dict[str, Any]) -> dict[str, Any]:
    section = copy.deepcopy(runner.given()["config"][key])
    section.update(changes)
    return {key: section}


def customs(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Steps of resources that do something: components only group them."""
    return [step for step in steps if not step["type"].startswith(("layered-cloud:", "pulumi:"))]


def assert_one_change_a_balancer(world: World) -> None:
    """A changed timeout plans one update for each balancer, its line in the preview."""
    answer = variant("preview", changes=balancers(timeouts={"http_request": 7}))
    assert answer["ok"], answer["error"]
    changed = customs(answer["steps"])
    names = sorted(step["urn"].rsplit("::", 1)[-1] for step in changed)
    assert names == sorted(f"{machine}-routes" for machine in world.role("balancer"))
    assert all(step["op"] == "update" for step in changed)
    added = [line for line in answer["text"].splitlines() if "http-request 7s" in line]
    assert added, "the diff does not show the changed line"


def leftovers() -> list[str]:
    """Whatever of the lab is still on this machine: nothing, after `make down`."""
    prefix = Topology.default().prefix
    namespaces = Path("/run/netns")
    names = [each.name for each in namespaces.iterdir()] if namespaces.is_dir() else []
    found = [f"namespace {name}" for name in names if name.startswith(prefix)]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    found += [f"mount {line}" for line in mounts if str(state_dir()) in line or prefix in line]
    found += [
        f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(f"**/{prefix}*") if path.is_dir()
    ]
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    found += [f"link {line}" for line in links.splitlines() if "veth" in line or prefix in line]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            ours = ("lab.software.depot", "lab.cloudflare", f"--machine={prefix}", "lab.runner")
            if any(word in line for word in (*ours, f"{state_dir()}/", str(state_dir()) + " ")):
                found.append(f"process {entry.name} {line.strip()}")
    if state_dir().exists():
        found.append(f"folder {state_dir()}")
    # What tests beside this one have made for themselves is no lab.
    return [each for each in found if f"{prefix}test-" not in each]


def _api_answers(world: World) -> bool:
    try:
        world.kubectl("get", "--raw", "/readyz", seconds=5)
    except Exception:  # whatever says no says that it is away
        return False
    return True


def take_api_away(world: World) -> None:
    """No control plane serves the API from here on (its machine and the service go on)."""
    for each in world.role("control_plane"):
        world.text(each, ["mv", MANIFEST, ASIDE])
    until(lambda: not _api_answers(world), 60, "the API does not go away")


def bring_api_back(world: World) -> None:
    """The end of `take_api_away`, whether it was carried out or not."""
    for each in world.role("control_plane"):
        world.text(each, ["sh", "-c", f"[ ! -e {ASIDE} ] || mv {ASIDE} {MANIFEST}"])
    until(lambda: _api_answers(world), 180, "the API does not come back")
