"""Control planes of real programs, without the lab: kubeadm, etcd, the API server, the controller
manager and the scheduler, each machine in a root and namespaces of its own.

What is not real: the kubelet, which would want a container runtime. In its place `POD_RUNNER` runs
the commands of the static pods as they stand in kubeadm's manifests, and registers the node and
those pods with the credentials that kubeadm wrote for the kubelet. With a file /run/kubelet-version
it says that it is of that version, and Ready.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.software import checkers, goitems

PROGRAMS = (
    *(goitems.KUBEADM, goitems.KUBECTL, goitems.ETCD, goitems.KUBE_APISERVER),
    *(goitems.KUBE_CONTROLLER_MANAGER, goitems.KUBE_SCHEDULER),
)

AHEAD = -10
"""How nice they are: an API server and etcd keep to terms, whatever else is tested meanwhile."""

POD_RUNNER = r"""
import hashlib, http.server, json, os, shutil, subprocess, sys, threading, time, yaml
name, manifests, running = sys.argv[1], "/etc/kubernetes/manifests", {}
INFO = ["systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion"]
INFO += ["kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture"]
MIRROR, HASH = "kubernetes.io/config.mirror", "kubernetes.io/config.hash"
mirrored, alive, asked, VERSION = {}, 0, 0, "/run/kubelet-version"

def hashed(each):
    return hashlib.sha256(running[each][1].encode()).hexdigest()[:32]

def create(kubectl, what):
    words = [*kubectl, "create", "--filename", "-"]
    done = subprocess.run(words, input=json.dumps(what).encode(), stdout=sys.stderr)
    return done.returncode == 0

def status(kubectl, path, more):
    got = subprocess.run([*kubectl, "get", "--raw", path], stdout=subprocess.PIPE)
    if got.returncode != 0:
        return False
    what = json.loads(got.stdout)
    info = {**what["status"].get("nodeInfo", {}), **more.pop("nodeInfo", {})}
    what["status"] = {**what["status"], **more, **({"nodeInfo": info} if info else {})}
    words = [*kubectl, "replace", "--raw", f"{path}/status", "--filename", "-"]
    done = subprocess.run(words, input=json.dumps(what).encode(), stdout=subprocess.DEVNULL)
    return done.returncode == 0

READY = {"type": "Ready", "status": "True", "reason": "StandIn", "message": ""}

class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *words):
        pass

threading.Thread(
    target=http.server.HTTPServer(("127.0.0.1", 10248), Healthy).serve_forever, daemon=True
).start()
while True:
    there = set()
    if os.path.isdir(manifests):
        there = {each for each in os.listdir(manifests) if each.endswith(".yaml")}
    for each in sorted(there):
        with open(f"{manifests}/{each}") as file:
            text = file.read()
        old = running.get(each)
        if old and (old[0].poll() is not None or old[1] != text):
            old[0].kill()
            old[0].wait()
            old = None
        if not old and text:
            command = yaml.safe_load(text)["spec"]["containers"][0]["command"]
            log = open(f"/var/log/{each}.log", "a")
            running[each] = (subprocess.Popen(command, stdout=log, stderr=log), text)
    for each in set(running) - there:
        process, _ = running.pop(each)
        process.kill()
        process.wait()
    start, end = "/etc/kubernetes/bootstrap-kubelet.conf", "/etc/kubernetes/kubelet.conf"
    if os.path.exists(start) and not os.path.exists(end):
        shutil.copy(start, f"{end}.new")
        os.rename(f"{end}.new", end)
    # A kubectl is a good part of a second of a core: where nothing is due, it is asked seldom.
    due = any(mirrored.get(each, ("", ""))[1] != hashed(each) for each in there & set(running))
    if os.path.exists(end) and (due or time.monotonic() > asked + 2):
        machine = open("/etc/machine-id").read().strip()
        kubectl = ["kubectl", "--kubeconfig", end, "--request-timeout", "2s"]
        words = [*kubectl, "get", "node", name, "--output", "jsonpath={.metadata.uid}"]
        done = subprocess.run(words, capture_output=True, text=True)
        asked = time.monotonic() if done.stdout else 0
        if "NotFound" in done.stderr:
            create(kubectl, {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
                "status": {"nodeInfo": {**dict.fromkeys(INFO, "none"), "machineID": machine}},
            })
        if done.stdout and os.path.exists(VERSION) and time.monotonic() > alive + 3:
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            info = {"kubeletVersion": open(VERSION).read().strip()}
            ready = {**READY, "lastHeartbeatTime": at, "lastTransitionTime": at}
            if status(kubectl, f"/api/v1/nodes/{name}", {"nodeInfo": info, "conditions": [ready]}):
                alive = time.monotonic()
        for each in there & set(running) if done.stdout else ():
            now = (done.stdout, hashed(each))
            if mirrored.get(each) != now:
                pod = yaml.safe_load(running[each][1])
                pod["metadata"]["name"] += f"-{name}"
                pod["metadata"].setdefault("annotations", {}).update({MIRROR: "1", HASH: now[1]})
                words = [*kubectl, "delete", "pod", pod["metadata"]["name"], "--ignore-not-found"]
                words += ["--namespace", "kube-system", "--grace-period", "0", "--force"]
                subprocess.run(words, stdout=sys.stderr)
                pod["metadata"]["ownerReferences"] = [{
                    "apiVersion": "v1", "kind": "Node", "name": name, "uid": done.stdout,
                    "controller": True,
                }]
                pod["spec"]["nodeName"] = name
                called = pod["metadata"]["name"]
                runs = {"phase": "Running", "conditions": [READY]}
                path = f"/api/v1/namespaces/kube-system/pods/{called}"
                if create(kubectl, pod) and status(kubectl, path, runs):
                    mirrored[each] = now
    time.sleep(0.3)
