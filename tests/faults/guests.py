"""What cannot boot on the test driver: nodes, their API server, the image's build.

A guest's memory is a file beside its disk, so that it lives and dies with the disk and
outlives every process, as a real guest's would.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import libvirt
import yaml

from bootstrap import ports
from bootstrap.adapters.clock import now_text
from bootstrap.adapters.image.bake import DISK, INITRD, KERNEL
from bootstrap.adapters.image.debian import DebianImages, node_image
from bootstrap.adapters.kubernetes.access import read_access
from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.adapters.trust.ssh_keys import SshKeyPair
from bootstrap.adapters.trust.store import TrustStore, saved_client_key, saved_host_key
from bootstrap.adapters.trust.user_certificate import is_usable_user_certificate
from bootstrap.composition import LazyPorts
from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain, DomainState, NodeImage
from bootstrap.model.keys import CertificatePair
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ClusterPlan, NodePlan, SwitchPlan
from bootstrap.model.sources import Source
from bootstrap.ports import Hypervisor, Reachable, ShellResult
from bootstrap.waiting import NotYet
from tests.fakes.cluster_api import FakeClusterApi
from tests.fakes.libvirt_world import halting_kernel
from tests.fakes.playbooks import FakePlaybookRunner
from tests.fakes.recording import Fake

IMAGE_KEY = "0123456789abcdef"
_HOST_KEY = re.compile(rb'ed25519_public: "([^"]+)"')
_KEY = re.compile(r"'(ssh-ed25519 [^']+)'")
_CLIENT_KEY = re.compile(rb'ssh_authorized_keys: \["([^"]+)"\]')


class Memory:
    """Files beside the disks; written in one step, for a guest is not killed with us."""

    def __init__(self, quiet: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self.quiet = quiet

    def of(self, directory: Path) -> dict[str, Any]:
        try:
            return dict(json.loads((directory / "guest.json").read_text()))
        except FileNotFoundError:
            return {}

    def keep(self, directory: Path, **facts: object) -> None:
        with self.quiet():
            new = directory / "guest.json.new"
            new.write_text(json.dumps(self.of(directory) | facts, default=sorted))
            os.replace(new, directory / "guest.json")


class Guests:
    """Implements NodeShell: a node that runs and has read a seed knows the keys in it.

    ``keys`` returns the public host key of a node, and that of the client, which logins use.
    """

    def __init__(
        self, hypervisor: Hypervisor, memory: Memory, keys: Callable[[str], tuple[str, str]]
    ) -> None:
        self._hypervisor, self._memory, self._keys = hypervisor, memory, keys

    def is_ready(self, node: Reachable) -> None:
        self._boot(node)
        known = self._memory.of(node.directory)
        if "host" not in known:
            raise NotYet("no seed was found: no key is accepted")
        with self._memory.quiet():
            host, client = self._keys(node.name)
        if known["host"] != host:
            raise BootstrapError(
                f"Node '{node.name}' shows another host key than its own.",
                hint=f"ss -ltnp 'sport = :{node.ssh_port}'",
            )
        if known["client"] != client:
            raise NotYet("the node refuses our key")

    def run(
        self, node: Reachable, command: str, *, timeout_s: float, stdin: str = ""
    ) -> ShellResult:
        self.is_ready(node)
        if stdin:
            host, client = SshKeyPair.from_private(stdin), _KEY.findall(command)[-1]
            self._memory.keep(node.directory, host=host.public_line, client=client)
        return ShellResult(exit_status=0, stdout=f"{command}, {timeout_s} s\n", stderr="")

    def follow(self, node: Reachable, command: str) -> Iterator[str]:
        self.is_ready(node)
        yield command

    def _boot(self, node: Reachable) -> None:
        domains = self._hypervisor.domains(ClusterName(node.directory.parent.name))
        states = {domain.name: domain.state for domain in domains}
        if states.get(node.name) is not DomainState.RUNNING:
            raise NotYet(f"connection refused: {states.get(node.name)}")
        if not (node.directory / "root.qcow2").exists():
            raise NotYet("the disk is gone")
        if "host" in self._memory.of(node.directory):
            return
        seed = (node.directory / "seed.iso").read_bytes()
        host, client = _HOST_KEY.search(seed), _CLIENT_KEY.search(seed)
        if host and client:
            self._memory.keep(node.directory, host=host[1].decode(), client=client[1].decode())


class Playbooks(FakePlaybookRunner):
    """Runs kubeadm init on the control plane and join elsewhere, each once."""

    def __init__(self, shell: ports.NodeShell, memory: Memory) -> None:
        Fake.__init__(self)
        self._guests, self._memory = shell, memory

    def _play(self, plan: ClusterPlan, node: NodePlan, join: str | None) -> int:
        self._guests.is_ready(node)
        files = [node.name, str(node.address)]
        known = self._memory.of(node.directory)
        changed = int(known.get("files") != files)
        self._memory.keep(node.directory, files=files)
        plane = plan.initial_control_plane.directory
        if node.is_control_plane and "authority" not in known:
            authority = (plan.state_directory / "ca.crt").read_text()
            self._memory.keep(plane, authority=authority, server=plan.server, nodes={}, tokens=[])
        api = self._memory.of(plane)
        if node.name in api["nodes"] or not (node.is_control_plane or join):
            return changed
        if join:
            token = yaml.safe_load(join)["discovery"]["bootstrapToken"]["token"]
            assert token in api["tokens"], "the API server does not know the token"
        self._memory.keep(plane, nodes={**api["nodes"], node.name: "Ready"})
        return changed + 1


class Api(FakeClusterApi):
    """Answers those that know its authority and its port, with what it knew before a kill."""

    remembered = ("nodes", "tokens", "cordoned")

    def __init__(self, volumes: Path, memory: Memory) -> None:
        super().__init__()
        self._volumes, self._memory = volumes, memory

    def remove_join_token(self, kubeconfig: Path, token: str) -> None:
        super().remove_join_token(kubeconfig, token)
        self.changed("remove_join_token")

    def changed(self, method: str, name: object = "") -> bool:
        self._memory.keep(self._plane, **{name: getattr(self, name) for name in self.remembered})
        return super().changed(method, name)

    def _called(self, method: str, kubeconfig: Path) -> None:
        super()._called(method, kubeconfig)
        access = read_access(kubeconfig)
        self._plane = self._volumes / kubeconfig.parent.name / "control-plane"
        known = self._memory.of(self._plane)
        if "nodes" not in known:
            raise NotYet("connection refused")
        if access.server != known["server"]:
            raise NotYet(f"connection refused at {access.server}, listens at {known['server']}")
        if access.ca != known["authority"]:
            raise BootstrapError("The API server's certificate is from another authority.")
        pair = CertificatePair(
            certificate_pem=access.certificate.decode(), key_pem=access.key.decode()
        )
        authority = CertificatePair(certificate_pem=known["authority"], key_pem="")
        name = ClusterName(kubeconfig.parent.name)
        if not is_usable_user_certificate(pair, name, authority, datetime.now(UTC)):
            raise BootstrapError("The API server refuses the client certificate.")
        self.is_up = True
        for fact in self.remembered:
            setattr(self, fact, type(getattr(self, fact))(known.get(fact, ())))


class Images(DebianImages):
    """The real store of node images; only the build itself is three small files."""

    def expected(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
    ) -> NodeImage | None:
        del source
        assert kubelet_version == kubernetes_version
        return self.find(IMAGE_KEY)

    def ensure(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
        refresh: bool = False,
    ) -> NodeImage:
        assert source
        assert kubelet_version == kubernetes_version
        assert not refresh
        return self.find(IMAGE_KEY) or self._made(kubernetes_version)

    def _made(self, version: str) -> NodeImage:
        with self._locked():
            self._images.prepare()
            found = self._images.find(IMAGE_KEY)
            return node_image(
                found
                or self._images.add(IMAGE_KEY, version=version, fetched=now_text(), make=_blank)
            )


def _blank(work: Path) -> None:
    for name in (DISK, INITRD):
        (work / name).write_bytes(bytes(4096))
    (work / KERNEL).write_bytes(halting_kernel())


def plug_cables(domain: libvirt.virDomain, switch: SwitchPlan) -> bool:
    """Stand in for QEMU's monitor, which the test driver has not."""
    assert domain.name() == switch.domain_name
    assert domain.isActive()
    return False


