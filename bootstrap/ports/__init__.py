"""What the workflow needs of the outside world.

Each port has a fake with memory in ``tests/fakes`` and a real adapter; both pass the
same contract test. Every ``ensure_*`` may be called again without harm and says whether
it changed anything; every ``remove_*`` does nothing if there is nothing.
"""

from bootstrap.ports.artifacts import Artifact, Artifacts, BuiltArtifacts
from bootstrap.ports.bundles import Bundles
from bootstrap.ports.cluster import CheckResult, ClusterApi, ExpectedNode, NodeUse, PodState
from bootstrap.ports.events import EventReader, Events, RunEvents, RunHistory
from bootstrap.ports.files import ClusterFiles, Evidence, UserKubeconfig
from bootstrap.ports.host import Finding, Host
from bootstrap.ports.images import Images
from bootstrap.ports.loading import ImageArchives
from bootstrap.ports.machines import Hypervisor, MachineUse
from bootstrap.ports.nodes import NodeShell, PlaybookResult, PlaybookRunner, Reachable, ShellResult
from bootstrap.ports.snapshots import SnapshotDraft, SnapshotFiles, Snapshots
from bootstrap.ports.trust import Trust
from bootstrap.ports.volumes import Volumes

__all__ = [
    "Artifact",
    "Artifacts",
    "BuiltArtifacts",
    "Bundles",
    "CheckResult",
    "ClusterApi",
    "ClusterFiles",
    "EventReader",
    "Events",
    "Evidence",
    "ExpectedNode",
    "Finding",
    "Host",
    "Hypervisor",
    "ImageArchives",
    "Images",
    "MachineUse",
    "NodeShell",
    "NodeUse",
    "PlaybookResult",
    "PlaybookRunner",
    "PodState",
    "Reachable",
    "RunEvents",
    "RunHistory",
    "ShellResult",
    "SnapshotDraft",
    "SnapshotFiles",
    "Snapshots",
    "Trust",
    "UserKubeconfig",
    "Volumes",
]
