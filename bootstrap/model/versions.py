"""The versions that nodes get, and every fact that depends on one.

The locks under ``artifacts/`` are the only list of versions. A lock is a file in the format of
``go.mod``. Modules that depend on the Kubernetes minor have one for each; the others have one.
What a minor differs by from the others stands in ``MINORS``, and nowhere else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
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
    return dict(sorted(found.items(), key=lambda one: _numbers(one[0]), reverse=True))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.removeprefix("v").split("."))


#: The Kubernetes versions that this tool can install, newest first, each with its lock.
LOCKS = _locks()
SUPPORTED_VERSIONS = tuple(LOCKS)
DEFAULT_VERSION = SUPPORTED_VERSIONS[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Minor:
    """What is known of a minor of Kubernetes.

    The kubelets of these minors take the same settings from us: every field, flag and feature
    gate that a node's files and kubeadm's own defaults set is known to the oldest of them. So a
    minor has no column for settings; docs/explanation/decisions/0032-older-kubelets.md says how
    that was found out.
    """

    #: The last day on which Kubernetes patches it.
    support_end: date


#: The ends are those of the pages kubernetes.io/releases/1.37 and so on, "End Of Life Date".
MINORS: Mapping[str, Minor] = {
    "v1.37": Minor(support_end=date(2027, 10, 28)),
    "v1.36": Minor(support_end=date(2027, 6, 28)),
    "v1.35": Minor(support_end=date(2027, 2, 28)),
}

#: How many minors a kubelet may be older than the API server, and it is never newer:
#: kubernetes.io/releases/version-skew-policy. kubeadm has the same limit for its kubelet.
MAX_KUBELET_SKEW = 3


def support_end(version: str) -> date:
    """Return the last day on which Kubernetes patches the minor of a supported version."""
    return MINORS[version.rpartition(".")[0]].support_end


def refusal_of_kubelet(kubelet: str, kubernetes: str) -> str:
    """Say why a kubelet cannot serve a control plane ``kubernetes``; empty if it can.

    Both are versions such as ``v1.37.2``.
    """
    own, control_plane = _numbers(kubelet), _numbers(kubernetes)
    if own > control_plane:
        return f"kubelet {kubelet} is newer than the control plane, {kubernetes}"
    if own[0] != control_plane[0] or control_plane[1] - own[1] > MAX_KUBELET_SKEW:
        return (
            f"kubelet {kubelet} is more than {MAX_KUBELET_SKEW} minors older than the control "
            f"plane, {kubernetes}"
        )
    return ""
