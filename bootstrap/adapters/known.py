"""The names that this user's files record; for completion, which asks no server."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from bootstrap.adapters.directories import Directories, read_install_id
from bootstrap.adapters.events.places import RUNS, SUFFIX
from bootstrap.adapters.marker import MARKER, Owner, is_ours
from bootstrap.errors import BootstrapError
from bootstrap.model.names import ClusterName, cluster_names

#: What each node's directory has from its first moment on.
_ROOT_VOLUME = "root.qcow2"


class KnownNames:
    """Lists names; what cannot be read has none. Creates nothing and never raises."""

    def __init__(self, directories: Directories) -> None:
        self._directories = directories

    def clusters(self) -> Sequence[str]:
        """Name the clusters that have local files or disks."""
        roots = (self._directories.state, self._directories.volumes)
        return sorted({name for root in roots for name in self._marked(root)})

    def all_clusters(self) -> Sequence[str]:
        """Name these clusters, and those of which only snapshots are left."""
        return sorted({*self.clusters(), *self._marked(self._directories.snapshots)})

    def nodes(self, cluster: str) -> Sequence[str]:
        """Name the nodes of a cluster that have a disk."""
        return [
            path.name
            for path in self._inside(self._directories.volumes, cluster)
            if (path / _ROOT_VOLUME).is_file()
        ]

    def snapshots(self, cluster: str) -> Sequence[str]:
        """Name the snapshots of a cluster, without the cluster's name."""
        inside = self._inside(self._directories.snapshots, cluster)
        return [path.name for path in inside if path.is_dir() and not path.name.startswith(".")]

    def all_snapshots(self) -> Sequence[str]:
        """Name the snapshots of all clusters, as ``CLUSTER/SNAPSHOT``."""
        saved = sorted(self._marked(self._directories.snapshots))
        return [f"{cluster}/{name}" for cluster in saved for name in self.snapshots(cluster)]

    def images(self, cluster: str) -> Sequence[str]:
        """Name the container images that were loaded into a cluster."""
        lists = self._inside(self._directories.volumes, cluster, "images")
        return sorted({name for path in lists if path.suffix == ".json" for name in _names(path)})

    def runs(self, cluster: str) -> Sequence[str]:
        """Name the runs on a cluster whose logs are kept, the newest first."""
        logs = self._inside(self._directories.state, cluster, RUNS)
        return [path.stem for path in reversed(logs) if path.suffix == SUFFIX]

    def _marked(self, root: Path) -> Iterator[str]:
        owner = self._owner() if root != self._directories.state else Owner()
        for name in cluster_names(path.name for path in _listed(root)):
            # A directory without a marker that is empty is ours, but not yet a cluster's.
            if (root / str(name) / MARKER).is_file() and is_ours(root / str(name), owner):
                yield str(name)

    def _owner(self) -> Owner:
        try:
            return Owner(install_id=read_install_id(self._directories))
        except BootstrapError:
            return Owner()

    def _inside(self, root: Path, cluster: str, *below: str) -> Sequence[Path]:
        try:
            return _listed(root.joinpath(str(ClusterName(cluster)), *below))
        except ValueError:
            return []


def _listed(directory: Path) -> Sequence[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []


def _names(path: Path) -> Sequence[str]:
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        return [str(image["name"]) for image in listed]
    except (OSError, ValueError, TypeError, KeyError):
        return []
