"""The composition root: the only module that builds adapters.

It is the ground of the command line and of every other way into the tool. Each adapter is
imported when it is first used, so that a command pays for no adapter but its own.
"""

from __future__ import annotations  # the ports are imported for type checks only

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from bootstrap.adapters.clock import now_text
from bootstrap.adapters.directories import (
    Directories,
    ensure_install_id,
    find_directories,
    read_install_id,
)
from bootstrap.adapters.failures import explained, file_error
from bootstrap.adapters.files import private_directory
from bootstrap.errors import UsageError
from bootstrap.model.events import Display
from bootstrap.model.names import ClusterName
from bootstrap.model.site import SESSION, SYSTEM, Site
from bootstrap.model.sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

    from bootstrap.adapters.events.course import Course
    from bootstrap.adapters.known import KnownNames
    from bootstrap.adapters.ssh.shell import NodeAccess
    from bootstrap.adapters.trust.store import TrustStore
    from bootstrap.ports import (
        Artifacts,
        ClusterApi,
        ClusterFiles,
        EventReader,
        Evidence,
        Finding,
        Host,
        Hypervisor,
        ImageArchives,
        Images,
        NodeShell,
        PlaybookRunner,
        Reachable,
        RunEvents,
        RunHistory,
        ShellResult,
        Snapshots,
        Trust,
        UserKubeconfig,
        Volumes,
    )
    from bootstrap.workflow.environment import Ports, SitePorts

__all__ = ["Composition", "LazyPorts", "explained", "file_error", "known_names"]

_SSH_TIMEOUT_S = 60.0


def recorded_uri(directories: Directories, install_id: UUID, cluster: ClusterName) -> str | None:
    """Return the libvirt at which a cluster's machines are; None if nothing records it."""
    from bootstrap.adapters.marker import recorded_hypervisor  # noqa: PLC0415

    return recorded_hypervisor(directories.volumes / str(cluster), install_id)


def known_names() -> KnownNames:
    """Return what the local files of this user name; asks no libvirt and makes no file."""
    from bootstrap.adapters.known import KnownNames  # noqa: PLC0415

    return KnownNames(find_directories())


def _install_id(directories: Directories) -> UUID:
    install_id = read_install_id(directories)
    if install_id is None:
        from bootstrap.adapters.locks import locked  # noqa: PLC0415

        # The lock lies inside, and would make it with the mode of any directory.
        with explained("make the state directory"):
            private_directory(directories.state)
        with locked(directories.host_lock, what="this user's first run", timeout_s=30):
            install_id = ensure_install_id(directories)
    return install_id


