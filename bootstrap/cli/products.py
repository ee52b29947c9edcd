"""Find a file that `up` made for the user."""

from pathlib import Path

from bootstrap.cli.wiring import Site
from bootstrap.errors import StateError
from bootstrap.model.names import ClusterName


def product(site: Site, cluster: ClusterName, name: str) -> Path:
    """Name a file in the cluster's state directory.

    :raises StateError: if it is not there.
    """
    path = site.directories.cluster_state(cluster) / name
    if not path.is_file():
        raise StateError(
            f"Cluster '{cluster}' has no file '{name}' on this host.",
            details=f"It would be '{path}'.",
            hint=f"bootstrap up {cluster}",
        )
    return path
