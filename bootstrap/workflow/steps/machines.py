"""Make the nodes' volumes and domains exist, and boot them."""

from collections.abc import Iterable, Sequence

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain, Mark, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.node_files import seed_files
from bootstrap.waiting import NotYet, wait_for
from bootstrap.workflow.environment import Ports, Setting
from bootstrap.workflow.shape import domain_facts, trust_facts

_BOOT_TIMEOUT_S = 120
_PANICS = ("Kernel panic - not syncing", "double fault", "int3: 0000")
#: Under emulation a kernel dies once in a while (lab.md); a third time is no accident.
_RESTARTS = 2


def restore_markers(cluster: ClusterName, domains: Sequence[Domain], ports: Ports) -> None:
    """Put back what marks a cluster's directories as ours, if its domains prove that they are."""
    if domains:
        ports.volumes.restore_marker(cluster, [domain.directory for domain in domains])
        ports.products.restore_marker(cluster)


def ensure_volumes(plan: ClusterPlan, ports: Ports, image: NodeImage) -> None:
    """Give every node its root volume and its seed."""
    for node in plan.nodes:
        ports.volumes.ensure_root_volume(node, image=image)
        ports.volumes.ensure_seed_volume(node, seed_files(node, ports.trust.node_keys(node.name)))


def ensure_domains(
    plan: ClusterPlan,
    setting: Setting,
    ports: Ports,
    image: NodeImage,
    *,
    existing: Iterable[Domain],
) -> None:
    """Define every node's domain, and plug the cables of new workers into a running one.

    A domain that gets a new cable is defined anew and stays as old as it is.
    """
    trusted = trust_facts(plan.security_profile, ports.trust)
    known = {domain.name: domain.mark.created for domain in existing}
    for node in plan.nodes:
        mark = Mark(
            install_id=plan.install_id,
            owner_uid=setting.owner_uid,
            cluster=plan.name,
            node=node.name,
            role=node.role,
            ports=_ports(node),
            directory=node.directory,
            facts={
                **domain_facts(plan, node),
                **trusted,
                "keys": ports.trust.node_keys(node.name).fingerprint,
                "image": image.key,
            },
            created=known.get(node.name) or setting.now(),
        )
        ports.hypervisor.ensure_domain(node, mark=mark, image=image, emulated=plan.is_emulated)


def start_nodes(nodes: Iterable[NodePlan], ports: Ports) -> None:
    """Make the nodes' domains run."""
    for node in nodes:
        if ports.hypervisor.start_domain(node.name):
            ports.progress.node(node.name, "booting")


def ensure_links(plan: ClusterPlan, ports: Ports) -> None:
    """Make the running initial control plane have the cable to every worker."""
    for worker in plan.workers:
        ports.hypervisor.ensure_link(plan.initial_control_plane, worker.name)


def wait_until_booted(plan: ClusterPlan, nodes: Iterable[NodePlan], ports: Ports) -> None:
    """Wait for the end of each node's first boot, then empty its seed.

    :raises TimedOutError: with the last thing seen.
    """
    for node in nodes:
        restarts = 0

        def check(node: NodePlan = node) -> None:
            nonlocal restarts
            panic = _panic(node, ports, restarts)
            if panic is not None:
                restarts += 1
                _restart(node, ports)
                raise NotYet(f"restarted after '{panic}'")
            ports.shell.is_ready(node)

        wait_for(
            f"SSH on node '{node.name}'",
            check,
            timeout_s=_BOOT_TIMEOUT_S * plan.patience,
            hint=f"bootstrap logs {plan.name} {node.name} --console",
        )
        ports.volumes.remove_seed_volume(node)
        ports.progress.node(node.name, "booted")


def _panic(node: NodePlan, ports: Ports, restarts: int) -> str | None:
    console = ports.volumes.console(node)
    panic = next((word for word in _PANICS if word in console), None)
    if panic is not None and restarts >= _RESTARTS:
        raise BootstrapError(
            f"The kernel of node '{node.name}' died {restarts + 1} times.",
            details="\n".join(console.splitlines()[-20:]),
            hint=f"bootstrap logs {node.directory.parent.name} {node.name} --console",
        )
    return panic


def _restart(node: NodePlan, ports: Ports) -> None:
    ports.progress.note(f"The kernel of node '{node.name}' died; starting it again.")
    ports.hypervisor.power_off_domain(node.name)
    ports.hypervisor.start_domain(node.name)


def _ports(node: NodePlan) -> dict[str, int]:
    ports = {"ssh": node.ssh_port}
    if node.api_port is not None:
        ports["api"] = node.api_port
    else:
        link = node.links[0]
        ports |= {"link": link.node_port, "control-plane-link": link.control_plane_port}
    return ports