def _shown(
    display: Display, course: Course, stack: ExitStack, *, show_commands: bool
) -> list[EventReader]:
    """Return the reader that shows a run on stderr until the stack is unwound."""
    match display:
        case Display.LIVE:
            from bootstrap.adapters.events.live.view import LiveView  # noqa: PLC0415

            return [stack.enter_context(LiveView(course, show_commands=show_commands).shown())]
        case Display.NONE:
            return []
        case _:
            from bootstrap.adapters.events.lines import Lines  # noqa: PLC0415

            return [Lines(show_commands=show_commands)]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """Builds the ports of this user; a test replaces them, or the default libvirt."""

    ports: Callable[[Site, RunEvents, ClusterName | None], Ports] = LazyPorts
    #: This user's own libvirt: for root, libvirt maps session to the system socket.
    default_uri: str = field(default_factory=lambda: SYSTEM if os.getuid() == 0 else SESSION)

    @contextmanager
    def open_events(
        self, command: str, *readers: EventReader, is_on_stdout: bool = False
    ) -> Iterator[RunEvents]:
        """Return the events of a run of ``command``, which ends with the block."""
        from bootstrap.adapters.events.commands import commands_to  # noqa: PLC0415
        from bootstrap.adapters.events.stream import EventStream  # noqa: PLC0415

        events = EventStream(*readers, is_on_stdout=is_on_stdout)
        with events.whole_run(command), commands_to(events.command):
            yield events

    @contextmanager
    def open_terminal_events(
        self,
        command: str,
        *,
        display: Display = Display.AUTO,
        verbose: bool = False,
        file: Path | None = None,
    ) -> Iterator[RunEvents]:
        """Return the events of a run of ``command`` that is shown on this process's terminal.

        :raises UsageError: if ``file`` cannot be opened, or the display cannot be had here.
        """
        from bootstrap.adapters.events import ndjson  # noqa: PLC0415
        from bootstrap.adapters.events.course import Course  # noqa: PLC0415
        from bootstrap.adapters.events.durations import Durations  # noqa: PLC0415
        from bootstrap.adapters.events.terminals import chosen_display  # noqa: PLC0415

        is_on_stdout = str(file) == "-"
        with ExitStack() as stack:
            course = Course(Durations(find_directories().durations))
            readers: list[EventReader] = [course]
            if is_on_stdout:
                readers.append(ndjson.Ndjson(ndjson.write_on_stdout))
            elif file is not None:
                readers.append(ndjson.Ndjson(stack.enter_context(ndjson.appending(file))))
            style = chosen_display(display, is_on_stdout=is_on_stdout)
            readers += _shown(style, course, stack, show_commands=verbose)
            run = self.open_events(command, *readers, is_on_stdout=is_on_stdout)
            yield stack.enter_context(run)

    def plain_events(self) -> RunEvents:
        """Return events that are only shown, for a command that is no run."""
        from bootstrap.adapters.events.lines import Lines  # noqa: PLC0415
        from bootstrap.adapters.events.stream import EventStream  # noqa: PLC0415

        return EventStream(Lines())

    def site_ports(self, events: RunEvents, uri: str | None = None) -> SitePorts:
        """Return the ports of a site; ``uri`` is the user's own libvirt unless given.

        :raises UsageError: if root names a session, which root does not have.
        """
        return self.ports(self.find_site(uri), events, None)

    def cluster_ports(
        self, cluster: ClusterName, events: RunEvents, uri: str | None = None
    ) -> Ports:
        """Return the ports of a cluster; one that exists is where it was made.

        :raises UsageError: if ``uri`` names another libvirt than that.
        """
        return self.ports(self.find_site(uri, cluster), events, cluster)

    def run_program(  # noqa: PLR0913 - each argument is one property of a process
        self,
        words: Sequence[str],
        *,
        action: str,
        timeout_s: float,
        program: Path | None = None,
        variables: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> ShellResult:
        """Run a program of this host to its end; ``variables`` are set beside those of the caller.

        :raises HostError: if it is not installed.
        :raises TimedOutError: if it runs longer than ``timeout_s`` seconds.
        """
        from bootstrap.adapters.process import run  # noqa: PLC0415
        from bootstrap.ports import ShellResult  # noqa: PLC0415

        done = run(
            words,
            action=action,
            timeout_s=timeout_s,
            program=program,
            env=os.environ | (variables or {}),
            stdin=stdin.encode(),
            check=False,
        )
        return ShellResult(exit_status=done.exit_status, stdout=done.stdout, stderr=done.stderr)

    def diagnose(self, uri: str | None = None, source: Source = Source.AUTO) -> Sequence[Finding]:
        """Run each check of this host, in the order in which `up` needs them."""
        from bootstrap.adapters.host.doctor import diagnose  # noqa: PLC0415

        return diagnose(find_directories(), uri or self.default_uri, source)

    def find_site(self, uri: str | None = None, cluster: ClusterName | None = None) -> Site:
        """Find this user's site, making the install id on the very first call."""
        directories = find_directories()
        install_id = _install_id(directories)
        recorded = recorded_uri(directories, install_id, cluster) if cluster else None
        if uri and recorded not in (None, uri):
            raise UsageError(
                f"Cluster '{cluster}' is at '{recorded}', not at '{uri}'.",
                hint=f"bootstrap status {cluster}",
            )
        chosen = uri or recorded or self.default_uri
        if chosen == SESSION and os.getuid() == 0:
            raise UsageError(
                f"root has no '{SESSION}': libvirt leads root to the system daemon.",
                hint=f"bootstrap up --hypervisor {SYSTEM}",
            )
        return Site(
            install_id=install_id,
            owner_uid=os.getuid(),
            hypervisor_uri=chosen,
            state=directories.state,
            volumes=directories.volumes,
        )
