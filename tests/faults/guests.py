"""What cannot boot on the test driver: nodes, their API server, the image's build.

A guest's memory is a file beside its disk, so that it lives and dies with the disk and
outlives every process, as a real guest's would.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import libvirt
import yaml

from bootstrap.adapters.image.debian import DebianImages
from bootstrap.adapters.kubernetes.access import read_access
from bootstrap.adapters.libvirt.xml import link_ends
from bootstrap.adapters.trust.pem import CertificatePair
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.adapters.trust.user_certificate import is_good_user_certificate
from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import DomainState, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ClusterPlan, LinkPlan, NodePlan
from bootstrap.ports import (
    CertificateExpiry,
    CheckResult,
    ExpectedNode,
    Hypervisor,
    PlaybookResult,
    Reachable,
    ShellResult,
)
from bootstrap.waiting import NotYet

IMAGE_KEY = "0123456789abcdef"
_HOST_KEY = re.compile(rb'ed25519_public: "([^"]+)"')
_CLIENT_KEY = re.compile(rb'ssh_authorized_keys: \["([^"]+)"\]')

Quiet = Any


class Memory:
    """Files beside the disks; written in one step, for a guest is not killed with us."""

    def __init__(self, volumes: Path, quiet: Quiet) -> None:
        self._volumes, self._quiet = volumes, quiet

    def of(self, directory: Path) -> dict[str, Any]:
        try:
            return dict(json.loads((directory / "guest.json").read_text()))
        except FileNotFoundError:
            return {}

    def keep(self, directory: Path, **facts: object) -> None:
        with self.quiet():
            known = self.of(directory) | facts
            new = directory / "guest.json.new"
            new.write_text(json.dumps(known))
            os.replace(new, directory / "guest.json")

    def quiet(self) -> AbstractContextManager[None]:
        result: AbstractContextManager[None] = self._quiet()
        return result

    def control_plane(self, cluster: str) -> Path:
        return self._volumes / cluster / f"{cluster}-control-plane"


class Guests:
    """Implements NodeShell: a node that runs and has read a seed knows the keys in it."""

    def __init__(self, hypervisor: Hypervisor, memory: Memory, trust: TrustStore) -> None:
        self._hypervisor, self._memory, self._trust = hypervisor, memory, trust

    def is_ready(self, node: Reachable) -> None:
        self._boot(node)
        known = self._memory.of(node.directory)
        if "host" not in known:
            raise NotYet("no seed was found: nobody can log in")
        with self._memory.quiet():
            host = self._trust.ensure_host_key(node.name).public_line
            client = self._trust.ensure_client_key().public_line
        if known["host"] != host:
            raise BootstrapError(
                f"Node '{node.name}' shows another host key than its own.",
                hint=f"ss -ltnp 'sport = :{node.ssh_port}'",
            )
        if known["client"] != client:
            raise NotYet("the node refuses our key")

    def run(self, node: Reachable, command: str, *, timeout_s: float) -> ShellResult:
        self.is_ready(node)
        return ShellResult(exit_status=0, stdout=f"{command}, {timeout_s} s\n", stderr="")

    def _boot(self, node: Reachable) -> None:
        states = {domain.name: domain.state for domain in self._hypervisor.domains()}
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


class Playbooks:
    """Implements PlaybookRunner: kubeadm init on the control plane, join elsewhere, once."""

    def __init__(self, guests: Guests, memory: Memory) -> None:
        self._guests, self._memory = guests, memory

    def run(
        self, plan: ClusterPlan, nodes: Sequence[NodePlan], *, secrets: Mapping[str, object]
    ) -> PlaybookResult:
        configs = secrets.get("kubeadm_join_configs", {})
        assert isinstance(configs, Mapping)
        changed = {node.name: self._play(plan, node, configs.get(node.name)) for node in nodes}
        return PlaybookResult(changed=changed, finished=frozenset(changed))

    def _play(self, plan: ClusterPlan, node: NodePlan, join: str | None) -> int:
        try:
            self._guests.is_ready(node)
        except NotYet as error:
            raise BootstrapError(f"{node.name}: unreachable", details=str(error)) from error
        files = [[other.name, str(other.address)] for other in plan.nodes]
        known = self._memory.of(node.directory)
        changed = int(known.get("files") != files)
        self._memory.keep(node.directory, files=files)
        plane = self._memory.control_plane(str(plan.name))
        if node.is_control_plane and not known.get("authority"):
            authority = (plan.state_directory / "ca.crt").read_text()
            ready = {node.name: "Ready"}
            self._memory.keep(
                plane, authority=authority, server=plan.server, tokens=[], nodes=ready
            )
            return changed + 1
        api = self._memory.of(plane)
        if join is not None and node.name not in api["nodes"]:
            token = yaml.safe_load(join)["discovery"]["bootstrapToken"]["token"]
            assert token in api["tokens"], "the API server does not know the token"
            self._join(plane, node)
            changed += 1
        return changed

    def _join(self, plane: Path, node: NodePlan) -> None:
        nodes = self._memory.of(plane).get("nodes", {})
        self._memory.keep(plane, nodes={**nodes, node.name: "Ready"})


class Api:
    """Implements ClusterApi: answers whoever knows its authority and its port."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def verify(
        self, kubeconfig: Path, nodes: Sequence[ExpectedNode], *, patience: int
    ) -> Sequence[CheckResult]:
        assert patience >= 1
        found = self.joined_nodes(kubeconfig)
        ok = set(found) == {node.name for node in nodes}
        return [CheckResult(name="nodes", ok=ok, evidence=json.dumps(dict(found)))]

    def joined_nodes(self, kubeconfig: Path) -> Mapping[str, str]:
        nodes: dict[str, str] = self._answer(kubeconfig)["nodes"]
        return nodes

    def create_join_token(self, kubeconfig: Path, token: str, *, lifetime_s: int) -> None:
        assert 0 < lifetime_s <= 3600
        tokens = self._answer(kubeconfig)["tokens"]
        self._memory.keep(self._plane(kubeconfig), tokens=[*tokens, token])

    def remove_join_token(self, kubeconfig: Path, token: str) -> None:
        tokens = self._answer(kubeconfig)["tokens"]
        self._memory.keep(
            self._plane(kubeconfig), tokens=[other for other in tokens if other != token]
        )

    def version(self, kubeconfig: Path) -> str:
        self._answer(kubeconfig)
        return "v1.37.2"

    def certificate_expiry(self, kubeconfig: Path) -> CertificateExpiry:
        self._answer(kubeconfig)
        end = datetime(2031, 1, 1, tzinfo=UTC)
        return CertificateExpiry(client=end, server=end)

    def _plane(self, kubeconfig: Path) -> Path:
        return self._memory.control_plane(kubeconfig.parent.name)

    def _answer(self, kubeconfig: Path) -> dict[str, Any]:
        access = read_access(kubeconfig)
        known = self._memory.of(self._plane(kubeconfig))
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
        if not is_good_user_certificate(pair, name, authority, datetime.now(UTC)):
            raise BootstrapError("The API server refuses the client certificate.")
        return known


