"""What the workflow is given: a site, and the ports to everything outside."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from bootstrap.model.names import ClusterName
from bootstrap.model.site import Site
from bootstrap.ports import (
    Artifacts,
    Bundles,
    ClusterApi,
    ClusterFiles,
    Events,
    Evidence,
    Host,
    Hypervisor,
    ImageArchives,
    Images,
    NodeShell,
    PlaybookRunner,
    RunHistory,
    Snapshots,
    Trust,
    UserKubeconfig,
    Volumes,
)


class SitePorts(Protocol):
    """The ports that serve all clusters of a site.

    An implementation may build each port when it is first used, so that a command pays
    for no port but its own.
    """

    @property
    def site(self) -> Site:
        """The user and the libvirt."""

    @property
    def now(self) -> Callable[[], str]:
        """The time of day, in ISO 8601 with its zone."""

    @property
    def events(self) -> Events:
        """Where a run is reported."""

    @property
    def hypervisor(self) -> Hypervisor:
        """The domains."""

    @property
    def volumes(self) -> Volumes:
        """The disks."""

    @property
    def images(self) -> Images:
        """The node images."""

    @property
    def artifacts(self) -> Artifacts:
        """What Kubernetes is installed from."""

    @property
    def archives(self) -> ImageArchives:
        """The archives of images that users load."""

    @property
    def bundles(self) -> Bundles:
        """What hosts without a network need, in files."""

    @property
    def snapshots(self) -> Snapshots:
        """The saved clusters."""

    @property
    def host(self) -> Host:
        """The hypervisor host."""

    @property
    def playbooks(self) -> PlaybookRunner:
        """Ansible."""

    @property
    def api(self) -> ClusterApi:
        """The API servers."""

    def cluster(self, name: ClusterName) -> "Ports":
        """Return the ports of one cluster."""

    def clusters_with_files(self) -> Sequence[ClusterName]:
        """List the clusters with a state directory whose machines may be at this site.

        One whose volumes say that its machines are at another libvirt is not listed.
        """

    def close(self) -> None:
        """Give up the connections of these ports, and of those that they returned for clusters."""


class Ports(SitePorts, Protocol):
    """The ports of one cluster."""

    @property
    def trust(self) -> Trust:
        """The cluster's keys and certificates."""

    @property
    def files(self) -> ClusterFiles:
        """The files that the cluster's user gets."""

    @property
    def history(self) -> RunHistory:
        """The runs that are kept."""

    @property
    def kubeconfig(self) -> UserKubeconfig:
        """The user's kubeconfig."""

    @property
    def evidence(self) -> Evidence:
        """Where the evidence of a failure is saved."""

    @property
    def shell(self) -> NodeShell:
        """SSH to the cluster's nodes."""

    def shell_with(self, keys: Mapping[str, str]) -> NodeShell:
        """Return SSH to nodes that still have other keys, as ``Trust.saved`` returned them."""

    def lock(self) -> AbstractContextManager[None]:
        """Hold the cluster's lock, which every command that changes the cluster needs.

        :raises LockedError: on entry, if another run keeps it; the error names that run.
        """
