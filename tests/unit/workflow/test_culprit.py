"""What explains a failed verification: the machines, the switch, the cluster NICs."""

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import DomainState
from bootstrap.model.names import SWITCH
from bootstrap.model.plan import NodePlan
from bootstrap.ports import ShellResult
from bootstrap.workflow.culprit import QUESTION, likely_culprits
from bootstrap.workflow.up import up
from tests.builders import FakeWorld, a_cluster_spec, options


def answer(node: NodePlan, *, carrier: str = "1", addresses: str = "") -> str:
    addresses = addresses or f"{node.address}/24"
    return f"""nic 00:00:00:00:00:00 lo 1
nic {node.uplink_mac} ens2 1
nic {node.cluster_mac} ens3 {carrier}
1: lo    inet 127.0.0.1/8 scope host lo
2: ens2    inet 10.0.2.15/24 brd 10.0.2.255 scope global ens2
3: ens3    inet {addresses} brd 10.10.0.255 scope global ens3
"""


@pytest.fixture
def nodes(world: FakeWorld) -> tuple[NodePlan, ...]:
    """Make a cluster of two nodes that are well."""
    made = up(a_cluster_spec(), world.ports, options()).plan.nodes
    for node in made:
        says(world, node, answer(node))
    return made


def says(world: FakeWorld, node: NodePlan, text: str) -> None:
    said = ShellResult(exit_status=0, stdout=text, stderr="")
    world.shell.answers_of[node.name, QUESTION] = said


def culprits(world: FakeWorld, nodes: tuple[NodePlan, ...]) -> list[str]:
    return list(likely_culprits(a_cluster_spec().name, world.ports)) if nodes else []


def turn_off(world: FakeWorld, name: str) -> None:
    for domain in world.hypervisor.domains_by_uuid.values():
        if domain.mark and domain.mark.node == name:
            domain.state = DomainState.SHUT_OFF


def test_a_cluster_that_is_well_has_none(world: FakeWorld, nodes: tuple[NodePlan, ...]) -> None:
    """V-08."""
    assert culprits(world, nodes) == []


def test_a_switch_that_does_not_run_is_one(world: FakeWorld, nodes: tuple[NodePlan, ...]) -> None:
    """V-08."""
    turn_off(world, SWITCH)
    assert culprits(world, nodes) == [
        "The switch of the cluster does not run: it is shut off.",
    ]


def test_a_switch_that_is_gone_is_one(world: FakeWorld, nodes: tuple[NodePlan, ...]) -> None:
    domains = world.hypervisor.domains_by_uuid
    (gone,) = (key for key, one in domains.items() if one.mark and one.mark.node == SWITCH)
    del domains[gone]
    assert culprits(world, nodes) == ["The switch of the cluster does not exist."]


def test_a_node_that_is_off_is_one_and_not_asked(
    world: FakeWorld, nodes: tuple[NodePlan, ...]
) -> None:
    turn_off(world, "worker")
    world.journal.clear()
    assert culprits(world, nodes) == ["Node 'worker' does not run: it is shut off."]
    assert "shell.run worker" not in world.journal.calls


def test_a_nic_without_carrier_is_one(world: FakeWorld, nodes: tuple[NodePlan, ...]) -> None:
    """V-08: the kernel refuses to tell the carrier of a NIC that is down."""
    says(world, nodes[0], answer(nodes[0], carrier="0"))
    says(world, nodes[1], answer(nodes[1], carrier=""))
    assert culprits(world, nodes) == [
        "The cluster NIC 'ens3' of node 'control-plane' has no carrier.",
        "The cluster NIC 'ens3' of node 'worker' has no carrier.",
    ]


def test_a_nic_without_its_address_is_one(world: FakeWorld, nodes: tuple[NodePlan, ...]) -> None:
    """V-08."""
    says(world, nodes[1], answer(nodes[1], addresses="169.254.1.1/16"))
    address = nodes[1].address
    assert culprits(world, nodes) == [
        f"The cluster NIC 'ens3' of node 'worker' does not have address {address}."
    ]


@pytest.mark.parametrize("text", ["", "nic\n\nnic x\n1: lo", "3: ens3 inet"])
def test_a_node_without_the_nic_is_one(
    text: str, world: FakeWorld, nodes: tuple[NodePlan, ...]
) -> None:
    says(world, nodes[1], text)
    (found,) = culprits(world, nodes)
    assert found.startswith("Node 'worker' has no cluster NIC")
    assert nodes[1].cluster_mac in found


def test_a_node_that_does_not_answer_is_one(world: FakeWorld, nodes: tuple[NodePlan, ...]) -> None:
    world.journal.failures["shell.run worker"] = BootstrapError("Timed out: node 'worker'.")
    assert culprits(world, nodes) == ["Timed out: node 'worker'."]


def test_a_libvirt_that_does_not_answer_is_one(
    world: FakeWorld, nodes: tuple[NodePlan, ...]
) -> None:
    world.journal.failures["hypervisor.switches"] = BootstrapError("libvirt is away.")
    assert culprits(world, nodes) == ["libvirt is away."]