class GuestHypervisor(LibvirtHypervisor):
    """The test driver, whose guests' memory is a file: what QEMU does with its own."""

    memory = Memory()

    def version(self) -> str:
        return "7.2.22"

    def save_memory(self, files: Mapping[str, Path]) -> None:
        for name, path in files.items():
            domain = self._named(name)
            assert domain.state is DomainState.PAUSED
            with self.memory.quiet():
                path.write_text(json.dumps(self.memory.of(domain.directory)))

    def restore_memory(self, files: Mapping[str, Path]) -> None:
        for name, path in files.items():
            domain = self._named(name)
            assert domain.state is DomainState.SHUT_OFF
            self.start_domain(name)
            self.suspend_domain(name)
            _remember(self.memory, domain, json.loads(path.read_text()))

    def _named(self, name: str) -> Domain:
        return next(domain for domain in self.domains() if domain.domain_name == name)


class GuestMachines(LibvirtHypervisor):
    """Real QEMU whose guests do nothing; what a guest would remember goes with its memory."""

    memory = Memory()
    #: Holds what each saved guest remembers, by the SHA-256 of its saved memory.
    saved = Path()

    def save_memory(self, files: Mapping[str, Path]) -> None:
        super().save_memory(files)
        for name, path in files.items():
            with self.memory.quiet():
                self.saved.mkdir(exist_ok=True)
                known = json.dumps(self.memory.of(self._named(name).directory))
                (self.saved / _sha256(path)).write_text(known)

    def restore_memory(self, files: Mapping[str, Path]) -> None:
        super().restore_memory(files)
        for name, path in files.items():
            with self.memory.quiet():
                known = json.loads((self.saved / _sha256(path)).read_text())
            _remember(self.memory, self._named(name), known)

    def _named(self, name: str) -> Domain:
        return next(domain for domain in self.domains() if domain.domain_name == name)


