"""Check the rules that involve several values of a cluster file."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

from pydantic.alias_generators import to_camel

from bootstrap.config.problems import Path, Problem
from bootstrap.config.schema import ClusterFile
from bootstrap.model.network import (
    POD_PREFIX,
    UPLINK_SUBNET,
    node_address,
    node_number,
    node_pod_subnet,
)
from bootstrap.model.spec import MAX_WORKERS, NodeRole
from bootstrap.model.versions import refusal_of_kubelet

#: kubeadm's own limits for a control plane (K-04).
_MIN_CONTROL_PLANE_CPUS = 2
_MIN_CONTROL_PLANE_MIB = 1700
#: With less, a worker's containerd or kubelet is killed while it joins.
_MIN_WORKER_MIB = 512
_MIN_PREFIX = 8

_Locate = Callable[[ipaddress.IPv4Network, int], object]


def check(file: ClusterFile) -> Iterator[Problem]:
    """Find the rules that a file breaks although each value is valid."""
    yield from _check_counts(file)
    yield from _check_kubelets(file)
    yield from _check_sizes(file)
    yield from _check_overlaps(file)
    yield from _check_room(file)


def _check_counts(file: ClusterFile) -> Iterator[Problem]:
    planes, workers = _groups(file, NodeRole.CONTROL_PLANE), _groups(file, NodeRole.WORKER)
    total = _total(file, NodeRole.CONTROL_PLANE)
    if total != 1:
        path: Path = ("nodes",)
        for index in planes:
            has_count = "count" in file.node_groups[index].model_fields_set
            path = ("nodes", index, "count" if has_count else "role")
        yield Problem(
            path=path,
            message=f"one control plane is supported; this asks for {total}",
            based_on=_counts(file, planes),
        )
    if (total := _total(file, NodeRole.WORKER)) > MAX_WORKERS:
        yield Problem(
            path=("nodes", workers[-1], "count"),
            message=f"up to {MAX_WORKERS} workers are supported; this asks for {total}",
            based_on=_counts(file, workers),
        )


def _check_sizes(file: ClusterFile) -> Iterator[Problem]:
    for index, group in enumerate(file.node_groups):
        path: Path = ("nodes", index)
        based_on: tuple[Path, ...] = ((*path, "role"), (*path, "count"))
        noun, least_cpus, least_mib = "a worker", 1, _MIN_WORKER_MIB
        if group.role is NodeRole.CONTROL_PLANE:
            noun, least_cpus = "a control plane", _MIN_CONTROL_PLANE_CPUS
            least_mib = _MIN_CONTROL_PLANE_MIB
        if group.count and group.cpus < least_cpus:
            message = f"{noun} needs at least {least_cpus}, not {group.cpus}"
            yield Problem(path=(*path, "cpus"), message=message, based_on=based_on)
        if group.count and group.memory_mib < least_mib:
            message = f"{noun} needs at least '{least_mib}MiB', not '{group.memory_mib}MiB'"
            yield Problem(path=(*path, "memory"), message=message, based_on=based_on)


def _check_kubelets(file: ClusterFile) -> Iterator[Problem]:
    for index, group in enumerate(file.node_groups):
        path: Path = ("nodes", index, "kubeletVersion")
        kubelet = group.kubelet_version
        if not kubelet or not group.count:
            continue
        if group.role is NodeRole.CONTROL_PLANE and kubelet != file.kubernetes_version:
            yield Problem(
                path=path,
                message="the kubelet of a control plane has the version of Kubernetes; set it for "
                "workers only",
                based_on=(("nodes", index, "role"), ("kubernetesVersion",)),
            )
        # Without a version, an existing cluster's own counts, which is not known here.
        elif "kubernetes_version" in file.model_fields_set and (
            refusal := refusal_of_kubelet(kubelet, file.kubernetes_version)
        ):
            yield Problem(path=path, message=refusal, based_on=(("kubernetesVersion",),))


def _check_overlaps(file: ClusterFile) -> Iterator[Problem]:
    """Compare all ranges with each other and with QEMU's own (P-08)."""
    networking = file.networking
    ranges = {
        "podSubnet": networking.pod_subnet,
        "serviceSubnet": networking.service_subnet,
        "nodeSubnet": networking.node_subnet,
    }
    chosen = set(map(to_camel, networking.model_fields_set))
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
    workers = _total(file, NodeRole.WORKER)
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
                f"use a /{_prefix_needed(network.prefixlen, locate, last)} or a larger range",
                based_on=_counts(file, range(len(file.node_groups))),
            )


def _prefix_needed(prefix: int, locate: _Locate, number: int) -> int:
    larger = range(prefix - 1, _MIN_PREFIX, -1)
    fitting = (p for p in larger if _has_room(ipaddress.IPv4Network((0, p)), locate, number))
    return next(fitting, _MIN_PREFIX)


def _has_room(network: ipaddress.IPv4Network, locate: _Locate, number: int) -> bool:
    try:
        locate(network, number)
    except ValueError:
        return False
    return True


def _groups(file: ClusterFile, role: NodeRole) -> list[int]:
    return [index for index, group in enumerate(file.node_groups) if group.role is role]


def _total(file: ClusterFile, role: NodeRole) -> int:
    return sum(file.node_groups[index].count for index in _groups(file, role))


def _counts(file: ClusterFile, groups: Iterable[int]) -> tuple[Path, ...]:
    """List the values that the number of nodes in ``groups`` depends on."""
    roles = (("nodes", index, "role") for index in range(len(file.node_groups)))
    return ("nodes",), *roles, *(("nodes", index, "count") for index in groups)
