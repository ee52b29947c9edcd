"""A cluster's products: what its user gets, in the cluster's state directory."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import yaml

from bootstrap.adapters.ansible.archive import node_archive
from bootstrap.adapters.ansible.inventory import (
    archive_path,
    inventory,
    ssh_config,
    ssh_directory,
)
from bootstrap.adapters.claims import claim, is_claimed, remove_claimed, restore_claim
from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory, sweep, write_atomically
from bootstrap.adapters.kubeconfig.own import write_own
from bootstrap.adapters.kubeconfig.reading import read_document, read_text
from bootstrap.adapters.kubeconfig.user import check_user, merge_into_user, remove_from_user
from bootstrap.adapters.products.evidence import collect
from bootstrap.adapters.trust.ssh_keys import known_hosts
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.errors import BootstrapError
from bootstrap.model.kubeconfig import Document, build_kubeconfig
from bootstrap.model.names import ClusterName, cluster_names
from bootstrap.model.plan import ClusterPlan
from bootstrap.planning.node_files import node_files
from bootstrap.ports import NodeShell, Reachable, Trust


class StateProducts:
    """Implements :class:`bootstrap.ports.Products`; see there for the promises."""

    def __init__(self, root: Path, trust: TrustStore, install_id: UUID) -> None:
        self._root = root
        self._trust = trust
        self._install_id = install_id

    @explained("write the files of the cluster")
    def ensure(self, plan: ClusterPlan, trust: Trust) -> bool:
        """See the port."""
        state = plan.state_directory
        changed = claim(state)
        sweep(state)
        certificates = trust.certificates()
        changed |= write_atomically(state / "ca.crt", certificates["ca.crt"])
        changed |= self._ensure_ssh(plan)
        private_directory(state / "nodes")
        key = trust.encryption_key() if plan.is_strict else None
        for node in plan.nodes:
            packed = node_archive(node_files(plan, node, certificates, encryption_key=key))
            changed |= write_atomically(archive_path(plan, node), packed)
        text = yaml.safe_dump(inventory(plan), sort_keys=False)
        return write_atomically(state / "inventory.yml", text) or changed

    @explained("read the user's kubeconfig")
    def check_kubeconfig(self, cluster: ClusterName) -> None:
        """See the port."""
        check_user(cluster, self._install_id, os.environ)

    @explained("write the kubeconfig of the cluster")
    def ensure_kubeconfig(self, plan: ClusterPlan) -> Path:
        """See the port."""
        path = plan.state_directory / "kubeconfig"
        write_own(path, self._document(plan))
        return path

    @explained("merge the kubeconfig")
    def merge_kubeconfig(self, own: Path, *, use: bool) -> Path:
        """See the port."""
        document = read_document(own, read_text(own))
        return merge_into_user(document, use=use, install_id=self._install_id, environ=os.environ)

    @explained("clean the kubeconfig")
    def remove_kubeconfig_entries(self, cluster: ClusterName) -> Sequence[str]:
        """See the port."""
        return remove_from_user(cluster, self._install_id, os.environ)

    def collect_evidence(
        self, cluster: ClusterName, nodes: Sequence[Reachable], shell: NodeShell
    ) -> Path:
        """See the port."""
        logs = self._root / str(cluster) / "logs"
        place = logs / time.strftime("evidence-%Y%m%dT%H%M%S")
        try:
            claim(logs.parent)
            private_directory(logs)
            return collect(place, nodes, shell)
        except (OSError, BootstrapError) as error:
            return Path(f"{place} (incomplete: {error})")

    @explained("list the local files")
    def clusters(self) -> Sequence[ClusterName]:
        """See the port."""
        return cluster_names(path.name for path in sorted(self._root.glob("*")) if is_claimed(path))

    @explained("mark the local files")
    def restore_marker(self, cluster: ClusterName) -> bool:
        """See the port."""
        return restore_claim(self._root / str(cluster))

    @explained("remove the local files")
    def remove(self, cluster: ClusterName) -> bool:
        """See the port."""
        return remove_claimed(self._root / str(cluster))

    def _ensure_ssh(self, plan: ClusterPlan) -> bool:
        self._trust.ensure_client_key()
        directory = private_directory(ssh_directory(plan))
        keys = {node.name: self._trust.ensure_host_key(node.name) for node in plan.nodes}
        changed = write_atomically(directory / "known_hosts", known_hosts(keys))
        config = ssh_config(plan, client_key=self._trust.client_key_file)
        return write_atomically(directory / "config", config) or changed

    def _document(self, plan: ClusterPlan) -> Document:
        authority = self._trust.ensure_authorities().cluster.certificate_pem
        user = self._trust.ensure_user_certificate(plan.name)
        return build_kubeconfig(
            plan.name, plan.server, authority, user.certificate_pem, user.key_pem
        )
