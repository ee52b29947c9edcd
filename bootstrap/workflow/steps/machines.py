"""Make the nodes' volumes and domains exist, and boot them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain, Mark, NodeImages
from bootstrap.model.events import Step
from bootstrap.model.names import SWITCH
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.node_files import seed_files
from bootstrap.threads import at_once
from bootstrap.waiting import NotYet, wait_for
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.membership import NODES
from bootstrap.workflow.shape import domain_facts, trust_facts

_BOOT_TIMEOUT_S = 120
_PANICS = ("Kernel panic - not syncing", "double fault", "int3: 0000")
#: Under emulation one boot in six was seen to panic; three panics in a row have another cause.
_RESTARTS = 2


def ensure_volumes(plan: ClusterPlan, ports: Ports, images: NodeImages) -> None:
    """Give every node its root volume and its seed."""
    for node in plan.nodes:
        is_new = ports.volumes.ensure_root_volume(node, image=images[node.kubelet_version])
        ports.volumes.ensure_seed_volume(node, seed_files(node, ports.trust.node_keys(node.name)))
        if is_new:
            ports.events.node(node.name, "created", is_done=True)


def ensure_domains(
    plan: ClusterPlan,
    ports: Ports,
    images: NodeImages,
    *,
    existing: Iterable[Domain],
) -> None:
    """Define every node's domain; one that is defined anew stays as old as it is."""
    trusted = trust_facts(plan.spec.security.profile, ports.trust)
    known = {domain.name: domain.mark.created for domain in existing}
    for node in plan.nodes:
        image = images[node.kubelet_version]
        mark = Mark(
            install_id=plan.install_id,
            owner_uid=ports.site.owner_uid,
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
            created=known.get(node.name) or ports.now(),
        )
        if node.name not in known:
            ports.events.node(node.name, "creating")
        ports.hypervisor.ensure_domain(node, mark=mark, image=image, emulated=plan.is_emulated)


def ensure_switch(plan: ClusterPlan, ports: Ports) -> None:
    """Define the switch with a port for each node; one that runs gets the ports of new nodes."""
    known = [domain.mark.created for domain in ports.hypervisor.switches(plan.name)]
    ports.volumes.ensure_switch_directory(plan.switch)
    mark = Mark(
        install_id=plan.install_id,
        owner_uid=ports.site.owner_uid,
        cluster=plan.name,
        node=SWITCH,
        role=None,
        ports={},
        directory=plan.switch.directory,
        facts={NODES: ",".join(node.name for node in plan.nodes)},
        created=known[0] if known else ports.now(),
    )
    ports.hypervisor.ensure_switch(plan.switch, mark=mark)


def start_nodes(nodes: Iterable[NodePlan], ports: Ports) -> None:
    """Make the nodes' domains run."""
    for node in nodes:
        if ports.hypervisor.start_domain(node.domain_name):
            ports.events.node(node.name, "booting", phase=Step.BOOT)


def wait_until_booted(plan: ClusterPlan, nodes: Iterable[NodePlan], ports: Ports) -> None:
    """Wait for the end of each node's first boot, then empty its seed.

    The nodes that boot are asked at the same time; each one that has booted gives the others
    their whole time anew.

    :raises TimedOutError: with the last thing seen.
    """
    pending = list(nodes)
    restarts: Counter[str] = Counter()
    seen: dict[str, str] = {}
    while pending:
        node, names = pending[0], ", ".join(f"'{node.name}'" for node in pending)
        booted = wait_for(
            f"SSH on node {names}",
            partial(_booted, pending, restarts, seen, ports),
            timeout_s=_BOOT_TIMEOUT_S * plan.patience,
            hint=f"bootstrap logs {plan.name} {node.name} --console",
            report=lambda _text: _report_missing(seen, ports),
        )
        for one in booted:
            ports.volumes.remove_seed_volume(one)
            ports.events.node(one.name, "booted", phase=Step.BOOT, is_done=True)
        pending = [node for node in pending if node not in booted]


def _report_missing(seen: Mapping[str, str], ports: Ports) -> None:
    for name, line in seen.items():
        ports.events.waiting(f"waiting for SSH; last seen: {line}", node=name)


def _booted(
    nodes: Sequence[NodePlan], restarts: Counter[str], seen: dict[str, str], ports: Ports
) -> Sequence[NodePlan]:
    """List the nodes that are ready, of which there is one at least.

    ``seen`` gets what is missing on each of the others.

    :raises NotYet: if none is.
    """
    answers = at_once(lambda node: _what_is_missing(node, ports), nodes)
    missing = [(node, what) for node, what in zip(nodes, answers, strict=True) if what]
    lines = {node.name: _restarted(node, restarts, ports) or what for node, what in missing}
    seen.clear()
    seen.update(lines)
    if len(missing) == len(nodes):
        raise NotYet("; ".join(_labelled(lines)))
    return [node for node, what in zip(nodes, answers, strict=True) if not what]


def _labelled(lines: Mapping[str, str]) -> list[str]:
    """Put each node's name before its line, unless there is only one."""
    return list(lines.values()) if len(lines) == 1 else [f"{n}: {w}" for n, w in lines.items()]


def _what_is_missing(node: NodePlan, ports: Ports) -> str:
    try:
        ports.shell.is_ready(node)
    except NotYet as pending:
        return str(pending) or "no answer"
    return ""


def _restarted(node: NodePlan, restarts: Counter[str], ports: Ports) -> str:
    """Start a node again whose kernel died, and say so.

    Only of a node that does not answer: the text may be of a panic that the node has survived by
    its own reboot.
    """
    panic = _panic(node, ports, restarts[node.name])
    if panic is None:
        return ""
    restarts[node.name] += 1
    _restart(node, ports)
    return f"restarted after '{panic}'"


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
    ports.events.note(f"The kernel of node '{node.name}' died; starting it again.")
    ports.hypervisor.power_off_domain(node.domain_name)
    ports.hypervisor.start_domain(node.domain_name)


def _ports(node: NodePlan) -> dict[str, int]:
    ports = {"ssh": node.ssh_port}
    if node.api_port is not None:
        ports["api"] = node.api_port
    ends = {"cable": node.cable.node_end, "switch": node.cable.switch_end}
    return ports | {use: end for use, end in ends.items() if isinstance(end, int)}
