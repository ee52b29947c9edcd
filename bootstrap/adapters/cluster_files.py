"""A cluster's files, in the cluster's state directory."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory, sweep, write_atomically
from bootstrap.adapters.marker import claim, is_ours, remove, remove_part, restore
from bootstrap.errors import StateError
from bootstrap.model.names import ClusterName, cluster_names


class StateFiles:
    """Implements :class:`bootstrap.ports.ClusterFiles` under the user's state directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @explained("write the files of the cluster")
    def ensure_files(self, cluster: ClusterName, files: Mapping[str, str]) -> bool:
        """See the port."""
        directory = self._root / str(cluster)
        changed = claim(directory)
        for place in {directory, *((directory / name).parent for name in files)}:
            sweep(private_directory(place))
        for name, text in files.items():
            changed |= write_atomically(directory / name, text)
        return changed

    @explained("list the local files")
    def clusters(self) -> Sequence[ClusterName]:
        """See the port."""
        return cluster_names(path.name for path in sorted(self._root.glob("*")) if is_ours(path))

    def find(self, cluster: ClusterName, name: str) -> Path | None:
        """See the port."""
        path = self._root / str(cluster) / name
        return path if path.is_file() else None

    @explained("list the local files")
    def names(self, cluster: ClusterName, directory: str) -> Sequence[str]:
        """See the port."""
        place = self._root / str(cluster) / directory
        return [f"{directory}/{path.name}" for path in sorted(place.glob("*")) if path.is_file()]

    def read(self, cluster: ClusterName, name: str) -> str:
        """See the port."""
        path = self._root / str(cluster) / name
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(
                f"Could not read file '{path}'.",
                details=f"{error}\nIt was kept.",
                hint=f"bootstrap up {cluster}",
            ) from error

    @explained("mark the local files")
    def restore_marker(self, cluster: ClusterName) -> bool:
        """See the port."""
        return restore(self._root / str(cluster))

    @explained("remove a local file")
    def remove_file(self, cluster: ClusterName, name: str) -> bool:
        """See the port."""
        return remove_part(self._root / str(cluster), name)

    @explained("remove the local files")
    def remove_files(self, cluster: ClusterName) -> bool:
        """See the port."""
        directory = self._root / str(cluster)
        return not directory.is_symlink() and remove(directory)
