"""A cluster's files, in memory but for the kubeconfig."""

from collections.abc import Sequence
from pathlib import Path

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
        #: Clusters whose entries the user's kubeconfig holds.
        self.merged: set[str] = set()
        self.current: str | None = None
        #: What the user changed in it by hand, and so keeps.
        self.kept: list[str] = []

    def ensure(self, plan: ClusterPlan, trust: Trust) -> bool:
        self.called("ensure", plan.name)
        content = (plan, trust.authority_hash())
        if self.files.get(str(plan.name)) == content:
            return False
        self.files[str(plan.name)] = content
        return self.changed("ensure", plan.name)

    def ensure_kubeconfig(self, plan: ClusterPlan) -> Path:
        self.called("ensure_kubeconfig", plan.name)
        return plan.state_directory / "kubeconfig"

    def merge_kubeconfig(self, own: Path, *, use: bool) -> Path:
        name = own.parent.name
        self.called("merge_kubeconfig", name)
        if name not in self.merged:
            self.merged.add(name)
            self.changed("merge_kubeconfig", name)
        if use:
            self.current = name
        return Path("/home/user/.kube/config")

    def remove_kubeconfig_entries(self, cluster: ClusterName) -> Sequence[str]:
        self.called("remove_kubeconfig_entries", cluster)
        if str(cluster) in self.merged:
            self.merged.discard(str(cluster))
            self.changed("remove_kubeconfig_entries", cluster)
        return list(self.kept)

    def collect_evidence(
        self, cluster: ClusterName, nodes: Sequence[Reachable], shell: NodeShell
    ) -> Path:
        del shell
        self.called("collect_evidence", ",".join(node.name for node in nodes))
        return Path("/state") / str(cluster) / "logs" / "evidence"

    def clusters(self) -> Sequence[ClusterName]:
        return [ClusterName(name) for name in sorted(self.files)]

    def remove(self, cluster: ClusterName) -> bool:
        self.called("remove", cluster)
        if self.files.pop(str(cluster), None) is None:
            return False
        return self.changed("remove", cluster)
