"""Look for what would explain that a cluster's verification failed."""

from collections.abc import Sequence

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.identity import mac_of
from bootstrap.model.names import ClusterName
from bootstrap.ports import NodeShell
from bootstrap.threads import at_once
from bootstrap.waiting import NotYet
from bootstrap.workflow.environment import Ports

#: A line for each NIC: its MAC address, its name, and 1 if it has a carrier. Then the addresses.
QUESTION = (
    "for nic in /sys/class/net/*; do "
    'echo "nic $(cat "$nic/address") ${nic##*/} $(cat "$nic/carrier" 2>/dev/null)"; '
    "done; ip -o -4 addr"
)
_QUESTION_TIMEOUT_S = 20


def likely_culprits(cluster: ClusterName, ports: Ports) -> Sequence[str]:
    """Say what is wrong with the machines and their cluster network, a sentence for each fault.

    Every node that runs is asked once, all at the same time. Never raises for a sick cluster.
    """
    try:
        switches, nodes = ports.hypervisor.switches(cluster), ports.hypervisor.domains(cluster)
    except BootstrapError as error:
        return [error.message]
    faults = [] if switches else ["The switch of the cluster does not exist."]
    faults += [f"The switch of the cluster {_state(one)}." for one in switches if _is_off(one)]
    faults += [f"Node '{node.name}' {_state(node)}." for node in nodes if _is_off(node)]
    running = [node for node in nodes if not _is_off(node)]
    seen = at_once(lambda node: _of_node(node, ports.shell), running)
    return [*faults, *filter(None, seen)]


def _is_off(domain: Domain) -> bool:
    return domain.state is not DomainState.RUNNING


def _state(domain: Domain) -> str:
    return f"does not run: it is {domain.state.value}"


def _of_node(node: Domain, shell: NodeShell) -> str:
    """Say what is wrong with the node's cluster NIC; nothing if it is well."""
    try:
        answer = shell.run(node, QUESTION, timeout_s=_QUESTION_TIMEOUT_S).stdout
    except NotYet as pending:
        return f"Node '{node.name}' does not answer by SSH: {pending}."
    except BootstrapError as error:
        return error.message
    words = [line.split() for line in answer.splitlines()]
    mac, address = mac_of("cluster", node.name), node.mark.facts.get("address", "")
    found = next((line[2:] for line in words if line[:2] == ["nic", mac]), None)
    if found is None:
        return f"Node '{node.name}' has no cluster NIC: none has the MAC address {mac}."
    nic = found[0]
    if found[1:] != ["1"]:
        return f"The cluster NIC '{nic}' of node '{node.name}' has no carrier."
    has = {line[3].partition("/")[0] for line in words if line[1:3] == [nic, "inet"]}
    if address not in has:
        return f"The cluster NIC '{nic}' of node '{node.name}' does not have address {address}."
    return ""
