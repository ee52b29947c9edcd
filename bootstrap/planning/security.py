"""Render the files that only a strict cluster has: docs/explanation/security-profiles.md."""

from collections.abc import Iterator

from bootstrap.model.files import NodeFile
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.rendering import render

#: Mounted into the API server, read-only; init.yaml.j2 names the files in it.
SECURITY_DIRECTORY = "/etc/kubernetes/security"
#: On the control plane's disk; its logs are rotated there by the API server.
AUDIT_DIRECTORY = "/var/log/kubernetes/audit"
_API_SERVER_FILES = ("admission", "audit-policy", "authentication", "encryption")
_SYSCTL_FILE = "/etc/sysctl.d/91-kubelet.conf"
_UNIT_FILE = "/etc/systemd/system/kubelet.service.d/20-kernel.conf"


def security_files(
    plan: ClusterPlan, node: NodePlan, encryption_key: str | None
) -> Iterator[NodeFile]:
    """List what the plan's profile adds to a node's files.

    :raises ValueError: if the profile encrypts Secrets and there is no key.
    """
    if not plan.is_strict:
        return
    yield NodeFile(path=_SYSCTL_FILE, text=render("security/kubelet-sysctl.conf.j2", {}))
    unit = render("security/kubelet-unit.conf.j2", {"sysctl_file": _SYSCTL_FILE})
    yield NodeFile(path=_UNIT_FILE, text=unit)
    if not node.is_control_plane:
        return
    if not encryption_key:
        raise ValueError(f"no key for the Secrets of cluster '{plan.name}'")
    for name in _API_SERVER_FILES:
        text = render(f"security/{name}.yaml.j2", {"encryption_key": encryption_key})
        yield NodeFile(path=f"{SECURITY_DIRECTORY}/{name}.yaml", text=text, mode=0o600)
