"""Everything that the workflow is given."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from bootstrap.ports import (
    ClusterApi,
    Host,
    Hypervisor,
    Images,
    NodeShell,
    PlaybookRunner,
    Products,
    Progress,
    Trust,
    Volumes,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The adapters, or their fakes."""

    hypervisor: Hypervisor
    volumes: Volumes
    images: Images
    host: Host
    trust: Trust
    products: Products
    shell: NodeShell
    playbooks: PlaybookRunner
    api: ClusterApi
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a run happens, and for whom."""

    install_id: UUID
    owner_uid: int
    hypervisor_uri: str
    state_directory: Path
    volume_directory: Path
    now: Callable[[], str]
