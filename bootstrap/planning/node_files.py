"""Render every file that a node gets after its first boot. Pure: plan in, text out."""

from collections.abc import Iterator, Mapping

from bootstrap.model.files import NodeFile
from bootstrap.model.keys import NodeKeys
from bootstrap.model.network import UPLINK_ADDRESS, UPLINK_GATEWAY, UPLINK_RESOLVER, UPLINK_SUBNET
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.security import AUDIT_DIRECTORY, SECURITY_DIRECTORY, security_files
from bootstrap.rendering import render

#: The user that the tool logs in as; it has no password.
NODE_USER = "node"
INIT_CONFIG = "/etc/kubernetes/bootstrap/init.yaml"
_PATCHES = "/etc/kubernetes/bootstrap/patches"
_STATIC_PODS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_UNITS = "/etc/systemd/network"

#: kubeadm's own defaults are enough with KVM; these were needed under emulation.
_TIMEOUTS = {"kubernetesAPICall": "1m0s"}
_EMULATED_TIMEOUTS = {
    "controlPlaneComponentHealthCheck": "15m0s",
    "kubeletHealthCheck": "10m0s",
    "kubernetesAPICall": "5m0s",
    "discovery": "10m0s",
    "tlsBootstrap": "10m0s",
}


def seed_files(node: NodePlan, keys: NodeKeys) -> dict[str, str]:
    """Render the cloud-init data of a node, by file name."""
    uplink = {
        "uplink_mac": node.uplink_mac,
        "uplink_address": f"{UPLINK_ADDRESS}/{UPLINK_SUBNET.prefixlen}",
        "uplink_gateway": str(UPLINK_GATEWAY),
        "uplink_resolver": str(UPLINK_RESOLVER),
    }
    user_data = {
        "hostname": node.name,
        "user": NODE_USER,
        "authorized_keys": [keys.authorized_key],
        "host_private_key": keys.host_private_key,
        "host_public_key": keys.host_public_key,
        "files": [
            {
                "path": f"{_UNITS}/05-uplink.network",
                "content": render("network/uplink.network.j2", uplink),
                "permissions": "0644",
            }
        ],
    }
    meta_data = {"instance_id": str(node.uuid), "hostname": node.name}
    return {
        "user-data": render("seed/user-data.yaml.j2", user_data),
        "meta-data": render("seed/meta-data.yaml.j2", meta_data),
        "network-config": render("seed/network-config.yaml.j2", uplink),
    }


def node_files(
    plan: ClusterPlan,
    node: NodePlan,
    certificates: Mapping[str, str],
    *,
    encryption_key: str | None = None,
) -> list[NodeFile]:
    """List a node's files; ``certificates`` are those under /etc/kubernetes/pki by name.

    :raises ValueError: if the plan's profile needs ``encryption_key`` and there is none.
    """
    files = [
        # The seed is read once; without this mark a reboot would look for it again.
        NodeFile(path="/etc/cloud/cloud-init.disabled", text=""),
        *_network_files(plan, node),
        NodeFile(
            path="/etc/cni/net.d/10-bridge.conflist",
            text=render("cni/bridge.conflist.j2", {"node": node}),
            mode=0o600,
        ),
        NodeFile(path="/etc/hosts", text=_hosts(node)),
        *security_files(plan, node, encryption_key),
    ]
    if node.is_control_plane:
        files += _control_plane_files(plan, node)
        files += [
            NodeFile(path=f"/etc/kubernetes/pki/{name}", text=text, mode=0o600)
            for name, text in sorted(certificates.items())
        ]
    return files


def join_config(plan: ClusterPlan, node: NodePlan, *, token: str, ca_hash: str) -> str:
    """Render what ``kubeadm join`` reads on a worker. It holds the token."""
    values = {
        "plan": plan,
        "node": node,
        "token": token,
        "ca_hash": ca_hash,
        "kubelet_arguments": _kubelet_arguments(plan, node),
        "timeouts": _timeouts(plan),
    }
    return render("kubeadm/join.yaml.j2", values)


def certificate_names(plan: ClusterPlan, node: NodePlan) -> list[str]:
    """List the names under which clients reach the API server of a control plane."""
    return ["127.0.0.1", "localhost", str(plan.endpoint_address), str(node.address)]


def _control_plane_files(plan: ClusterPlan, node: NodePlan) -> Iterator[NodeFile]:
    values = {
        "plan": plan,
        "node": node,
        "emulated": plan.is_emulated,
        "security_directory": SECURITY_DIRECTORY,
        "audit_directory": AUDIT_DIRECTORY,
        "certificate_names": certificate_names(plan, node),
        "kubelet_arguments": _kubelet_arguments(plan, node),
        "timeouts": _timeouts(plan),
    }
    yield NodeFile(path=INIT_CONFIG, text=render("kubeadm/init.yaml.j2", values), mode=0o600)
    for component in _STATIC_PODS if plan.is_emulated else ():
        yield NodeFile(
            path=f"{_PATCHES}/{component}+strategic.yaml",
            text=render("kubeadm/patch.yaml.j2", {"component": component}),
            mode=0o600,
        )


def _network_files(plan: ClusterPlan, node: NodePlan) -> Iterator[NodeFile]:
    values = {
        "plan": plan,
        "node": node,
        "has_endpoint": node.is_control_plane,
    }
    yield NodeFile(
        path=f"{_UNITS}/40-cluster.network", text=render("network/cluster.network.j2", values)
    )
    uplink = {"uplink_subnet": UPLINK_SUBNET, "uplink_resolver": UPLINK_RESOLVER}
    yield NodeFile(
        path="/etc/nftables.conf",
        text=render("network/nftables.conf.j2", values | uplink),
        mode=0o755,
    )


def _hosts(node: NodePlan) -> str:
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    lines.append(f"{node.address} {node.name}")
    return "\n".join(lines) + "\n"


def _kubelet_arguments(plan: ClusterPlan, node: NodePlan) -> list[dict[str, str]]:
    arguments = [{"name": "node-ip", "value": str(node.address)}]
    if node.labels:
        labels = ",".join(f"{key}={value}" for key, value in sorted(node.labels.items()))
        arguments.append({"name": "node-labels", "value": labels})
    if plan.is_emulated:
        arguments.append({"name": "housekeeping-interval", "value": "60s"})
    return arguments


def _timeouts(plan: ClusterPlan) -> Mapping[str, str]:
    return _EMULATED_TIMEOUTS if plan.is_emulated else _TIMEOUTS
