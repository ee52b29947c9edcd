"""The adapters behind the ports of one site, and of one cluster."""

from __future__ import annotations  # the ports are imported for type checks only

from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from bootstrap.adapters.clock import now_text
from bootstrap.adapters.directories import Directories, find_directories
from bootstrap.model.names import ClusterName
from bootstrap.model.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from uuid import UUID

    from bootstrap.adapters.ssh.shell import NodeAccess
    from bootstrap.adapters.trust.store import TrustStore
    from bootstrap.ports import (
        Artifacts,
        Bundles,
        ClusterApi,
        ClusterFiles,
        Evidence,
        Host,
        Hypervisor,
        ImageArchives,
        Images,
        NodeShell,
        PlaybookRunner,
        Reachable,
        RunEvents,
        RunHistory,
        Snapshots,
        Trust,
        UserKubeconfig,
        Volumes,
    )
    from bootstrap.workflow.environment import Ports

_SSH_TIMEOUT_S = 60.0


def recorded_uri(directories: Directories, install_id: UUID, cluster: ClusterName) -> str | None:
    """Return the libvirt at which a cluster's machines are; None if nothing records it."""
    from bootstrap.adapters.marker import recorded_hypervisor  # noqa: PLC0415

    return recorded_hypervisor(directories.volumes / str(cluster), install_id)


