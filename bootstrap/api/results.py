"""What the calls of the API return, under one roof."""

from bootstrap.workflow.bundling import BundleUse
from bootstrap.workflow.caching import Cached
from bootstrap.workflow.down import DownResult, Failures
from bootstrap.workflow.listing import ClusterSummary
from bootstrap.workflow.loading import Loaded, LoadResult
from bootstrap.workflow.node_changes import RemovalResult
from bootstrap.workflow.node_removal import DRAIN_TIMEOUT_S
from bootstrap.workflow.preview import Preview
from bootstrap.workflow.reaching import KubectlCommand
from bootstrap.workflow.snapshots import SaveResult
from bootstrap.workflow.status import ClusterStatus, NodeStatus
from bootstrap.workflow.stop import RestResult
from bootstrap.workflow.up import UpResult
from bootstrap.workflow.verification import Verification
from bootstrap.workflow.versions import Offer
from bootstrap.workflow.watching import Moment, NodeMoment

__all__ = [
    "DRAIN_TIMEOUT_S",
    "BundleUse",
    "Cached",
    "ClusterStatus",
    "ClusterSummary",
    "DownResult",
    "Failures",
    "KubectlCommand",
    "LoadResult",
    "Loaded",
    "Moment",
    "NodeMoment",
    "NodeStatus",
    "Offer",
    "Preview",
    "RemovalResult",
    "RestResult",
    "SaveResult",
    "UpResult",
    "Verification",
]
