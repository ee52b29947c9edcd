"""Show a plan as plain data, in the field names of the cluster file."""

from collections.abc import Collection

from bootstrap.model.identity import Identity
from bootstrap.model.plan import ClusterPlan, LinkPlan, NodePlan


def plan_document(plan: ClusterPlan, *, exists: Collection[str]) -> dict[str, object]:
    """Give every name, UUID, MAC, address, port, volume and version of the plan.

    ``exists`` are the nodes whose domains exist already.
    """
    identity = Identity(plan.install_id, plan.name)
    return {
        "name": str(plan.name),
        "installId": str(plan.install_id),
        "hypervisor": plan.hypervisor_uri,
        "acceleration": plan.acceleration.value,
        "kubernetesVersion": plan.kubernetes_version,
        "endpoint": plan.endpoint,
        "server": plan.server,
        "networking": {
            "mode": plan.mode,
            "cni": plan.cni,
            "nodeSubnet": str(plan.node_subnet),
            "podSubnet": str(plan.pod_subnet),
            "serviceSubnet": str(plan.service_subnet),
            "bridge": {
                "name": "cluster0",
                "mac": identity.mac_of("bridge", plan.initial_control_plane.name),
            },
        },
        "security": {"profile": plan.security_profile.value},
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


def _node(node: NodePlan, *, exists: bool) -> dict[str, object]:
    return {
        "name": node.name,
        "exists": exists,
        "role": node.role.value,
        "uuid": str(node.uuid),
        "cpus": node.cpus,
        "memoryMiB": node.memory_mib,
        "diskGiB": node.disk_gib,
        "labels": dict(node.labels),
        "address": str(node.address),
        "podSubnet": str(node.pod_subnet),
        "uplinkMac": node.uplink_mac,
        "sshPort": node.ssh_port,
        "apiPort": node.api_port,
        "volumes": {
            "root": str(node.root_volume),
            "seed": str(node.seed_volume),
            "console": str(node.console_log),
        },
        "links": [_link(link) for link in node.links],
    }


def _link(link: LinkPlan) -> dict[str, object]:
    return {
        "worker": link.node,
        "controlPlane": {"mac": link.control_plane_mac, "port": link.control_plane_port},
        "node": {"mac": link.node_mac, "port": link.node_port},
    }
