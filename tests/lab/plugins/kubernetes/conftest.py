"""A real control plane on loopback for the plugin's tests: etcd, API server, controllers.

No node, no scheduler: what a kubelet would report is written by the tests through the API. Needs
the programs that the lab builds into its cache; skips when they are not there.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.plugins.kubernetes import kubeconfig
from lab.plugins.kubernetes.client import Cluster
from lab.plugins.kubernetes.objects import Gvk, Obj
from lab.plugins.kubernetes.provider import KubernetesProvider
from lab.plugins.server import PluginError
from tests.lab.plugins.harness import Harness, plugin

Key = ec.EllipticCurvePrivateKey
START_SECONDS = 90.0


def pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


class Authority:
    """A certificate authority for one test session."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.certificate = self._builder(self.name, self.key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        ).sign(self.key, hashes.SHA256())  # fmt: skip

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    def issue(self, common_name: str, organization: str = "") -> tuple[bytes, bytes]:
        """Certificate and key, PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
        if organization:
            names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        alternatives = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(_loopback())]
        )
        certificate = (
            self._builder(x509.Name(names), key.public_key())
            .add_extension(alternatives, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM), pem(key)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def _loopback() -> object:
    import ipaddress

    return ipaddress.ip_address("127.0.0.1")


@dataclass
class ControlPlane:
    """A running control plane: its kubeconfig, and a client of its own."""

    kubeconfig: str
    cluster: Cluster

    def get(self, gvk: Gvk, namespace: str, name: str) -> Obj | None:
        return self.cluster.get(gvk, namespace, name)

    def report(self, gvk: Gvk, namespace: str, name: str, status: Obj) -> None:
        """Writes a status as the component would that owns it."""
        path = self.cluster.kind(gvk).path(namespace, name)
        self.cluster._json(
            "PATCH", f"{path}/status", body={"status": status},
            content_type="application/merge-patch+json",
        )  # fmt: skip

    def bind(self, namespace: str, pod: str) -> None:
        """Puts a pod on the one node, as a scheduler would."""
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}
        self.cluster.apply(Gvk("", "v1", "Node"), node, manager="test")
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod},
            "target": {"apiVersion": "v1", "kind": "Node", "name": "node-1"},
        }
        path = self.cluster.kind(Gvk("", "v1", "Pod")).path(namespace, pod)
        self.cluster._json("POST", f"{path}/binding", body=binding)


def program(name: str) -> str:
    from lab.software import goitems

    item = getattr(goitems, name.upper().replace("-", "_"))
    if not item.item.ready:
        pytest.skip(f"{name} is not built into the lab's cache yet")
    return str(item.executable(name))


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]


@contextlib.contextmanager
def running(argv: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(met: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Polls a condition."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)


def config_text(server: str, ca: bytes, certificate: bytes, key: bytes) -> str:
    def b64(data: bytes) -> str:
        return base64.b64encode(data).decode()

    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "admin@test",
            "contexts": [{"name": "admin@test", "context": {"cluster": "test", "user": "admin"}}],
            "clusters": [
                {
                    "name": "test",
                    "cluster": {"server": server, "certificate-authority-data": b64(ca)},
                }
            ],
            "users": [
                {
                    "name": "admin",
                    "user": {
                        "client-certificate-data": b64(certificate),
                        "client-key-data": b64(key),
                    },
                }
            ],
        }
    )


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    names = ("etcd", "kube-apiserver", "kube-controller-manager")
    etcd, api_server, controllers = (program(name) for name in names)
    home = tmp_path_factory.mktemp("control-plane")
    authority = Authority()
    server_certificate, server_key = authority.issue("kube-apiserver")
    files = {
        "ca.crt": authority.pem,
        "server.crt": server_certificate,
        "server.key": server_key,
        "sa.key": pem(ec.generate_private_key(ec.SECP256R1())),
    }
    for name, data in files.items():
        (home / name).write_bytes(data)
        (home / name).chmod(0o600)
    client_port, peer_port, port = free_ports(3)
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    text = config_text(
        f"https://127.0.0.1:{port}", authority.pem, *authority.issue("admin", "system:masters")
    )
    config_file = home / "kubeconfig"
    config_file.write_text(text)
    config_file.chmod(0o600)
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            running(
                [
                    etcd, "--data-dir", str(home / "etcd"), "--unsafe-no-fsync",
                    "--listen-client-urls", client, "--advertise-client-urls", client,
                    "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                    "--initial-cluster", f"default={peer}",
                ],
                home / "etcd.log",
            )
        )  # fmt: skip
        server = stack.enter_context(
            running(
                [
                    api_server, f"--etcd-servers={client}", "--bind-address=127.0.0.1",
                    f"--secure-port={port}", f"--tls-cert-file={home / 'server.crt'}",
                    f"--tls-private-key-file={home / 'server.key'}",
                    f"--client-ca-file={home / 'ca.crt'}", "--authorization-mode=RBAC",
                    "--service-account-issuer=https://kubernetes.default.svc",
                    f"--service-account-key-file={home / 'sa.key'}",
                    f"--service-account-signing-key-file={home / 'sa.key'}",
                    "--service-cluster-ip-range=198.18.96.0/20", "--endpoint-reconciler-type=none",
                    "--disable-admission-plugins=ServiceAccount", f"--cert-dir={home}",
                ],
                home / "api-server.log",
            )
        )  # fmt: skip
        cluster = Cluster(kubeconfig.access(kubeconfig.load(text)))

        def answers() -> bool:
            assert server.poll() is None, (home / "api-server.log").read_text()[-2000:]
            with contextlib.suppress(PluginError):
                cluster.version()
                return cluster.get(Gvk("", "v1", "Namespace"), "", "default") is not None
            return False

        until(answers, seconds=START_SECONDS, what="the API server")
        stack.enter_context(
            running(
                [
                    controllers, f"--kubeconfig={config_file}", "--leader-elect=false",
                    "--secure-port=0", "--concurrent-gc-syncs=2",
                    "--controllers=deployment,replicaset,statefulset,daemonset,job,namespace,"
                    "endpointslice,garbage-collector-controller",
                ],
                home / "controllers.log",
            )
        )  # fmt: skip
        yield ControlPlane(text, cluster)
        cluster.close()


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """A namespace of the test's own."""
    name = f"test-{secrets.token_hex(4)}"
    kind = Gvk("", "v1", "Namespace")
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    control_plane.cluster.apply(kind, obj, manager="test")
    return name


@pytest.fixture
def kubernetes(control_plane: ControlPlane, namespace: str) -> Iterator[Harness]:
    """The plugin, configured for the control plane and the test's namespace."""
    with plugin(KubernetesProvider()) as harness:
        harness.configure(kubeconfig=control_plane.kubeconfig, namespace=namespace)
        yield harness


@pytest.fixture(autouse=True)
def no_ambient_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches a cluster of the machine it runs on."""
    monkeypatch.setenv("KUBECONFIG", os.devnull)
    for name in [name for name in os.environ if name.startswith("PULUMI_K8S_")]:
        monkeypatch.delenv(name)
