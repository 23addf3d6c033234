"""A cluster of real programs is backed up to a real sshd, lost with its machine, and brought back
from what was shipped alone. A restore that was cut off is run again; none goes over what lives."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from components.cluster import admission, backup, birth, kubeadm
from components.cluster.actions import MARKERS
from components.cluster.model import NodeModel
from components.cluster.restore import KEY, restoring
from lab.software import goitems
from settings.models import Restore
from tests.components.cluster import backups, nodes
from tests.components.cluster.real_planes import Lan, Plane, lacking, lan, until

pytestmark = pytest.mark.cluster

NAME, ADDRESS, VIP, STORE = "cp-1", "198.18.10.21", "198.18.10.10", "198.18.10.40"
_SSHD = """
Port 2222
HostKey /etc/store/host-key
AuthorizedKeysFile /etc/store/authorized_keys
Subsystem sftp internal-sftp
ForceCommand internal-sftp
PasswordAuthentication no
StrictModes no
PidFile none
"""


class World:
    """A control plane, the store beside it, and what the stack says."""

    def __init__(self, network: Lan, folder: Path) -> None:
        self.network, self.folder = network, folder
        self.recipient = backups.recipient()
        self.login = backups.ssh_keys(folder, "login")
        host = backups.ssh_keys(folder, "host")
        self.wants = backups.wanted(
            recipient=self.recipient.pem,
            ssh={"url": f"ssh://root@{STORE}:2222/srv/backups", "host_keys": [host.public]},
        )
        self.store = network.plane("store", STORE)
        self.store.write("/etc/store/sshd_config", _SSHD)
        self.store.write("/etc/store/host-key", host.private)
        self.store.write("/etc/store/authorized_keys", f"restrict {self.login.public}")
        self.store.must(
            "chmod 0600 /etc/store/host-key; mkdir -p /srv/backups /run/sshd\n"
            "usermod --password '*' root\n"
            "setsid /usr/sbin/sshd -f /etc/store/sshd_config </dev/null >/dev/null 2>&1 &"
        )
        self.machine = self.boot()

    def model(self, archive: str | None = None, node_mask: int = 24) -> NodeModel:
        settings = nodes.cluster(
            ignore_preflight_errors=["all"],
            backups=self.wants,
            restore=None if archive is None else Restore(archive=archive),
            node_mask=node_mask,
        )
        legs = {
            "management": IPv4Interface("198.18.0.31/24"),
            "lan": IPv4Interface(f"{ADDRESS}/24"),
        }
        return nodes.control_plane(settings, name=NAME, addresses=legs)

    def boot(self) -> Plane:
        """A machine with what is pushed to it, and the balancers' VIP, which leads to it."""
        made = self.network.plane(NAME, ADDRESS)
        made.must(f"ip address replace {VIP}/32 dev lo")
        made.write(kubeadm.CONFIG, kubeadm.config(self.model()))
        part = backup.part(self.model())
        assert part is not None
        for path, text in part.texts().items():
            made.write(path, text.replace(f"@@{backup.SSH_KEY}@@", self.login.private))
        made.must(f"chmod 0755 {backup.PROGRAM}; chmod 0600 {backup.OWN}/ssh-key")
        for name in ("etcdctl", "etcdutl"):
            shutil.copy(goitems.ETCD.executable(name), made.root / "usr/bin" / name)
        return made

    def read(self, model: NodeModel) -> dict[str, str]:
        return birth.facts(model.cluster, model.networks, model.api)

    def guarded(self, model: NodeModel) -> bool:
        guard = admission.control_plane_guard(self.read(model), restoring(model))
        return self.machine.run(guard).returncode == 0

    def text(self, model: NodeModel) -> str:
        return admission.control_plane(
            model,
            ignored=["all"],
            read=self.read(model),
            founder=True,
            others=[],
            restore=restoring(model),
        )

    def stands(self, model: NodeModel, **secrets: str) -> subprocess.CompletedProcess[str]:
        """What the action of the control plane does."""
        self.machine.secrets = {KEY: self.recipient.key_pem, **secrets}
        assert not self.guarded(model)
        done = self.machine.run(self.text(model), 300)
        assert (done.returncode == 0) == self.guarded(model), done.stderr
        return done

    def backed_up(self) -> str:
        """By the unit's own lines; the backup's name at the store."""
        self.machine.must(f"{backup.PROGRAM} tools; {backup.PROGRAM} take")
        (name,) = self.store.must("ls /srv/backups").split()
        return name

    def lose(self) -> None:
        self.network.lose(NAME)
        self.machine = self.boot()

    def told(self) -> str:
        words = "get configmap treasure --output 'jsonpath={.data.where}'"
        return self.machine.kubectl(words)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    reason = lacking()
    if reason is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("restore")
    with lan(folder) as network:
        yield World(network, folder)


