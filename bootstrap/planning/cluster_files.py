"""Render the files that a cluster's user gets, by their paths in its state directory. Pure."""

import yaml

from bootstrap.model.keys import ClusterKeys
from bootstrap.model.kubeconfig import build_kubeconfig
from bootstrap.model.plan import ClusterPlan
from bootstrap.planning.archive import node_archive
from bootstrap.planning.inventory import archive_name, inventory, known_hosts, ssh_config
from bootstrap.planning.node_files import node_files

KUBECONFIG = "kubeconfig"


def cluster_files(plan: ClusterPlan, keys: ClusterKeys) -> dict[str, str]:
    """Render the inventory, the SSH files and each node's archive.

    :raises ValueError: if the plan's profile needs an encryption key and ``keys`` has none.
    """
    certificates, secret = keys.certificates, keys.encryption_key
    archives = {
        archive_name(node.name): node_archive(
            node_files(plan, node, certificates, encryption_key=secret)
        )
        for node in plan.nodes
    }
    return {
        "ca.crt": certificates["ca.crt"],
        "ssh/known_hosts": known_hosts(keys.host_keys),
        "ssh/config": ssh_config(plan, client_key=keys.client_key_file),
        **archives,
        "inventory.yml": yaml.safe_dump(inventory(plan), sort_keys=False),
    }


def kubeconfig_file(plan: ClusterPlan, keys: ClusterKeys) -> dict[str, str]:
    """Render the cluster's own kubeconfig."""
    document = build_kubeconfig(
        plan.name,
        plan.server,
        keys.certificates["ca.crt"],
        keys.user.certificate_pem,
        keys.user.key_pem,
    )
    return {KUBECONFIG: yaml.safe_dump(document, sort_keys=False)}
