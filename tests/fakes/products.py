"""A cluster's files, in memory but for the kubeconfig."""

from collections.abc import Sequence
from pathlib import Path

from bootstrap.errors import NotOursError
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ClusterPlan
from bootstrap.ports import NodeShell, Reachable, Trust
from tests.fakes.recording import Fake, Journal


class FakeProducts(Fake):
    """Implements ``Products``."""

    port = "products"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self.files: dict[str, object] = {}
        #: Clusters whose state directory exists, with products in it or without.
        self.directories: set[str] = set()
        #: Those of them whose marker was lost.
        self.unmarked: set[str] = set()
        #: Clusters whose entries the user's kubeconfig holds.
        self.merged: set[str] = set()
        #: Clusters whose name somebody else's entries in it have.
        self.foreign: set[str] = set()
        self.current: str | None = None
        #: What the user changed in it by hand, and so keeps.
        self.kept: list[str] = []

    def lose(self) -> None:
        """Lose every state directory, as ``rm -rf`` would."""
        self.files.clear()
        self.directories.clear()

    def ensure(self, plan: ClusterPlan, trust: Trust) -> bool:
        self.called("ensure", plan.name)
        content = (plan, trust.authority_hash())
        if self.files.get(str(plan.name)) == content:
            return False
        self.directories.add(str(plan.name))
        self.files[str(plan.name)] = content
        return self.changed("ensure", plan.name)

    def check_kubeconfig(self, cluster: ClusterName) -> None:
        self.called("check_kubeconfig", cluster)
        self._refuse_foreign(str(cluster))

    def ensure_kubeconfig(self, plan: ClusterPlan) -> Path:
        self.called("ensure_kubeconfig", plan.name)
        self.directories.add(str(plan.name))
        return plan.state_directory / "kubeconfig"

    def merge_kubeconfig(self, own: Path, *, use: bool) -> Path:
        name = own.parent.name
        self.called("merge_kubeconfig", name)
        self._refuse_foreign(name)
        if name not in self.merged:
            self.merged.add(name)
            self.changed("merge_kubeconfig", name)
        if use or self.current is None:
            self.current = name
        return Path("/home/user/.kube/config")

    def remove_kubeconfig_entries(self, cluster: ClusterName) -> Sequence[str]:
        self.called("remove_kubeconfig_entries", cluster)
        if str(cluster) in self.merged:
            self.merged.discard(str(cluster))
            if self.current == str(cluster):
                self.current = None
            self.changed("remove_kubeconfig_entries", cluster)
        return list(self.kept)

    def collect_evidence(
        self, cluster: ClusterName, nodes: Sequence[Reachable], shell: NodeShell
    ) -> Path:
        del shell
        self.called("collect_evidence", ",".join(node.name for node in nodes))
        self.directories.add(str(cluster))
        return Path("/state") / str(cluster) / "logs" / "evidence"

    def clusters(self) -> Sequence[ClusterName]:
        return [ClusterName(name) for name in sorted(self.files)]

    def restore_marker(self, cluster: ClusterName) -> bool:
        self.called("restore_marker", cluster)
        if str(cluster) not in self.unmarked:
            return False
        self.unmarked.discard(str(cluster))
        return self.changed("restore_marker", cluster)

    def remove(self, cluster: ClusterName) -> bool:
        self.called("remove", cluster)
        if str(cluster) in self.unmarked:
            raise NotOursError(f"Directory '{cluster}' does not carry our marker.")
        self.files.pop(str(cluster), None)
        if str(cluster) not in self.directories:
            return False
        self.directories.discard(str(cluster))
        return self.changed("remove", cluster)

    def _refuse_foreign(self, name: str) -> None:
        if name in self.foreign:
            hint = f"kubectl config delete-cluster bootstrap-{name}"
            raise NotOursError(f"The cluster 'bootstrap-{name}' is someone else's.", hint=hint)
