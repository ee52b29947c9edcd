"""Remove single nodes from a cluster, each with everything that it consists of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.events import Step
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.planning.cluster_files import KUBECONFIG
from bootstrap.planning.inventory import archive_name
from bootstrap.workflow.asking import wait_for_api
from bootstrap.workflow.draining import drain
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.files import find_file
from bootstrap.workflow.nodes import has_running_control_plane
from bootstrap.workflow.shape import known_acceleration

#: How long pods may take to leave, unless the user says how long; times the patience.
DRAIN_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """How nodes are removed."""

    #: Do not drain them.
    force: bool = False
    #: How long the pods may take to leave; None stands for the default.
    timeout_s: float | None = None
    #: What the user typed, which a hint may propose again.
    verb: str = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    cluster: ClusterName
    name: str
    #: None if it is gone already, as after a kill.
    domain: Domain | None

    def can_end_pods(self, joined: Mapping[str, str]) -> bool:
        """Tell whether a kubelet may still end the node's pods."""
        runs = self.domain is not None and self.domain.state is DomainState.RUNNING
        return runs or joined[self.name] == "Ready"


def take_nodes_away(
    cluster: ClusterName, names: Sequence[str], ports: Ports, removal: Removal
) -> Path:
    """Drain the nodes and remove them; return the cluster's kubeconfig.

    The switch and the files about the whole cluster are left to the caller. What is gone
    already is as wanted.

    :raises BootstrapError: if the control plane does not run, as after a power cut.
    :raises TimedOutError: if pods do not leave in time; then every node stays.
    """
    kubeconfig = find_file(cluster, KUBECONFIG, ports)
    domains = {domain.name: domain for domain in ports.hypervisor.domains(cluster)}
    _refuse_without_control_plane(cluster, list(domains.values()))
    nodes = [_Node(cluster=cluster, name=name, domain=domains.get(name)) for name in names]
    acceleration = known_acceleration(list(domains.values())) or Acceleration.KVM
    patience = acceleration.patience
    joined = wait_for_api(
        f"the API server of cluster '{cluster}'",
        lambda: ports.api.joined_nodes(kubeconfig),
        ports,
        patience=patience,
        hint=f"bootstrap up {cluster}",
    )
    if not removal.force:
        _drain(nodes, joined, ports, kubeconfig, removal, patience=patience)
    with ports.events.step(Step.REMOVE, f"Removing {', '.join(names)}"):
        for node in nodes:
            _remove(node, ports, kubeconfig, patience=patience)
    return kubeconfig


def _refuse_without_control_plane(cluster: ClusterName, domains: Sequence[Domain]) -> None:
    if not has_running_control_plane(domains):
        raise BootstrapError(
            f"The control plane of cluster '{cluster}' does not run.",
            details="Without it, no node can be drained and unregistered. Nothing was removed.",
            hint=f"bootstrap start {cluster}",
        )


def _drain(  # noqa: PLR0913 - all that the wait for the pods follows from
    nodes: Sequence[_Node],
    joined: Mapping[str, str],
    ports: Ports,
    kubeconfig: Path,
    removal: Removal,
    *,
    patience: int,
) -> None:
    registered = [node for node in nodes if node.name in joined]
    names = [node.name for node in registered if node.can_end_pods(joined)]
    for node in registered:
        if node.name not in names:
            ports.events.note(f"Node '{node.name}' does not run: its pods cannot be awaited.")
    if names:
        cluster, verb, limit = nodes[0].cluster, removal.verb, removal.timeout_s
        every = " ".join(node.name for node in nodes)
        drain(
            names,
            ports,
            kubeconfig,
            timeout_s=DRAIN_TIMEOUT_S * patience if limit is None else limit,
            hint=f"bootstrap node {verb} {cluster} {every} --force",
        )


def _remove(node: _Node, ports: Ports, kubeconfig: Path, *, patience: int) -> None:
    cluster, name = node.cluster, node.name
    ports.events.node(name, "removing")
    # Without power, no kubelet registers the node again.
    if node.domain:
        ports.hypervisor.power_off_domain(node.domain.domain_name)
    wait_for_api(
        f"node '{name}' to be unregistered",
        partial(ports.api.remove_node, kubeconfig, name),
        ports,
        patience=patience,
        hint=f"bootstrap node remove {cluster} {node.name} --force",
        report=partial(ports.events.waiting, node=name),
    )
    if node.domain:
        ports.hypervisor.remove_domain(node.domain.uuid)
    ports.volumes.remove_node(cluster, name)
    ports.trust.remove_node_keys(name)
    ports.files.remove_file(cluster, archive_name(name))
    ports.events.node(name, "removed", is_done=True)
