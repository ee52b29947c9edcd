"""One call gives a valid object; keywords override what a test is about."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path

from bootstrap.model.cluster import Mark, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan
from bootstrap.model.spec import (
    ClusterSpec,
    NetworkingSpec,
    NodeGroupSpec,
    NodeRole,
    SecurityProfile,
    SecuritySpec,
)
from bootstrap.planning.plan import Site, make_plan, wanted_slots
from bootstrap.planning.ports import choose_ports
from bootstrap.workflow.environment import Ports, Setting
from bootstrap.workflow.up import UpOptions
from tests.fakes.cluster_api import FakeClusterApi
from tests.fakes.host import FakeHost
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.images import FakeImages
from tests.fakes.playbooks import FakePlaybookRunner
from tests.fakes.products import FakeProducts
from tests.fakes.progress import FakeProgress
from tests.fakes.recording import Journal
from tests.fakes.shell import FakeShell
from tests.fakes.trust import FakeTrust
from tests.fakes.volumes import FakeVolumes

INSTALL = uuid.UUID("11111111-2222-4333-8444-555555555555")
OTHER_INSTALL = uuid.UUID("99999999-2222-4333-8444-555555555555")
URI = "qemu:///session"
STATE = Path("/state")
VOLUMES = Path("/volumes")


def a_group(role: NodeRole, count: int = 1, **changes: object) -> NodeGroupSpec:
    """Give one group of like nodes."""
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
    """Give one control plane and ``workers`` workers."""
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
    )
    return ClusterSpec(
        name=ClusterName(name),
        kubernetes_version="v1.37.2",
        hypervisor_uri=None,
        node_groups=tuple(groups),
        networking=replace(network, **networking),  # type: ignore[arg-type]
        security=SecuritySpec(profile=profile),
    )


def a_plan(
    spec: ClusterSpec | None = None,
    *,
    acceleration: Acceleration = Acceleration.EMULATED,
    install_id: uuid.UUID = INSTALL,
    state: Path = STATE,
    volumes: Path = VOLUMES,
) -> ClusterPlan:
    """Plan a cluster on a host where every port is free."""
    spec = spec or a_cluster_spec()
    site = Site(
        install_id=install_id,
        hypervisor_uri=URI,
        acceleration=acceleration,
        state_directory=state / str(spec.name),
        volume_directory=volumes / str(spec.name),
    )
    ports = choose_ports(
        wanted_slots(spec), known={}, taken=frozenset(), is_free=lambda _port: True
    )
    return make_plan(spec, site, ports)


def an_image(directory: Path = Path("/images/key")) -> NodeImage:
    """Give an image whose files need not exist."""
    return NodeImage(
        key="key",
        disk=directory / "disk.raw",
        kernel=directory / "vmlinuz",
        initrd=directory / "initrd",
        kubernetes_version="v1.37.2",
        size_bytes=1,
    )


def a_mark(plan: ClusterPlan, node: NodePlan, /, **changes: object) -> Mark:
    """Give the mark of a node of the plan."""
    mark = Mark(
        install_id=plan.install_id,
        owner_uid=1000,
        cluster=plan.name,
        node=node.name,
        role=node.role,
        ports={"ssh": node.ssh_port},
        directory=node.directory,
        facts={"acceleration": plan.acceleration.value, "image": "key"},
        created="2030-01-01T00:00:00+00:00",
    )
    return replace(mark, **changes)  # type: ignore[arg-type]


def a_setting(name: str = "demo") -> Setting:
    """Say where a run on fakes happens."""
    return Setting(
        install_id=INSTALL,
        owner_uid=1000,
        hypervisor_uri=URI,
        state_directory=STATE / name,
        volume_directory=VOLUMES / name,
        now=lambda: "2030-01-01T00:00:00+00:00",
    )


def options(
    *,
    workers_named: bool = False,
    allow_overcommit: bool = False,
    keep: bool = False,
    use: bool = False,
) -> UpOptions:
    """Say how `up` shall behave."""
    return UpOptions(
        workers_named=workers_named, allow_overcommit=allow_overcommit, keep=keep, use=use
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeWorld:
    """All fakes of one hypervisor host, under their own types."""

    journal: Journal
    hypervisor: FakeHypervisor
    volumes: FakeVolumes
    images: FakeImages
    host: FakeHost
    trust: FakeTrust
    products: FakeProducts
    shell: FakeShell
    playbooks: FakePlaybookRunner
    api: FakeClusterApi
    progress: FakeProgress

    @property
    def ports(self) -> Ports:
        """Give them to the workflow."""
        return Ports(
            hypervisor=self.hypervisor,
            volumes=self.volumes,
            images=self.images,
            host=self.host,
            trust=self.trust,
            products=self.products,
            shell=self.shell,
            playbooks=self.playbooks,
            api=self.api,
            progress=self.progress,
        )


def ports_with_fakes(install_id: uuid.UUID = INSTALL) -> FakeWorld:
    """Wire fakes with memory to each other: what boots answers, what joins is known."""
    journal = Journal()
    hypervisor, volumes = FakeHypervisor(install_id, journal), FakeVolumes(install_id, journal)
    hypervisor.on_start = volumes.boot
    shell, api = FakeShell(hypervisor, volumes, journal), FakeClusterApi(journal)
    return FakeWorld(
        journal=journal,
        hypervisor=hypervisor,
        volumes=volumes,
        images=FakeImages(journal),
        host=FakeHost(journal),
        trust=FakeTrust(journal),
        products=FakeProducts(journal),
        shell=shell,
        playbooks=FakePlaybookRunner(shell, api, journal),
        api=api,
        progress=FakeProgress(journal),
    )
