"""The composition root: the only place that builds adapters.

Adapters are imported where they are built, so that a command pays only for its own.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from bootstrap.adapters.directories import (
    Directories,
    ensure_install_id,
    find_directories,
    read_install_id,
)
from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory
from bootstrap.adapters.locks import locked
from bootstrap.cli.console import StepProgress
from bootstrap.errors import NotFoundError, UsageError
from bootstrap.model.cluster import Domain
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.ports import (
    ClusterApi,
    Hypervisor,
    NodeShell,
    Products,
    Progress,
    Reachable,
    Volumes,
)
from bootstrap.workflow.environment import Ports, Setting

if TYPE_CHECKING:
    from bootstrap.adapters.artifacts.source import GoArtifacts
    from bootstrap.adapters.image.debian import DebianImages

SYSTEM, SESSION = "qemu:///system", "qemu:///session"
_SSH_TIMEOUT_S = 60.0
_LOCK_PATIENCE_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """This user on this host."""

    directories: Directories
    install_id: UUID
    hypervisor_uri: str

    @property
    def is_system(self) -> bool:
        """Tell whether another user's daemon runs the guests."""
        return self.hypervisor_uri == SYSTEM

    @property
    def is_session(self) -> bool:
        """Tell whether this user's own daemon does."""
        return self.hypervisor_uri == SESSION


def default_uri() -> str:
    """Name this user's own libvirt: for root, libvirt maps session to the system socket."""
    return SYSTEM if os.getuid() == 0 else SESSION


def find_site(uri: str | None = None, cluster: ClusterName | None = None) -> Site:
    """Find this user's site, making the install id on the very first call.

    A ``cluster`` that exists is where it was made, unless ``uri`` says so.

    :raises UsageError: if it says something else.
    """
    directories = find_directories()
    install_id = _install_id(directories)
    recorded = recorded_uri(directories, install_id, cluster) if cluster else None
    if uri and recorded not in (None, uri):
        raise UsageError(
            f"Cluster '{cluster}' is at '{recorded}', not at '{uri}'.",
            hint=f"bootstrap status {cluster}",
        )
    chosen = uri or recorded or default_uri()
    if chosen == SESSION and os.getuid() == 0:
        raise UsageError(
            f"root has no '{SESSION}': libvirt leads root to the system daemon.",
            hint=f"bootstrap up --hypervisor {SYSTEM}",
        )
    return Site(directories=directories, install_id=install_id, hypervisor_uri=chosen)


def recorded_uri(directories: Directories, install_id: UUID, cluster: ClusterName) -> str | None:
    """Tell at which libvirt a cluster's machines are; None if nothing says it."""
    from bootstrap.adapters.volumes.marker import recorded_hypervisor  # noqa: PLC0415

    return recorded_hypervisor(directories.volumes / str(cluster), install_id)


def _install_id(directories: Directories) -> UUID:
    install_id = read_install_id(directories)
    if install_id is None:
        # The lock lies inside, and would make it with the mode of any directory.
        with explained("make the state directory"):
            private_directory(directories.state)
        with locked(directories.host_lock, what="this user's first run", timeout_s=30):
            install_id = ensure_install_id(directories)
    return install_id


def cluster_name(text: str) -> ClusterName:
    """Read a cluster's name from the command line."""
    try:
        return ClusterName(text)
    except ValueError as error:
        raise UsageError(f"{error}.", hint="bootstrap list") from error


@contextmanager
def cluster_lock(site: Site, cluster: ClusterName) -> Iterator[None]:
    """Hold the cluster's lock; another run is named after a few seconds of patience."""
    path = site.directories.cluster_lock(cluster)
    with locked(path, what=f"cluster '{cluster}'", timeout_s=_LOCK_PATIENCE_S):
        yield


def build_hypervisor(site: Site, progress: Progress | None = None) -> Hypervisor:
    """Connect to libvirt when it is first needed; ``progress`` is told of a reconnection."""
    from bootstrap.adapters.libvirt.connection import Connection  # noqa: PLC0415
    from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor  # noqa: PLC0415

    note = progress.note if progress else lambda _text: None
    return LibvirtHypervisor(Connection(site.hypervisor_uri, note=note), site.install_id)


def build_volumes(site: Site) -> Volumes:
    """Keep disks where the daemon of this site may read them."""
    from bootstrap.adapters.volumes.store import FileVolumes  # noqa: PLC0415

    mode = 0o711 if site.is_system else 0o700
    return FileVolumes(
        site.directories.volumes, site.install_id, hypervisor=site.hypervisor_uri, mode=mode
    )


def build_images(site: Site, progress: StepProgress) -> "DebianImages":
    """Build node images from artefacts that are built here too."""
    from bootstrap.adapters.image.debian import DebianImages  # noqa: PLC0415

    return DebianImages(site.directories, progress, build_artifacts(site, progress))


