"""Find the files that `up` made for the user."""

from pathlib import Path

from bootstrap.errors import BootstrapError, StateError
from bootstrap.model.names import ClusterName
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.membership import existing_nodes


def find_file(cluster: ClusterName, name: str, ports: Ports) -> Path:
    """Return the path of a file in the cluster's state directory.

    :raises StateError: if it is not there.
    :raises LayoutError: if another version of the tool made the cluster in another way.
    """
    existing_nodes(cluster, ports.hypervisor)
    path = ports.files.find(cluster, name)
    if path is None:
        raise StateError(
            f"Cluster '{cluster}' has no file '{name}' on this host.",
            details=f"It would be '{ports.site.state_directory(cluster) / name}'.",
            hint=f"bootstrap up {cluster}",
        )
    return path


def read_file(cluster: ClusterName, name: str, ports: Ports) -> str:
    """Return the text of a file in the cluster's state directory.

    :raises StateError: if it is not there or cannot be read.
    """
    find_file(cluster, name, ports)
    return ports.files.read(cluster, name)


def merge_kubeconfig(cluster: ClusterName, ports: Ports, *, use: bool) -> Path:
    """Merge the cluster's kubeconfig into the user's, and return the path of that file.

    :raises StateError: if the cluster has no kubeconfig on this host.
    """
    return ports.kubeconfig.ensure_entries(find_file(cluster, "kubeconfig", ports), use=use)


def merge_verified(cluster: ClusterName, own: Path, ports: Ports, *, use: bool) -> Path:
    """Merge the kubeconfig of a verified cluster, which stays whatever becomes of this.

    :raises BootstrapError: with the path of the cluster's own kubeconfig.
    """
    try:
        return ports.kubeconfig.ensure_entries(own, use=use)
    except BootstrapError as error:
        raise error.with_details(
            f"Cluster '{cluster}' is verified and stays. "
            "Only the entries in your kubeconfig are missing.",
            f"Its own kubeconfig is '{own}'.",
            hint=f"bootstrap kubeconfig {cluster} --merge",
        ) from error
