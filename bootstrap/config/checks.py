"""What must hold between the values of a cluster file."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

from bootstrap.config.fields import MAX_WORKERS
from bootstrap.config.problems import Path, Problem
from bootstrap.config.schema import ClusterFile, NodeGroup
from bootstrap.model.network import (
    POD_PREFIX,
    UPLINK_SUBNET,
    node_address,
    node_number,
    node_pod_subnet,
)
from bootstrap.model.spec import NodeRole

#: kubeadm's own limits for a control plane (K-04).
_MIN_CONTROL_PLANE_CPUS = 2
_MIN_CONTROL_PLANE_MIB = 1700
#: With less, a worker's containerd or kubelet is killed while it joins.
_MIN_WORKER_MIB = 512
_MIN_PREFIX = 8

_Locate = Callable[[ipaddress.IPv4Network, int], object]


def check(file: ClusterFile) -> Iterator[Problem]:
    """Find what cannot be made although each value is fine in itself."""
    yield from _check_control_planes(file)
    yield from _check_workers(file)
    for index, group in enumerate(file.nodes):
        if group.count:
            yield from _check_size(group, ("nodes", index))
    yield from _check_overlaps(file)
    yield from _check_room(file)


def _check_control_planes(file: ClusterFile) -> Iterator[Problem]:
    groups = _groups(file, NodeRole.CONTROL_PLANE)
    total = sum(file.nodes[index].count for index in groups)
    if total == 1:
        return
    path: Path = ("nodes",)
    for index in groups:
        group: Path = ("nodes", index)
        path = (*group, "count" if "count" in file.nodes[index].model_fields_set else "role")
    yield Problem(
        path=path,
        message=f"one control plane is supported; this asks for {total}",
        based_on=_counts(file, groups),
    )


def _check_workers(file: ClusterFile) -> Iterator[Problem]:
    groups = _groups(file, NodeRole.WORKER)
    total = sum(file.nodes[index].count for index in groups)
    if total > MAX_WORKERS:
        yield Problem(
            path=("nodes", groups[-1], "count"),
            message=f"up to {MAX_WORKERS} workers are supported; this asks for {total}",
            based_on=_counts(file, groups),
        )


def _check_size(group: NodeGroup, path: Path) -> Iterator[Problem]:
    is_control_plane = group.role is NodeRole.CONTROL_PLANE
    noun = "a control plane" if is_control_plane else "a worker"
    min_mib = _MIN_CONTROL_PLANE_MIB if is_control_plane else _MIN_WORKER_MIB
    based_on: tuple[Path, ...] = ((*path, "role"), (*path, "count"))
    if is_control_plane and group.cpus_or_default < _MIN_CONTROL_PLANE_CPUS:
        message = f"{noun} needs at least {_MIN_CONTROL_PLANE_CPUS}, not {group.cpus_or_default}"
        yield Problem(path=(*path, "cpus"), message=message, based_on=based_on)
    if group.memory_mib < min_mib:
        message = f"{noun} needs at least '{min_mib}MiB', not '{group.memory_mib}MiB'"
        yield Problem(path=(*path, "memory"), message=message, based_on=based_on)


def _check_overlaps(file: ClusterFile) -> Iterator[Problem]:
    """Compare all ranges with each other and with QEMU's own (P-08)."""
    networking = file.networking
    ranges = {
        "podSubnet": networking.pod_subnet,
        "serviceSubnet": networking.service_subnet,
        "nodeSubnet": networking.node_subnet,
    }
    chosen = {name for name in ranges if _is_chosen(file, name)}
    for one, other in combinations(ranges, 2):
        if ranges[one].overlaps(ranges[other]):
            # The user's own choice is to be changed, not a default.
            name, against = (one, other) if other not in chosen else (other, one)
            yield Problem(
                path=("networking", name),
                message=f"'{ranges[name]}' overlaps {against} '{ranges[against]}'; "
                "use ranges that do not overlap",
                based_on=(("networking", against),),
            )
    for name, network in ranges.items():
        if network.overlaps(UPLINK_SUBNET):
            yield Problem(
                path=("networking", name),
                message=f"'{network}' overlaps QEMU's user network '{UPLINK_SUBNET}', which "
                "every node has; use another range",
            )


def _check_room(file: ClusterFile) -> Iterator[Problem]:
    workers = sum(file.nodes[index].count for index in _groups(file, NodeRole.WORKER))
    last = node_number(is_control_plane=not workers, index=max(workers - 1, 0))
    wanted: dict[str, tuple[ipaddress.IPv4Network, _Locate, str]] = {
        "podSubnet": (file.networking.pod_subnet, node_pod_subnet, f"a /{POD_PREFIX}"),
        "nodeSubnet": (file.networking.node_subnet, node_address, "an address"),
    }
    for name, (network, locate, noun) in wanted.items():
        if not _has_room(network, locate, last):
            yield Problem(
                path=("networking", name),
                message=f"'{network}' has no room for {noun} for each of {workers + 1} nodes; "
                f"use a /{_widest_needed(network.prefixlen, locate, last)} or a larger range",
                based_on=_counts(file, range(len(file.nodes))),
            )


def _widest_needed(prefix: int, locate: _Locate, number: int) -> int:
    while prefix > _MIN_PREFIX:
        prefix -= 1
        if _has_room(ipaddress.IPv4Network((0, prefix)), locate, number):
            break
    return prefix


def _has_room(network: ipaddress.IPv4Network, locate: _Locate, number: int) -> bool:
    try:
        locate(network, number)
    except ValueError:
        return False
    return True


def _is_chosen(file: ClusterFile, name: str) -> bool:
    chosen = file.networking.model_fields_set
    return name in {type(file.networking).model_fields[field].alias for field in chosen}


def _groups(file: ClusterFile, role: NodeRole) -> list[int]:
    return [index for index, group in enumerate(file.nodes) if group.role is role]


def _counts(file: ClusterFile, groups: Iterable[int]) -> tuple[Path, ...]:
    """Name all that the number of nodes in ``groups`` was concluded from."""
    roles = (("nodes", index, "role") for index in range(len(file.nodes)))
    return ("nodes",), *roles, *(("nodes", index, "count") for index in groups)
