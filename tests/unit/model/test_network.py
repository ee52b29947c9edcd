"""Numbers, addresses and pod ranges of nodes."""

from ipaddress import IPv4Address, IPv4Network

import pytest

from bootstrap.model.network import endpoint_address, node_address, node_number, node_pod_subnet

NODES, PODS = IPv4Network("10.44.0.0/24"), IPv4Network("10.244.0.0/16")


def test_a_workers_number_does_not_depend_on_the_number_of_control_planes() -> None:
    """N-07: growing moves no address."""
    assert node_number(is_control_plane=True, index=0) == 0
    assert node_number(is_control_plane=False, index=0) == 10
    assert node_address(NODES, 0) == IPv4Address("10.44.0.11")
    assert node_address(NODES, 10) == IPv4Address("10.44.0.21")
    assert node_pod_subnet(PODS, 10) == IPv4Network("10.244.10.0/24")


def test_the_endpoint_is_no_nodes_own_address() -> None:
    assert endpoint_address(NODES) == IPv4Address("10.44.0.10")
    assert endpoint_address(NODES) < node_address(NODES, 0)


def test_no_number_has_the_subnets_first_or_last_address() -> None:
    assert node_address(NODES, 243) == IPv4Address("10.44.0.254")
    for number in (244, 245, 10_000):
        with pytest.raises(ValueError, match="no room"):
            node_address(NODES, number)


def test_a_pod_subnet_that_is_full_is_an_error() -> None:
    assert node_pod_subnet(PODS, 255) == IPv4Network("10.244.255.0/24")
    with pytest.raises(ValueError, match="no /24"):
        node_pod_subnet(PODS, 256)
    with pytest.raises(ValueError, match="no /24"):
        node_pod_subnet(IPv4Network("10.244.0.0/25"), 0)
