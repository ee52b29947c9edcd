"""A cluster's keys, and the files that its user gets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bootstrap.model.keys import NodeKeys
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ClusterPlan
from bootstrap.ports.nodes import NodeShell, Reachable


class Trust(Protocol):
    """Keys and certificates of one cluster, made on this host and kept.

    What is kept is given again; what is lost is made anew and differs.

    :raises StateError: by every method that reads what is kept, if that is damaged.
    """

    def certificates(self) -> Mapping[str, str]:
        """Give the authorities' files by their path under /etc/kubernetes/pki."""

    def authority_hash(self) -> str:
        """Give kubeadm's hash of the cluster's CA certificate."""

    def encryption_key(self) -> str:
        """Give the key, in base64, that Secrets are encrypted with in etcd."""

    def node_keys(self, node: str) -> NodeKeys:
        """Give the keys that a node's seed carries.

        :raises ValueError: if ``node`` is not a node's name.
        """

    def new_join_token(self) -> str:
        """Make a join token; it is not kept."""


class Products(Protocol):
    """The files that a cluster's user gets, in the cluster's state directory."""

    def ensure(self, plan: ClusterPlan, trust: Trust) -> bool:
        """Write the inventory, the SSH files and each node's archive."""

    def check_kubeconfig(self, cluster: ClusterName) -> None:
        """Look whether the user's kubeconfig will take our entries, before there are any.

        :raises NotOursError: if an entry of the cluster's name is someone else's.
        :raises StateError: if it is not a kubeconfig.
        """

    def ensure_kubeconfig(self, plan: ClusterPlan) -> Path:
        """Write the cluster's own kubeconfig and name it."""

    def merge_kubeconfig(self, own: Path, *, use: bool) -> Path:
        """Merge the cluster's own kubeconfig into the user's, and name that file.

        Its context becomes the current one if ``use`` asks for it or if there was none.

        :raises NotOursError: if an entry of that name is someone else's.
        """

    def remove_kubeconfig_entries(self, cluster: ClusterName) -> Sequence[str]:
        """Remove our entries from the user's kubeconfig; name those the user changed.

        What the user changed stays, and a current context that goes is unset.
        """

    def collect_evidence(
        self, cluster: ClusterName, nodes: Sequence[Reachable], shell: NodeShell
    ) -> Path:
        """Save consoles and journals of all nodes and name the directory; never raises."""

    def clusters(self) -> Sequence[ClusterName]:
        """Name the clusters that have a state directory."""

    def restore_marker(self, cluster: ClusterName) -> bool:
        """Put back a lost marker of the state directory, of which a domain of ours is proof."""

    def remove(self, cluster: ClusterName) -> bool:
        """Remove the cluster's state directory.

        :raises NotOursError: if it does not carry our marker.
        """
