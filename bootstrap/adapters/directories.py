"""The directories of this user: XDG directories, or one tree under BOOTSTRAP_HOME."""

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.errors import StateError
from bootstrap.model.names import ClusterName

#: The system daemon opens disks as another user, so those of root are outside its 0700 home.
_ROOT_DATA = Path("/var/lib/bootstrap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Directories:
    """The roots of the files: state of clusters, files that can be built again, and disks."""

    state: Path
    cache: Path
    volumes: Path

    def cluster_state(self, cluster: ClusterName) -> Path:
        """Return the state directory of a cluster: kubeconfig, keys, logs."""
        return self.state / str(cluster)

    def cluster_lock(self, cluster: ClusterName) -> Path:
        """Return the lock of a cluster, outside the directories that ``down`` removes."""
        return self.locks / f"{cluster}.lock"

    @property
    def locks(self) -> Path:
        """The directory of all locks."""
        return self.state / ".locks"

    @property
    def host_lock(self) -> Path:
        """The lock for choosing ports."""
        return self.locks / ".host.lock"

    @property
    def images_lock(self) -> Path:
        """The lock for building node images and for removing their sources."""
        return self.locks / ".images.lock"

    @property
    def durations(self) -> Path:
        """The file with the durations of earlier runs, which outlives the clusters."""
        return self.cache / "durations.json"

    @property
    def images(self) -> Path:
        """The directory of node images, beside the volumes: the hypervisor reads both."""
        return self.volumes.parent / "images"

    @property
    def snapshots(self) -> Path:
        """The directory of saved clusters, which are as large as disks."""
        return self.volumes.parent / "snapshots"


def find_directories() -> Directories:
    """Return the directories of this user; creates nothing."""
    home = os.environ.get("BOOTSTRAP_HOME")
    if home:
        base = Path(home).absolute()
        return Directories(
            state=base / "state", cache=base / "cache", volumes=base / "data" / "volumes"
        )
    state = platformdirs.user_state_path("bootstrap")
    cache = platformdirs.user_cache_path("bootstrap")
    data = _ROOT_DATA if os.getuid() == 0 else platformdirs.user_data_path("bootstrap")
    return Directories(state=state, cache=cache, volumes=data / "volumes")


@explained("read the install id")
def read_install_id(directories: Directories) -> uuid.UUID | None:
    """Return the install id; None before the first cluster of this user."""
    path = directories.state / "install-id"
    try:
        return uuid.UUID(path.read_text().strip())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StateError(
            f"File '{path}' does not hold an install id.",
            details="It was kept. Your clusters have the id in their ownership mark.",
            hint="bootstrap list",
        ) from error


@explained("make the install id")
def ensure_install_id(directories: Directories) -> uuid.UUID:
    """Return the install id; the first call creates it. The caller holds the host lock."""
    known = read_install_id(directories)
    if known is not None:
        return known
    private_directory(directories.state)
    created = uuid.uuid4()
    write_atomically(directories.state / "install-id", f"{created}\n")
    return created
