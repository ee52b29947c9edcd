"""The versions that nodes get; the locks under ``artifacts/`` are their only list.

A lock is a file in the format of ``go.mod``. Modules that depend on the Kubernetes minor have one
for each; the others have one.
"""

import re
from collections.abc import Mapping
from datetime import date

from bootstrap.resources import resource_directory

#: The lock of the newest Kubernetes minor; that of an older one is called as ``v1.36.mod``.
NEWEST_LOCK = "go.mod"
_KUBERNETES = "kubernetes"


def required_version(module: str, requirement: str, lock: str = NEWEST_LOCK) -> str:
    """Return the version of ``requirement`` in a lock of the Go module ``module``."""
    text = (resource_directory("artifacts") / module / lock).read_text()
    (version,) = re.findall(rf"^(?:require |\t){re.escape(requirement)} (v\S+)", text, re.MULTILINE)
    return str(version)


def _locks() -> Mapping[str, str]:
    """Return the lock of each Kubernetes version, newest first."""
    older = (resource_directory("artifacts") / _KUBERNETES).glob("v*.mod")
    names = [NEWEST_LOCK, *(path.name for path in older)]
    found = {required_version(_KUBERNETES, "k8s.io/kubernetes", name): name for name in names}
    return dict(sorted(found.items(), key=lambda one: _minor(one[0]), reverse=True))


def _minor(version: str) -> int:
    return int(version.split(".")[1])


#: The Kubernetes versions that this tool can install, newest first, each with its lock.
LOCKS = _locks()
SUPPORTED_VERSIONS = tuple(LOCKS)
DEFAULT_VERSION = SUPPORTED_VERSIONS[0]

#: The last day on which Kubernetes patches a minor, as ``v1.37``; only days known for sure.
SUPPORT_ENDS: Mapping[str, date] = {}


def support_end(version: str) -> date | None:
    """Return the last day on which Kubernetes patches the minor of a version; None if unknown."""
    return SUPPORT_ENDS.get(version.rpartition(".")[0])
