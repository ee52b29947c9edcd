"""A playbook that makes nodes join a fake API server, once."""

from collections.abc import Mapping, Sequence

import yaml

from bootstrap.errors import BootstrapError
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.inventory import archive_name
from bootstrap.ports import PlaybookResult
from bootstrap.waiting import NotYet
from tests.fakes.cluster_api import FakeClusterApi
from tests.fakes.cluster_files import FakeClusterFiles
from tests.fakes.recording import Fake, Journal
from tests.fakes.shell import FakeShell


class FakePlaybookRunner(Fake):
    """Implements ``PlaybookRunner``: node files, then kubeadm, each only if needed."""

    port = "playbooks"

    def __init__(
        self,
        shell: FakeShell,
        api: FakeClusterApi,
        files: FakeClusterFiles,
        journal: Journal | None = None,
    ) -> None:
        super().__init__(journal)
        self._shell, self._api, self._files = shell, api, files

    def run(
        self, plan: ClusterPlan, nodes: Sequence[NodePlan], *, secrets: Mapping[str, object]
    ) -> PlaybookResult:
        self.called("run", ",".join(node.name for node in nodes))
        configs = secrets.get("kubeadm_join_configs", {})
        assert isinstance(configs, Mapping)
        changed: dict[str, int] = {}
        failed: list[str] = []
        for node in sorted(nodes, key=lambda node: node.name):
            try:
                changed[node.name] = self._play(plan, node, configs.get(node.name))
            except NotYet as error:
                failed.append(f"{node.name}: unreachable\n{error}")
        if any(changed.values()):
            self.changed("run", ",".join(node.name for node in nodes))
        if failed:
            raise BootstrapError(
                f"The playbook failed on {len(failed)} of {len(nodes)} nodes.",
                details="\n".join(failed),
                hint=f"bootstrap logs {plan.name}",
            )
        return PlaybookResult(changed=changed, finished=frozenset(changed))

    def _play(self, plan: ClusterPlan, node: NodePlan, join: str | None) -> int:
        self._shell.is_ready(node)
        archive = self._files.files.get(str(plan.name), {}).get(archive_name(node.name), "")
        digest, memory = archive.partition("\n")[0], self._shell.memory(node)
        changed = int(digest not in memory)
        memory |= {digest, "init-cluster.done" if node.is_control_plane else "join.done"}
        if node.is_control_plane:
            changed += self._join(node)
            self._api.is_up = True
        elif join is not None:
            token = yaml.safe_load(join)["discovery"]["bootstrapToken"]["token"]
            assert token in self._api.tokens, "the API server does not know the token"
            changed += self._join(node)
        return changed

    def _join(self, node: NodePlan) -> int:
        if node.name in self._api.nodes:
            return 0
        self._api.nodes[node.name] = "Ready"
        return 1