def _remember(memory: Memory, domain: Domain, known: dict[str, Any]) -> None:
    if "server" in known:
        # The port on the host, which the guest does not know.
        known["server"] = f"https://127.0.0.1:{domain.mark.ports['api']}"
    memory.keep(domain.directory, **known)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _kept(store: TrustStore, node: str) -> tuple[str, str]:
    return store.ensure_host_key(node).public_line, store.ensure_client_key().public_line


def _saved(keys: Mapping[str, str], node: str) -> tuple[str, str]:
    return saved_host_key(keys, node).public_line, saved_client_key(keys).public_line


class GuestPorts(LazyPorts):
    """The real ports, but for what needs a guest that boots."""

    memory = Memory()

    @cached_property
    def hypervisor(self) -> Hypervisor:
        connection = Connection(self.site.hypervisor_uri, note=self.events.note)
        kind = GuestMachines if self.site.hypervisor_uri.startswith("qemu") else GuestHypervisor
        hypervisor = kind(connection, self.site.install_id)
        hypervisor.memory = self.memory
        return hypervisor

    @cached_property
    def shell(self) -> ports.NodeShell:
        return Guests(self.hypervisor, self.memory, partial(_kept, self.trust_store))

    def shell_with(self, keys: Mapping[str, str]) -> ports.NodeShell:
        return Guests(self.hypervisor, self.memory, partial(_saved, keys))

    @cached_property
    def playbooks(self) -> ports.PlaybookRunner:
        return Playbooks(self.shell, self.memory)

    @cached_property
    def api(self) -> ports.ClusterApi:
        return Api(self.site.volumes, self.memory)

    @cached_property
    def images(self) -> ports.Images:
        return Images(self.directories, self.events, self.artifacts)