class NoArtifacts:
    """Implements Artifacts: none are built here, for the image is made without any."""

    def ensure(self, version: str) -> NoReturn:
        raise AssertionError(f"the artefacts of {version} were asked for")


class Images(DebianImages):
    """The real store of node images; only the build itself is three small files."""

    def ensure(self, kubernetes_version: str) -> NodeImage:
        return self.find(IMAGE_KEY) or self._made(kubernetes_version)

    def _made(self, version: str) -> NodeImage:
        with self._locked():
            self._store.prepare()
            found = self._store.find(IMAGE_KEY)
            if found is not None:
                return found
            with self._store.building(IMAGE_KEY, kubernetes_version=version) as work:
                for name in ("disk.raw", "vmlinuz", "initrd.img"):
                    (work / name).write_bytes(bytes(4096))
        image = self._store.find(IMAGE_KEY)
        assert image is not None
        return image


class Cables:
    """Stands for the monitor of a running QEMU, which the test driver has not."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def plug(self, domain: libvirt.virDomain, node: NodePlan, link: LinkPlan) -> bool:
        if link_ends(node, link)[0] in domain.XMLDesc():
            return False
        plugged = self._memory.of(node.directory).get("plugged", [])
        if link.node in plugged:
            return False
        self._memory.keep(node.directory, plugged=[*plugged, link.node])
        return True
