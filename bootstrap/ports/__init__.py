"""What the workflow needs of the outside world.

Each port has a fake with memory in ``tests/fakes`` and a real adapter; both pass the
same contract test. Every ``ensure_*`` may be called again without harm and says whether
it changed anything; every ``remove_*`` does nothing if there is nothing.
"""

from bootstrap.ports.cluster import CertificateExpiry, CheckResult, ClusterApi, ExpectedNode
from bootstrap.ports.host import Finding, Host
from bootstrap.ports.machines import Hypervisor, Images, Volumes
from bootstrap.ports.nodes import NodeShell, PlaybookResult, PlaybookRunner, Reachable, ShellResult
from bootstrap.ports.products import Products, Trust
from bootstrap.ports.progress import Progress

__all__ = [
    "CertificateExpiry",
    "CheckResult",
    "ClusterApi",
    "ExpectedNode",
    "Finding",
    "Host",
    "Hypervisor",
    "Images",
    "NodeShell",
    "PlaybookResult",
    "PlaybookRunner",
    "Products",
    "Progress",
    "Reachable",
    "ShellResult",
    "Trust",
    "Volumes",
]
