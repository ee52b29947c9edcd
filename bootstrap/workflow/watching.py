"""What `status --watch` shows: a cluster as it is at this moment, with its load."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bootstrap.errors import BootstrapError
from bootstrap.model.names import ClusterName
from bootstrap.ports import MachineUse, NodeUse, PodState
from bootstrap.waiting import NotYet
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.status import ClusterStatus, NodeStatus, status

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMoment:
    """One node at this moment; None stands for what is unknown."""

    status: NodeStatus
    #: Processors of the host that its machine used since the look before.
    host_cpus: float | None
    #: Memory of the host that its machine takes.
    host_memory_mib: int | None
    #: What its kubelet says.
    use: NodeUse | None
    pods: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One cluster at this moment."""

    status: ClusterStatus
    nodes: Sequence[NodeMoment]
    #: How many pods are in which state.
    pods: Mapping[str, int]
    #: Names of the snapshots, from old to new.
    snapshots: Sequence[str]


class Watch:
    """Looks at a cluster again and again."""

    def __init__(
        self, cluster: ClusterName, ports: Ports, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster, self._ports, self._clock = cluster, ports, clock
        self._before: tuple[float, Mapping[str, MachineUse]] | None = None

    def look(self) -> Moment:
        """Look once; a part of the cluster that does not answer is left out.

        :raises NotFoundError: if the cluster has no domain.
        """
        found = status(self._cluster, self._ports)
        machines, cpus = self._machines()
        pods, uses = self._ask(found.kubeconfig if found.api == "ok" else None, found.nodes)
        on_node = Counter(pod.node for pod in pods)
        nodes = [
            NodeMoment(
                status=node,
                host_cpus=cpus.get(node.domain.domain_name),
                host_memory_mib=_memory(machines.get(node.domain.domain_name)),
                use=uses.get(node.domain.name),
                pods=on_node[node.domain.name],
            )
            for node in found.nodes
        ]
        return Moment(
            status=found,
            nodes=nodes,
            pods=dict(Counter(pod.state for pod in pods).most_common()),
            snapshots=[known.name for known in self._ports.snapshots.names(self._cluster)],
        )

    def _machines(self) -> tuple[Mapping[str, MachineUse], Mapping[str, float]]:
        """Return what the machines use, and how many processors since the look before."""
        now = self._clock()
        uses = _answer(lambda: self._ports.hypervisor.use(self._cluster)) or {}
        then, before = self._before or (now, {})
        self._before = (now, uses)
        cpus = {
            name: (use.cpu_s - before[name].cpu_s) / (now - then)
            for name, use in uses.items()
            # One that was started meanwhile counts from nothing.
            if now > then and name in before and use.cpu_s >= before[name].cpu_s
        }
        return uses, cpus

    def _ask(
        self, kubeconfig: Path | None, nodes: Sequence[NodeStatus]
    ) -> tuple[Sequence[PodState], Mapping[str, NodeUse]]:
        if kubeconfig is None:
            return [], {}
        names = [node.domain.name for node in nodes if node.kubernetes == "Ready"]
        pods = _answer(lambda: self._ports.api.list_pods(kubeconfig)) or []
        uses = _answer(lambda: self._ports.api.use_of_nodes(kubeconfig, names)) or {}
        return pods, uses


def _answer(ask: Callable[[], T]) -> T | None:
    """Ask; None stands for no answer."""
    try:
        return ask()
    except (BootstrapError, NotYet):
        return None


def _memory(use: MachineUse | None) -> int | None:
    return None if use is None else use.memory_mib
