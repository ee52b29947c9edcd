"""A cluster's files and the user's kubeconfig, in memory."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.errors import NotOursError, StateError, UsageError
from bootstrap.model.names import ClusterName
from tests.fakes.recording import Fake, Journal


class FakeClusterFiles(Fake):
    """Implements ``ClusterFiles``."""

    port = "files"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        #: The text of each file by its cluster and its path.
        self.files: dict[str, dict[str, str]] = {}
        #: Clusters whose directory has lost its marker.
        self.unmarked: set[str] = set()
        #: Files that cannot be read, by their paths in the directory.
        self.unreadable: set[str] = set()

    def lose(self) -> None:
        """Lose every state directory, as ``rm -rf`` would."""
        self.files.clear()

    def ensure_files(self, cluster: ClusterName, files: Mapping[str, str]) -> bool:
        self.called("ensure_files", cluster)
        known = self.files.get(str(cluster), {})
        wanted = {**known, **files}
        if wanted == known:
            return False
        self.files[str(cluster)] = wanted
        return self.changed("ensure_files", cluster)

    def clusters(self) -> Sequence[ClusterName]:
        return [ClusterName(name) for name in sorted(self.files)]

    def find(self, cluster: ClusterName, name: str) -> Path | None:
        is_there = name in self.files.get(str(cluster), {})
        return Path("/state", str(cluster), name) if is_there else None

    def names(self, cluster: ClusterName, directory: str) -> Sequence[str]:
        known = self.files.get(str(cluster), {})
        return sorted(name for name in known if name.rpartition("/")[0] == directory)

    def read(self, cluster: ClusterName, name: str) -> str:
        path = self.find(cluster, name)
        if path is None or name in self.unreadable:
            raise StateError(f"Could not read file '{path}'.", hint=f"bootstrap up {cluster}")
        return self.files[str(cluster)][name]

    def restore_marker(self, cluster: ClusterName) -> bool:
        self.called("restore_marker", cluster)
        if str(cluster) not in self.unmarked:
            return False
        self.unmarked.discard(str(cluster))
        return self.changed("restore_marker", cluster)

    def remove_file(self, cluster: ClusterName, name: str) -> bool:
        self.called("remove_file", name)
        known = self.files.get(str(cluster), {})
        if name not in known:
            return False
        if str(cluster) in self.unmarked:
            raise NotOursError(f"Directory '{cluster}' is not ours.")
        self.files[str(cluster)] = {path: text for path, text in known.items() if path != name}
        return self.changed("remove_file", name)

    def remove_files(self, cluster: ClusterName) -> bool:
        self.called("remove_files", cluster)
        if str(cluster) in self.unmarked:
            raise NotOursError(f"Directory '{cluster}' is not ours.")
        if self.files.pop(str(cluster), None) is None:
            return False
        return self.changed("remove_files", cluster)


class FakeEvidence(Fake):
    """Implements ``Evidence``; like the real one, it leaves a state directory behind."""

    port = "evidence"

    def __init__(self, files: FakeClusterFiles, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self._files = files
        #: What was saved, by the path of the archive.
        self.archives: dict[Path, Mapping[str, str]] = {}

    def save(
        self, cluster: ClusterName, files: Mapping[str, str], *, target: Path | None = None
    ) -> Path:
        self.called("save", cluster)
        if target is not None and target in self.archives:
            raise UsageError(f"File '{target}' exists already.", hint=f"ls -l {target}")
        name = f"logs/{cluster}-logs-{len(self.archives)}.tar.gz"
        if target is None:
            self._files.files.setdefault(str(cluster), {})[name] = ""
        path = target or Path("/state") / str(cluster) / name
        self.archives[path] = dict(files)
        return path


class FakeUserKubeconfig(Fake):
    """Implements ``UserKubeconfig``."""

    port = "kubeconfig"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        #: Clusters whose entries the user's kubeconfig holds.
        self.merged: set[str] = set()
        #: Clusters whose name entries of another owner have.
        self.foreign: set[str] = set()
        self.current: str | None = None
        #: Entries that the user has changed and keeps.
        self.kept: list[str] = []

    def check(self, cluster: ClusterName) -> None:
        self.called("check", cluster)
        self._refuse_foreign(str(cluster))

    def ensure_entries(self, own: Path, *, use: bool) -> Path:
        name = own.parent.name
        self.called("ensure_entries", name)
        self._refuse_foreign(name)
        if name not in self.merged:
            self.merged.add(name)
            self.changed("ensure_entries", name)
        if use or self.current is None:
            self.current = name
        return Path("/home/user/.kube/config")

    def remove_entries(self, cluster: ClusterName) -> Sequence[str]:
        self.called("remove_entries", cluster)
        if str(cluster) in self.merged:
            self.merged.discard(str(cluster))
            if self.current == str(cluster):
                self.current = None
            self.changed("remove_entries", cluster)
        return list(self.kept)

    def _refuse_foreign(self, name: str) -> None:
        if name in self.foreign:
            hint = f"kubectl config delete-cluster bootstrap-{name}"
            raise NotOursError(f"The cluster 'bootstrap-{name}' is someone else's.", hint=hint)
