"""Build a valid object with one call; keywords override what a test is about."""

import json
import shutil
import uuid
import weakref
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from ipaddress import IPv4Network
from pathlib import Path
from tempfile import mkdtemp

from bootstrap.adapters.directories import find_directories
from bootstrap.adapters.snapshots.store import SnapshotStore
from bootstrap.composition import LazyPorts
from bootstrap.model.cluster import Mark, NodeImage
from bootstrap.model.names import SWITCH, ClusterName
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan
from bootstrap.model.site import Site
from bootstrap.model.sources import Source
from bootstrap.model.spec import (
    ClusterSpec,
    NetworkingSpec,
    NodeGroupSpec,
    NodeRole,
    SecurityProfile,
    SecuritySpec,
)
from bootstrap.planning.members import members_of
from bootstrap.planning.plan import make_plan, wanted_slots
from bootstrap.planning.ports import choose_ports
from bootstrap.ports import RunEvents
from bootstrap.workflow.node_removal import Removal
from bootstrap.workflow.up import UpOptions
from tests.fakes.archives import FakeImageArchives
from tests.fakes.bundles import FakeBundles
from tests.fakes.cluster_api import FakeClusterApi
from tests.fakes.cluster_files import FakeClusterFiles, FakeEvidence, FakeUserKubeconfig
from tests.fakes.containerd import FakeContainerd
from tests.fakes.events import FakeEvents
from tests.fakes.history import FakeHistory
from tests.fakes.host import FakeHost
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.images import FakeImages
from tests.fakes.playbooks import FakePlaybookRunner
from tests.fakes.recording import Journal
from tests.fakes.shell import FakeShell
from tests.fakes.trust import FakeTrust
from tests.fakes.volumes import FakeVolumes

INSTALL = uuid.UUID("11111111-2222-4333-8444-555555555555")
OTHER_INSTALL = uuid.UUID("99999999-2222-4333-8444-555555555555")
NOW = "2030-01-01T00:00:00+00:00"
URI = "qemu:///session"
STATE = Path("/state")
VOLUMES = Path("/volumes")


def a_group(role: NodeRole, count: int = 1, **changes: object) -> NodeGroupSpec:
    group = NodeGroupSpec(
        role=role,
        count=count,
        cpus=2 if role is NodeRole.CONTROL_PLANE else 1,
        memory_mib=3072 if role is NodeRole.CONTROL_PLANE else 2048,
        disk_gib=20,
        labels={},
    )
    return replace(group, **changes)  # type: ignore[arg-type]


def a_cluster_spec(
    name: str = "demo",
    *,
    workers: int = 1,
    memory_mib: int = 2048,
    labels: Mapping[str, str] | None = None,
    profile: SecurityProfile = SecurityProfile.DEFAULT,
    **networking: object,
) -> ClusterSpec:
    """Return one control plane and ``workers`` workers."""
    groups = [a_group(NodeRole.CONTROL_PLANE)]
    if workers:
        more = {"memory_mib": memory_mib, "labels": labels or {}}
        groups.append(a_group(NodeRole.WORKER, workers, **more))
    network = NetworkingSpec(
        mode="links",
        cni="bridge",
        node_subnet=IPv4Network("10.44.0.0/24"),
        pod_subnet=IPv4Network("10.244.0.0/16"),
        service_subnet=IPv4Network("10.96.0.0/12"),
        api_server_port=None,
        host_access=False,
    )
    return ClusterSpec(
        name=ClusterName(name),
        kubernetes_version="v1.37.2",
        source=Source.AUTO,
        hypervisor_uri=None,
        node_groups=tuple(groups),
        networking=replace(network, **networking),  # type: ignore[arg-type]
        security=SecuritySpec(profile=profile),
    )


def a_plan(  # noqa: PLR0913 - keywords, of which a test names one or two
    spec: ClusterSpec | None = None,
    *,
    acceleration: Acceleration = Acceleration.EMULATED,
    install_id: uuid.UUID = INSTALL,
    state: Path = STATE,
    volumes: Path = VOLUMES,
    uri: str = URI,
    existing: Collection[str] = (),
) -> ClusterPlan:
    """Plan a cluster on a host where every port is free."""
    spec = spec or a_cluster_spec()
    site = a_site(install_id, uri=uri, state=state, volumes=volumes)
    members = members_of(spec, existing)
    ports = choose_ports(
        wanted_slots(site, members),
        seed=f"{install_id}/{spec.name}",
        known={},
        taken=frozenset(),
        is_free=lambda _port: True,
    )
    return make_plan(spec, site, members, ports, acceleration=acceleration)


def an_image(directory: Path = Path("/images/key")) -> NodeImage:
    """Return an image whose files need not exist."""
    return NodeImage(
        key="key",
        disk=directory / "disk.raw",
        kernel=directory / "vmlinuz",
        initrd=directory / "initrd",
        kubernetes_version="v1.37.2",
        kubelet_version="v1.37.2",
        size_bytes=1,
        sha256="0" * 64,
        packages_fetched=NOW,
    )


