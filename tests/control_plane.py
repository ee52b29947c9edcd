"""The real etcd and API server of a plan, as processes on 127.0.0.1 instead of static pods.

Their flags are those that kubeadm writes into the static pods' manifests from the
files that the plan renders; only addresses, ports and directories are replaced.
"""

import base64
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bootstrap.adapters.trust.cluster import ClusterTrust
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.model.plan import ClusterPlan
from bootstrap.planning.node_files import INIT_CONFIG, node_files
from bootstrap.planning.security import AUDIT_DIRECTORY, SECURITY_DIRECTORY
from bootstrap.waiting import NotYet, wait_for
from tests.processes import free_ports


def program(name: str) -> Path:
    """Name one of the programs that were built, or skip the test."""
    kubeadm = os.environ.get("BOOTSTRAP_KUBEADM")
    if not kubeadm:
        pytest.skip("BOOTSTRAP_KUBEADM does not name a kubeadm")
    found = Path(kubeadm).resolve().with_name("etcd" if name == "etcd" else "kube")
    if not found.exists():
        pytest.skip(f"there is no {found.name} beside kubeadm")
    return found


def run(name: str, *words: str | Path, stdin: str | None = None, **environment: str) -> str:
    """Run one of the programs to its end and return what it printed."""
    done = _ran(name, *words, stdin=stdin, env=os.environ | environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _ran(
    name: str, *words: str | Path, stdin: str | None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [name, *words],
        executable=program(name),
        input=stdin,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass
class Node:
    """What the initial control plane has on its disk, in a directory of the test."""

    directory: Path

    def __post_init__(self) -> None:
        self.config, self.pki = self.directory / "init.yaml", self.directory / "pki"

    def manifest(self, component: str) -> dict[str, object]:
        words = ("etcd", "local") if component == "etcd" else ("control-plane", component)
        run(
            "kubeadm",
            *("init", "phase", words[0], words[1].removeprefix("kube-")),
            *("--config", self.config, "--dry-run"),
            KUBEADM_INIT_DRYRUN_DIR=str(self.directory / "manifests"),
        )
        text = (self.directory / "manifests" / f"{component}.yaml").read_text()
        manifest: dict[str, object] = yaml.safe_load(text)
        return manifest

    def arguments(self, component: str) -> dict[str, str]:
        spec = self.manifest(component)["spec"]
        assert isinstance(spec, dict)
        flags = (word.partition("=") for word in spec["containers"][0]["command"][1:])
        return {name: value for name, _, value in flags}


def write_node(plan: ClusterPlan, directory: Path) -> Node:
    """Write what the initial control plane gets, with its certificates under ``directory``."""
    node = Node(directory)
    trust = ClusterTrust(TrustStore(directory / "state"))
    files = node_files(
        plan,
        plan.initial_control_plane,
        trust.certificates(),
        encryption_key=trust.encryption_key(),
    )
    (directory / "manifests").mkdir()
    for file in files:
        path = directory / "root" / file.path.lstrip("/")
        if file.path.startswith("/etc/kubernetes/pki/"):
            path = node.pki / file.path.removeprefix("/etc/kubernetes/pki/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
        path.chmod(file.mode)
    documents = list(yaml.safe_load_all((directory / f"root{INIT_CONFIG}").read_text()))
    by_kind = {document["kind"]: document for document in documents}
    by_kind["ClusterConfiguration"]["certificatesDir"] = str(node.pki)
    if patches := by_kind["InitConfiguration"].get("patches"):
        patches["directory"] = f"{directory}/root{patches['directory']}"
    node.config.write_text(yaml.safe_dump_all(documents))
    return node


@dataclass(frozen=True)
class ControlPlane:
    node: Node
    api_port: int
    etcd_port: int

    def kubectl(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Ask as the cluster's first administrator."""
        config = self.node.directory / "super-admin.conf"
        server = f"https://127.0.0.1:{self.api_port}"
        return _ran("kubectl", "--kubeconfig", config, "--server", server, *words, stdin=stdin)

    def anonymous(self, path: str) -> int:
        status, _ = _ask(self.api_port, self._context(), "GET", path)
        return status

    def takes_tls_1_2(self, port: int) -> bool:
        """Tell whether a server agrees to speak TLS 1.2."""
        context = self._context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(*self._pair("etcd/healthcheck-client"))
        try:
            with socket.create_connection(("127.0.0.1", port)) as plain:
                context.wrap_socket(plain).close()
        except ssl.SSLError:
            return False
        return True

    def in_etcd(self, key: str) -> bytes:
        """Read what is stored under a key, past the API server."""
        context = ssl.create_default_context(cafile=str(self.node.pki / "etcd" / "ca.crt"))
        context.load_cert_chain(*self._pair("apiserver-etcd-client"))
        body = json.dumps({"key": base64.b64encode(key.encode()).decode()})
        status, answer = _ask(self.etcd_port, context, "POST", "/v3/kv/range", body)
        assert status == 200, answer
        (found,) = json.loads(answer)["kvs"]
        return base64.b64decode(found["value"])

    def _pair(self, name: str) -> tuple[str, str]:
        return str(self.node.pki / f"{name}.crt"), str(self.node.pki / f"{name}.key")

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.node.pki / "ca.crt"))


@contextlib.contextmanager
def started(node: Node) -> Iterator[ControlPlane]:
    """Run etcd and the API server until the block ends."""
    run("kubeadm", "init", "phase", "certs", "all", "--config", node.config)
    words = ("--config", node.config, "--kubeconfig-dir", node.directory)
    run("kubeadm", "init", "phase", "kubeconfig", "super-admin", *words)
    api_port, etcd_port, peer_port, metrics_port = free_ports(4)
    control_plane = ControlPlane(node, api_port, etcd_port)
    with contextlib.ExitStack() as stack:
        etcd = _etcd_arguments(node, etcd_port, peer_port, metrics_port)
        stack.enter_context(_process("etcd", etcd, node.directory / "etcd.log"))
        (node.directory / "audit").mkdir()
        server = _api_server_arguments(node, api_port, etcd_port)
        log = node.directory / "apiserver.log"
        child = stack.enter_context(_process("kube-apiserver", server, log))

        def ready() -> None:
            assert child.poll() is None, log.read_text()[-3000:]
            try:
                status = control_plane.anonymous("/readyz")
            except OSError as error:
                raise NotYet(str(error)) from error
            if status != 200:
                raise NotYet(f"status {status}")

        wait_for("the API server", ready, timeout_s=90, interval_s=0.5)
        yield control_plane


def _etcd_arguments(node: Node, port: int, peer: int, metrics: int) -> dict[str, str]:
    arguments = node.arguments("etcd")
    client_url, peer_url = f"https://127.0.0.1:{port}", f"https://127.0.0.1:{peer}"
    return arguments | {
        "--data-dir": str(node.directory / "etcd"),
        "--listen-client-urls": client_url,
        "--advertise-client-urls": client_url,
        "--listen-peer-urls": peer_url,
        "--initial-advertise-peer-urls": peer_url,
        "--initial-cluster": f"{arguments['--name']}={peer_url}",
        "--listen-metrics-urls": f"http://127.0.0.1:{metrics}",
    }


def _api_server_arguments(node: Node, port: int, etcd_port: int) -> dict[str, str]:
    places = {
        SECURITY_DIRECTORY: f"{node.directory}/root{SECURITY_DIRECTORY}",
        AUDIT_DIRECTORY: str(node.directory / "audit"),
    }
    arguments = node.arguments("kube-apiserver")
    for name, value in arguments.items():
        for there, here in places.items():
            if value.startswith(f"{there}/"):
                arguments[name] = value.replace(there, here, 1)
    return arguments | {
        "--bind-address": "127.0.0.1",
        "--secure-port": str(port),
        "--etcd-servers": f"https://127.0.0.1:{etcd_port}",
        "--endpoint-reconciler-type": "none",
    }


@contextlib.contextmanager
def _process(
    name: str, arguments: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    argv = [name, *(f"{flag}={value}" for flag, value in arguments.items())]
    with log.open("wb") as output:
        child = subprocess.Popen(argv, executable=program(name), stdout=output, stderr=output)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def _ask(
    port: int, context: ssl.SSLContext, method: str, path: str, body: str | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()
