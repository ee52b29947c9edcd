"""Show a plan as plain data, in the field names of the cluster file."""

from collections.abc import Collection
from dataclasses import fields
from enum import StrEnum
from typing import Any

from bootstrap.model.facts import remembered_values
from bootstrap.model.plan import CableEnd, ClusterPlan, NodePlan, SwitchPlan
from bootstrap.model.spec import ClusterSpec, NetworkingSpec, NodeGroupSpec, SecuritySpec


def plan_document(plan: ClusterPlan, *, exists: Collection[str]) -> dict[str, object]:
    """Return every name, UUID, MAC, address, port, volume and version of the plan.

    ``exists`` are the nodes whose domains exist already.
    """
    return {
        "name": str(plan.name),
        "installId": str(plan.install_id),
        "hypervisor": plan.hypervisor_uri,
        "acceleration": plan.acceleration.value,
        **remembered_values(ClusterSpec, plan.spec),
        "endpoint": plan.endpoint,
        "server": plan.server,
        "networking": {
            **_section(plan.spec.networking),
            "apiServerPort": plan.initial_control_plane.api_port,
            "switch": _switch(plan.switch),
        },
        "security": _section(plan.spec.security),
        "pki": {
            "authorities": ["kubernetes", "etcd-ca", "front-proxy-ca"],
            "user": {
                "commonName": f"bootstrap-{plan.name}-user",
                "group": "kubeadm:cluster-admins",
            },
        },
        "stateDirectory": str(plan.state_directory),
        "volumeDirectory": str(plan.volume_directory),
        "nodes": [_node(node, exists=node.name in exists) for node in plan.nodes],
    }


def _section(section: NetworkingSpec | SecuritySpec) -> dict[str, object]:
    return {_key(field.name): _plain(getattr(section, field.name)) for field in fields(section)}


def _key(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _plain(value: Any) -> object:  # noqa: ANN401 - a field of any type
    if isinstance(value, StrEnum):
        return value.value
    return value if isinstance(value, str | int | None) else str(value)


def _node(node: NodePlan, *, exists: bool) -> dict[str, object]:
    return {
        "name": node.name,
        "domain": node.domain_name,
        "exists": exists,
        "role": node.role.value,
        "uuid": str(node.uuid),
        **remembered_values(NodeGroupSpec, node),
        "address": str(node.address),
        "podSubnet": str(node.pod_subnet),
        "uplinkMac": node.uplink_mac,
        "clusterMac": node.cluster_mac,
        "sshPort": node.ssh_port,
        "apiPort": node.api_port,
        "volumes": {
            "root": str(node.root_volume),
            "seed": str(node.seed_volume),
            "console": str(node.console_log),
        },
        "cable": {"node": _end(node.cable.node_end), "switch": _end(node.cable.switch_end)},
    }


def _switch(switch: SwitchPlan) -> dict[str, object]:
    return {
        "domain": switch.domain_name,
        "uuid": str(switch.uuid),
        "directory": str(switch.directory),
    }


def _end(end: CableEnd) -> str | int:
    return end if isinstance(end, int) else str(end)