@pytest.mark.timeout(1200)
def test_a_lost_cluster_is_brought_back_from_what_was_shipped(world: World) -> None:
    made = world.stands(world.model())
    assert made.returncode == 0, made.stderr
    world.machine.kubectl("create configmap treasure --from-literal where=found-again")
    world.machine.must(f"touch {MARKERS}/delivered")
    world.machine.kubectl("create serviceaccount digger")
    token = world.machine.kubectl("create token digger").strip()
    authority = world.machine.must("cat /etc/kubernetes/pki/ca.crt")
    uid = world.machine.kubectl("get namespace kube-system --output 'jsonpath={.metadata.uid}'")
    revision = int(
        world.machine.kubectl(
            "get configmap treasure --output 'jsonpath={.metadata.resourceVersion}'"
        )
    )
    archive = world.backed_up()
    world.machine.kubectl("delete configmap treasure")

    # Over a cluster that lives nothing is restored.
    refused = world.stands(world.model(archive))
    assert "this machine is in a cluster, and nothing is restored over it" in refused.stderr
    assert (
        world.machine.run("kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes").returncode
        == 0
    )

    world.lose()
    # What does not fit is refused before anything is laid down, each by its name.
    model = world.model(archive)
    wrong = world.stands(model, **{KEY: backups.recipient().key_pem})
    assert f"the secret backupKey does not open {archive}" in wrong.stderr
    other = archive.replace("cp-1.2", "cp-1.1")
    none = world.stands(world.model(other))
    assert f"{other} could not be fetched from ssh://root@{STORE}:2222/srv/backups" in none.stderr
    changed = world.stands(world.model(archive, node_mask=25))
    assert "< cluster.node_mask 24\n> cluster.node_mask 25\n" in changed.stderr
    world.store.must(f"cp /srv/backups/{archive} /srv/whole; truncate -s -9 /srv/backups/{archive}")
    cut = world.stands(model)
    assert f"does not open {archive}, or it is damaged" in cut.stderr
    world.store.must(f"cp /srv/whole /srv/backups/{archive}")
    assert world.machine.run("ls /etc/kubernetes/pki/ca.key /var/lib/etcd/member").returncode != 0

    # Cut off while etcd's data lie there and kubeadm is at work, it is run again.
    world.machine.secrets = {KEY: world.recipient.key_pem}
    with ThreadPoolExecutor() as pool:
        running = pool.submit(world.machine.run, world.text(model), 300)
        manifest = world.machine.root / "etc/kubernetes/manifests/etcd.yaml"
        until(lambda: manifest.exists() or running.done(), 120, "no etcd was made")
        assert manifest.exists(), running.result().stderr
        killed = "for each in $(pidof kubeadm bash); do [ $each = $$ ] || kill -9 $each; done"
        world.machine.run(killed)
    assert not world.guarded(model)

    began = time.monotonic()
    back = world.stands(model)
    assert back.returncode == 0, back.stderr
    print(f"restored in {time.monotonic() - began:.0f} s")

    assert world.told() == "found-again"
    assert world.machine.must("cat /etc/kubernetes/pki/ca.crt") == authority
    same = world.machine.kubectl("get namespace kube-system --output 'jsonpath={.metadata.uid}'")
    assert same == uid
    asked = '{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}'
    review = world.machine.must(
        f"curl --silent --cacert /etc/kubernetes/pki/ca.crt "
        f"--header 'Authorization: Bearer {token}' "
        f"--header 'Content-Type: application/json' --data '{asked}' "
        f"https://{ADDRESS}:6443/apis/authentication.k8s.io/v1/selfsubjectreviews"
    )
    assert "system:serviceaccount:default:digger" in review
    world.machine.kubectl("create configmap later --from-literal where=here")
    later = world.machine.kubectl(
        "get configmap later --output 'jsonpath={.metadata.resourceVersion}'"
    )
    assert int(later) > revision + 1_000_000_000 - 1
    # Taken out of the stack again, and left in, nothing is done.
    assert world.guarded(world.model())
    assert world.guarded(model)
    # It is backed up as before.
    world.machine.must(f"{backup.PROGRAM} tools; {backup.PROGRAM} take")
    assert len(world.store.must("ls /srv/backups").split()) == 2