def a_mark(plan: ClusterPlan, node: NodePlan, /, **changes: object) -> Mark:
    mark = Mark(
        install_id=plan.install_id,
        owner_uid=1000,
        cluster=plan.name,
        node=node.name,
        role=node.role,
        ports={"ssh": node.ssh_port},
        directory=node.directory,
        facts={"acceleration": plan.acceleration.value, "image": "key"},
        created=NOW,
    )
    return replace(mark, **changes)  # type: ignore[arg-type]


def a_switch_mark(plan: ClusterPlan, /, **changes: object) -> Mark:
    mark = a_mark(plan, plan.nodes[0], node=SWITCH, role=None, ports={}, facts={})
    return replace(mark, directory=plan.switch.directory, **changes)  # type: ignore[arg-type]


def a_site(
    install_id: uuid.UUID = INSTALL,
    *,
    uri: str = URI,
    state: Path = STATE,
    volumes: Path = VOLUMES,
) -> Site:
    return Site(
        install_id=install_id, owner_uid=1000, hypervisor_uri=uri, state=state, volumes=volumes
    )


def write_kubectl(version: str, text: str = "") -> Path:
    """Have a set of artefacts, of whatever sources, in the cache of this user."""
    directory = find_directories().cache / "artifacts" / ("0" * 32)
    directory.mkdir(parents=True)
    program = directory / "kube"
    program.write_text(text)
    program.chmod(0o755)
    entry = {"name": program.name, "version": version, "size_bytes": len(text), "sha256": ""}
    (directory / "manifest.json").write_text(json.dumps([entry]))
    return program


def options(  # noqa: PLR0913 - keywords, of which a test names one or two
    *,
    chosen: frozenset[str] | None = None,
    allow_overcommit: bool = False,
    keep: bool = False,
    use: bool = False,
    adding: int = 0,
    removal: Removal | None = None,
) -> UpOptions:
    """Return the options of `up`."""
    return UpOptions(
        chosen=chosen,
        allow_overcommit=allow_overcommit,
        keep=keep,
        use=use,
        adding=adding,
        removal=removal,
    )


class FakePorts(LazyPorts):
    """The ports of a world of fakes; the artefacts and each cluster's lock are real."""

    lock_patience_s = 0

    def __init__(
        self,
        world: "FakeWorld",
        site: Site | None = None,
        events: RunEvents | None = None,
        cluster: ClusterName | None = None,
    ) -> None:
        super().__init__(site or a_site(), events or world.events, cluster)
        self.now = lambda: NOW
        self._world = world
        for port in fields(world):
            # Where the fake is, the real adapter is never built.
            setattr(self, port.name, getattr(world, port.name))
        self.events = events or world.events

    def cluster(self, name: ClusterName) -> "FakePorts":
        return FakePorts(self._world, self.site, self.events, name)

    def shell_with(self, keys: Mapping[str, str]) -> FakeShell:
        assert keys
        return self._world.shell

    @contextmanager
    def lock(self) -> Iterator[None]:
        if self._cluster is None:
            yield
            return
        log = self._world.history.log(self._cluster)
        with super().lock(), self.events.attached(log):
            yield


class ATemporaryStore(SnapshotStore):
    """Real snapshots, as small as what the other fakes put into them; they end with the world."""

    def __init__(self, install_id: uuid.UUID) -> None:
        place = Path(mkdtemp())
        weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)
        super().__init__(place / "snapshots", install_id, locks=place / "locks")


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeWorld:
    """All fakes of one hypervisor host, under their own types."""

    journal: Journal
    hypervisor: FakeHypervisor
    volumes: FakeVolumes
    archives: FakeImageArchives
    containerd: FakeContainerd
    images: FakeImages
    bundles: FakeBundles
    snapshots: SnapshotStore
    host: FakeHost
    trust: FakeTrust
    files: FakeClusterFiles
    history: FakeHistory
    kubeconfig: FakeUserKubeconfig
    evidence: FakeEvidence
    shell: FakeShell
    playbooks: FakePlaybookRunner
    api: FakeClusterApi
    events: FakeEvents

    @property
    def ports(self) -> FakePorts:
        """The fakes, as the workflow takes them."""
        return FakePorts(self)


def ports_with_fakes(install_id: uuid.UUID = INSTALL) -> FakeWorld:
    """Connect fakes with memory to each other: what boots answers, what joins is known."""
    journal = Journal()
    hypervisor, volumes = FakeHypervisor(install_id, journal), FakeVolumes(install_id, journal)
    hypervisor.on_start = volumes.boot
    files = FakeClusterFiles(journal)
    shell, api = FakeShell(hypervisor, volumes, journal), FakeClusterApi(journal)
    archives = FakeImageArchives(volumes, journal)
    containerd = FakeContainerd(hypervisor, archives, journal)
    shell.programs.append(containerd.answer)
    images = FakeImages(journal)
    return FakeWorld(
        journal=journal,
        hypervisor=hypervisor,
        volumes=volumes,
        archives=archives,
        containerd=containerd,
        images=images,
        bundles=FakeBundles(images, journal),
        snapshots=ATemporaryStore(install_id),
        host=FakeHost(journal),
        trust=FakeTrust(journal),
        files=files,
        history=FakeHistory(files),
        kubeconfig=FakeUserKubeconfig(journal),
        evidence=FakeEvidence(files, journal),
        shell=shell,
        playbooks=FakePlaybookRunner(shell, api, files, journal),
        api=api,
        events=FakeEvents(),
    )