"""

_ROOT = r"""
set -eu
tree=$1 top=$2
shift 2
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$top/upper,workdir=$top/work" "$top/root"
root=$top/root
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" || true
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
for node in null zero full random urandom tty; do
    [ -e "$root/dev/$node" ] || : >"$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
ln -sfn /proc/self/fd "$root/dev/fd"
ip link set lo up
for program; do
    : >"$root/usr/bin/${program##*/}"
    mount --bind -o ro "$program" "$root/usr/bin/${program##*/}"
done
for stub in systemctl journalctl swapon crictl; do
    printf '#!/bin/sh\nexit 0\n' >"$root/usr/local/bin/$stub"
    chmod 755 "$root/usr/local/bin/$stub"
done
mkdir -p "$root/etc/cni/net.d" "$root/etc/kubernetes"
echo ready
exec chroot "$root" sleep infinity
"""


def lacking() -> str | None:
    """Why this cannot run here, or None."""
    missing = [each.name for each in PROGRAMS if not each.item.ready]
    if missing:
        return f"not built: python -m lab.software build --only {' '.join(missing)}"
    return checkers.lacking()


@dataclass
class Plane:
    """A machine: `name` and its address on the LAN."""

    name: str
    address: str
    init: int
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Its file system, as seen from outside."""
        return Path(f"/proc/{self.init}/root")

    def argv(self, *argv: str) -> list[str]:
        """The command line that runs `argv` there."""
        entered = ("nsenter", "--target", str(self.init), "--mount", "--net", "--pid")
        return [*entered, "--root", "--wd", "--", *argv]

    def run(self, text: str, seconds: float = 180) -> subprocess.CompletedProcess[str]:
        """A shell text as the agent runs one."""
        laid = "".join(
            f"printf %s {shlex.quote(value)} >/run/secrets/{key}\n"
            for key, value in self.secrets.items()
        )
        prepare = f"rm -rf /run/secrets; mkdir -m 700 /run/secrets\numask 077\n{laid}umask 022\n"
        whole = (
            f"{prepare}export SECRETS=/run/secrets\n"
            f"cat >/run/text <<'TEXT-OF-A-TEST'\n{text}\nTEXT-OF-A-TEST\n"
            "exec /bin/bash -eu -o pipefail /run/text </dev/null\n"
        )
        return subprocess.run(
            self.argv("/bin/bash", "-eu", "-o", "pipefail", "-s"),
            input=whole,
            capture_output=True,
            text=True,
            env={
                "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root",
                "LC_ALL": "C.UTF-8",
            },
            timeout=seconds,
            check=False,
        )

    def kubectl(self, words: str) -> str:
        """What kubectl prints there."""
        return self.must(f"kubectl --kubeconfig /etc/kubernetes/admin.conf {words}")

    def write(self, path: str, text: str) -> None:
        done = self.run(
            f"mkdir -p $(dirname {path})\ncat >{path} <<'END-OF-FILE'\n{text}\nEND-OF-FILE\n"
        )
        assert done.returncode == 0, done.stderr

    def must(self, text: str) -> str:
        done = self.run(text)
        assert done.returncode == 0, f"{self.name}: {done.stdout}{done.stderr}"
        return done.stdout


@dataclass
class Lan:
    """A bridge in a namespace of its own, with no way out, and the machines on it."""

    name: str
    tree: Path
    top: Path
    living: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    born: int = 0

    def plane(self, name: str, address: str) -> Plane:
        """Another machine of that name and address; the one before it must be gone."""
        self.born += 1
        top = self.top / f"{name}-{self.born}"
        top.mkdir()
        process = subprocess.Popen(
            [
                *("unshare", "--mount", "--net", "--pid", "--uts", "--fork", "--kill-child"),
                *("sh", "-c", _ROOT, "plane", str(self.tree), str(top)),
                *(str(each.executable(each.name)) for each in PROGRAMS),
            ],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.living[name] = process
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        init = int(children[0])
        leg, far = f"l{self.born}", f"f{self.born}"
        _ip("-n", self.name, "link", "add", far, "type", "veth", "peer", leg, "netns", str(init))
        _ip("-n", self.name, "link", "set", far, "master", "lan", "up")
        made = Plane(name, address, init)
        made.must(
            f"ip link set {leg} up\nip address add {address}/24 dev {leg}\nhostname {name}\n"
            f"echo 127.0.0.1 localhost {name} >/etc/hosts\n"
            f"echo {os.urandom(16).hex()} >/etc/machine-id"
        )
        made.write("/run/pods.py", POD_RUNNER)
        with (self.top / f"{top.name}.log").open("w") as log:
            pods = subprocess.Popen(
                ["nice", "-n", str(AHEAD), *made.argv("python3", "/run/pods.py", name)],
                env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # Where the kernel shares the cores out by sessions first: sched(7), autogroups.
        if (group := Path(f"/proc/{pods.pid}/autogroup")).exists():
            group.write_text(str(AHEAD))
        return made

    def lose(self, name: str) -> None:
        """The plug is pulled, and the disk is gone."""
        process = self.living.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=20)


@contextmanager
def lan(top: Path) -> Iterator[Lan]:
    """The network; it and every machine on it are gone at the end."""
    name = f"lc-test-{os.getpid()}-planes"
    with ExitStack() as undo:
        _ip("netns", "add", name)
        undo.callback(_ip, "netns", "delete", name)
        _ip("-n", name, "link", "add", "lan", "type", "bridge")
        _ip("-n", name, "link", "set", "lan", "up")
        made = Lan(name, checkers.item().path / "root", top)
        undo.callback(lambda: [made.lose(each) for each in list(made.living)])
        yield made


def until(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Poll."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.5)
