"""Which node gets which address; the one place that knows the numbering."""

import ipaddress

#: QEMU's user network, the same behind every node; only the uplink NIC sees it.
UPLINK_SUBNET = ipaddress.IPv4Network("10.0.2.0/24")
UPLINK_ADDRESS = ipaddress.IPv4Address("10.0.2.15")
UPLINK_GATEWAY = ipaddress.IPv4Address("10.0.2.2")
UPLINK_RESOLVER = ipaddress.IPv4Address("10.0.2.3")

#: Where API servers listen on their nodes.
API_PORT = 6443
POD_PREFIX = 24
_ENDPOINT_ADDRESS = 10
_FIRST_ADDRESS = 11
#: Room for this many control planes before the first worker's number.
_CONTROL_PLANE_SLOTS = 10


def node_number(*, is_control_plane: bool, index: int) -> int:
    """Give a node's number in its cluster, the same when other nodes come or go."""
    return index if is_control_plane else _CONTROL_PLANE_SLOTS + index


def endpoint_address(subnet: ipaddress.IPv4Network) -> ipaddress.IPv4Address:
    """Return the address at which nodes reach the API server; no node has it as its own."""
    return subnet.network_address + _ENDPOINT_ADDRESS


def node_address(subnet: ipaddress.IPv4Network, number: int) -> ipaddress.IPv4Address:
    """Give the fixed address of a node.

    :raises ValueError: if the subnet has no such address.
    """
    address = subnet.network_address + _FIRST_ADDRESS + number
    if address not in subnet or address == subnet.broadcast_address:
        raise ValueError(f"{subnet} has no room for node number {number + 1}")
    return address


def node_pod_subnet(subnet: ipaddress.IPv4Network, number: int) -> ipaddress.IPv4Network:
    """Give the range that a node's pods get their addresses from.

    :raises ValueError: if the subnet has no such range.
    """
    start = subnet.network_address + number * 2 ** (32 - POD_PREFIX)
    if start not in subnet or subnet.prefixlen > POD_PREFIX:
        raise ValueError(f"{subnet} has no /{POD_PREFIX} for node number {number + 1}")
    return ipaddress.IPv4Network((start, POD_PREFIX))