def build_artifacts(site: Site, progress: StepProgress) -> "GoArtifacts":
    """Build Kubernetes from Go modules."""
    from bootstrap.adapters.artifacts.source import GoArtifacts  # noqa: PLC0415

    return GoArtifacts(site.directories, progress.note)


def build_api() -> ClusterApi:
    """Talk to API servers."""
    from bootstrap.adapters.kubernetes.api import KubernetesClusterApi  # noqa: PLC0415

    return KubernetesClusterApi()


def build_products(site: Site, cluster: ClusterName) -> Products:
    """Keep what the user of a cluster gets."""
    from bootstrap.adapters.products.store import StateProducts  # noqa: PLC0415
    from bootstrap.adapters.trust.store import TrustStore  # noqa: PLC0415

    trust = TrustStore(site.directories.cluster_state(cluster))
    return StateProducts(site.directories.state, trust, site.install_id)


def build_shell(site: Site, cluster: ClusterName) -> NodeShell:
    """Log in on a cluster's nodes with the cluster's own keys."""
    from bootstrap.adapters.ssh.shell import NodeAccess, SshShell  # noqa: PLC0415
    from bootstrap.adapters.trust.store import TrustStore  # noqa: PLC0415
    from bootstrap.planning.node_files import NODE_USER  # noqa: PLC0415

    trust = TrustStore(site.directories.cluster_state(cluster))

    def access(node: Reachable) -> NodeAccess:
        return NodeAccess(
            user=NODE_USER,
            client_private_key=trust.ensure_client_key().private_text,
            host_public_key=trust.ensure_host_key(node.name).public_line,
        )

    return SshShell(access, timeout_s=_SSH_TIMEOUT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningPorts:
    """What a plan needs; nothing of it changes anything but the memory of a probe."""

    hypervisor: Hypervisor
    is_port_free: Callable[[int], bool]
    acceleration: Callable[[], Acceleration]


def build_planning_ports(site: Site) -> PlanningPorts:
    """Look at the host as `up` would."""
    from bootstrap.adapters.host.acceleration import any_kernel, probe_acceleration  # noqa: PLC0415
    from bootstrap.adapters.host.resources import is_port_free  # noqa: PLC0415

    def acceleration() -> Acceleration:
        kernel = any_kernel(site.directories.images)
        if kernel is None:
            return Acceleration.EMULATED
        return probe_acceleration(kernel, site.directories.cache).acceleration

    return PlanningPorts(
        hypervisor=build_hypervisor(site), is_port_free=is_port_free, acceleration=acceleration
    )


def build_ports(site: Site, cluster: ClusterName, progress: StepProgress) -> Ports:
    """Build everything that `up` and `down` need."""
    from bootstrap.adapters.ansible.runner import AnsiblePlaybookRunner  # noqa: PLC0415
    from bootstrap.adapters.host.local import LocalHost  # noqa: PLC0415
    from bootstrap.adapters.trust.cluster import ClusterTrust  # noqa: PLC0415
    from bootstrap.adapters.trust.store import TrustStore  # noqa: PLC0415

    trust = TrustStore(site.directories.cluster_state(cluster))
    return Ports(
        hypervisor=build_hypervisor(site, progress),
        volumes=build_volumes(site),
        images=build_images(site, progress),
        host=LocalHost(
            site.directories, progress, is_system=site.is_system, is_session=site.is_session
        ),
        trust=ClusterTrust(trust),
        products=build_products(site, cluster),
        shell=build_shell(site, cluster),
        playbooks=AnsiblePlaybookRunner(progress),
        api=build_api(),
        progress=progress,
    )


def build_setting(site: Site, cluster: ClusterName) -> Setting:
    """Say where a run happens."""
    return Setting(
        install_id=site.install_id,
        owner_uid=os.getuid(),
        hypervisor_uri=site.hypervisor_uri,
        state_directory=site.directories.cluster_state(cluster),
        volume_directory=site.directories.volumes / str(cluster),
        now=lambda: datetime.now(UTC).isoformat(timespec="seconds"),
    )


def existing_domains(site: Site, cluster: ClusterName) -> Sequence[Domain]:
    """List a cluster's domains.

    :raises NotFoundError: if it has none.
    """
    domains = build_hypervisor(site).domains(cluster)
    if not domains:
        raise NotFoundError(
            f"There is no cluster '{cluster}' at '{site.hypervisor_uri}'.", hint="bootstrap list"
        )
    return domains


def node_of(domains: Sequence[Domain], name: str) -> Domain:
    """Choose a node by its name, or by what follows the cluster's name in it.

    :raises UsageError: if there is no such node, naming those that are.
    """
    for domain in domains:
        if name in (domain.name, domain.name.removeprefix(f"{domain.mark.cluster}-")):
            return domain
    raise UsageError(
        f"There is no node '{name}'.",
        details="Nodes: " + ", ".join(domain.name for domain in domains),
        hint=f"bootstrap status {domains[0].mark.cluster}",
    )