class LazyPorts:
    """Implements :class:`bootstrap.workflow.environment.Ports`; without a cluster, ``SitePorts``.

    A test replaces a port in a subclass.
    """

    #: How long a command waits for another that works on the same cluster.
    lock_patience_s = 10.0

    def __init__(self, site: Site, events: RunEvents, cluster: ClusterName | None = None) -> None:
        self.site, self.events = site, events
        self.now: Callable[[], str] = now_text
        self._cluster = cluster
        self._closing = ExitStack()

    @cached_property
    def directories(self) -> Directories:
        """Where this user's files are."""
        return find_directories()

    @cached_property
    def hypervisor(self) -> Hypervisor:
        """The domains; connects to libvirt when one is first asked for."""
        from bootstrap.adapters.libvirt.connection import Connection  # noqa: PLC0415
        from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor  # noqa: PLC0415

        connection = Connection(self.site.hypervisor_uri, note=self.events.note)
        self._closing.callback(connection.close)
        return LibvirtHypervisor(connection, self.site.install_id)

    @property
    def _volumes_mode(self) -> int:
        """That of directories through which the user of the system daemon must pass."""
        return 0o711 if self.site.is_system else 0o700

    @cached_property
    def volumes(self) -> Volumes:
        """The disks, where the daemon of this site may read them."""
        from bootstrap.adapters.volumes.store import FileVolumes  # noqa: PLC0415

        return FileVolumes(
            self.site.volumes,
            self.site.install_id,
            hypervisor=self.site.hypervisor_uri,
            mode=self._volumes_mode,
        )

    @cached_property
    def images(self) -> Images:
        """The node images, built from artefacts."""
        from bootstrap.adapters.image.debian import DebianImages  # noqa: PLC0415

        return DebianImages(self.directories, self.events, self.artifacts)

    @cached_property
    def artifacts(self) -> Artifacts:
        """Kubernetes, from the source that the user chooses."""
        from bootstrap.adapters.artifacts.chosen import ChosenArtifacts  # noqa: PLC0415

        return ChosenArtifacts(self.directories, self.events)

    @cached_property
    def archives(self) -> ImageArchives:
        """The archives of images that users load, beside the disks."""
        from bootstrap.adapters.archives.store import FileArchives  # noqa: PLC0415

        return FileArchives(
            self.site.volumes,
            self.directories.cache,
            self.site.install_id,
            hypervisor=self.site.hypervisor_uri,
            mode=self._volumes_mode,
        )

    @cached_property
    def bundles(self) -> Bundles:
        """Bundles, which hold what the caches of this user hold."""
        from bootstrap.adapters.bundles.store import FileBundles  # noqa: PLC0415

        return FileBundles(self.directories, self.events)

    @cached_property
    def snapshots(self) -> Snapshots:
        """The saved clusters."""
        from bootstrap.adapters.snapshots.store import SnapshotStore  # noqa: PLC0415

        return SnapshotStore(
            self.directories.snapshots,
            self.site.install_id,
            locks=self.directories.locks,
        )

    @cached_property
    def host(self) -> Host:
        """This host."""
        from bootstrap.adapters.host.local import LocalHost  # noqa: PLC0415

        is_system, is_session = self.site.is_system, self.site.is_session
        return LocalHost(self.directories, self.events, is_system=is_system, is_session=is_session)

    @cached_property
    def playbooks(self) -> PlaybookRunner:
        """Ansible."""
        from bootstrap.adapters.ansible.runner import AnsiblePlaybookRunner  # noqa: PLC0415

        return AnsiblePlaybookRunner(self.events)

    @cached_property
    def api(self) -> ClusterApi:
        """The API servers."""
        from bootstrap.adapters.kubernetes.api import KubernetesClusterApi  # noqa: PLC0415

        return KubernetesClusterApi()

    def cluster(self, name: ClusterName) -> Ports:
        """See the protocol."""
        ports = type(self)(self.site, self.events, name)
        self._closing.callback(ports.close)
        return ports

    def close(self) -> None:
        """See the protocol."""
        self._closing.close()

    def clusters_with_files(self) -> Sequence[ClusterName]:
        """See the protocol."""
        here = (None, self.site.hypervisor_uri)
        return [
            cluster
            for cluster in self.files.clusters()
            if recorded_uri(self.directories, self.site.install_id, cluster) in here
        ]

    @property
    def name(self) -> ClusterName:
        """The cluster whose ports these are."""
        assert self._cluster is not None, "a site has no such port"  # noqa: S101 - SitePorts hides it
        return self._cluster

    @cached_property
    def trust_store(self) -> TrustStore:
        """The files of the cluster's keys."""
        from bootstrap.adapters.trust.store import TrustStore  # noqa: PLC0415

        return TrustStore(self.site.state_directory(self.name))

    @cached_property
    def trust(self) -> Trust:
        """The cluster's keys and certificates."""
        from bootstrap.adapters.trust.cluster import ClusterTrust  # noqa: PLC0415

        return ClusterTrust(self.trust_store)

    @cached_property
    def files(self) -> ClusterFiles:
        """The files that the users of clusters get."""
        from bootstrap.adapters.cluster_files import StateFiles  # noqa: PLC0415

        return StateFiles(self.site.state)

    @cached_property
    def history(self) -> RunHistory:
        """The logs of runs, beside the cluster's files."""
        from bootstrap.adapters.events.history import LoggedRuns  # noqa: PLC0415

        return LoggedRuns(self.site.state)

    @cached_property
    def kubeconfig(self) -> UserKubeconfig:
        """The kubeconfig of this user."""
        from bootstrap.adapters.kubeconfig.adapter import KubeconfigFiles  # noqa: PLC0415

        return KubeconfigFiles(self.site.install_id)

    @cached_property
    def evidence(self) -> Evidence:
        """Where the evidence of a failure is saved."""
        from bootstrap.adapters.evidence import SavedEvidence  # noqa: PLC0415

        return SavedEvidence(self.site.state)

    @cached_property
    def shell(self) -> NodeShell:
        """SSH to the cluster's nodes, with the cluster's own keys."""
        from bootstrap.adapters.ssh.shell import SshShell  # noqa: PLC0415

        return SshShell(self._access, timeout_s=_SSH_TIMEOUT_S)

    def shell_with(self, keys: Mapping[str, str]) -> NodeShell:
        """See the protocol."""
        from bootstrap.adapters.ssh.shell import NodeAccess, SshShell  # noqa: PLC0415
        from bootstrap.adapters.trust.store import saved_client_key, saved_host_key  # noqa: PLC0415
        from bootstrap.planning.node_files import NODE_USER  # noqa: PLC0415

        def access(node: Reachable) -> NodeAccess:
            return NodeAccess(
                user=NODE_USER,
                client_private_key=saved_client_key(keys).private_text,
                host_public_key=saved_host_key(keys, node.name).public_line,
            )

        return SshShell(access, timeout_s=_SSH_TIMEOUT_S)

    def _access(self, node: Reachable) -> NodeAccess:
        from bootstrap.adapters.ssh.shell import NodeAccess  # noqa: PLC0415
        from bootstrap.planning.node_files import NODE_USER  # noqa: PLC0415

        return NodeAccess(
            user=NODE_USER,
            client_private_key=self.trust_store.ensure_client_key().private_text,
            host_public_key=self.trust_store.ensure_host_key(node.name).public_line,
        )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """See the protocol. The cluster's log of runs gets the events inside the block."""
        from bootstrap.adapters.events.log import run_log  # noqa: PLC0415
        from bootstrap.adapters.locks import locked  # noqa: PLC0415

        path = self.directories.cluster_lock(self.name)
        with (
            locked(path, what=f"cluster '{self.name}'", timeout_s=self.lock_patience_s),
            run_log(self.directories.cluster_state(self.name)) as log,
            self.events.attached(log),
        ):
            yield
