"""The programs of a node, and how each one is built from the Go modules under ``artifacts/``.

The locks, which are ``go.mod`` files, have the versions and, as ``tool`` lines, the packages of
other modules; the ``go.sum`` files have the checksums.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.errors import UsageError
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.model.versions import (
    DEFAULT_VERSION,
    LOCKS,
    NEWEST_LOCK,
    SUPPORTED_VERSIONS,
    required_version,
)
from bootstrap.resources import resource_directory

#: Every Kubernetes program in one, which goes by the name that it is started by.
KUBE = "kube"
_CONTAINERD = "github.com/containerd/containerd/v2"
_CNI = "github.com/containernetworking/plugins"
_ETCD = "go.etcd.io/etcd/server/v3"
_TOOL = re.compile(r"^(?:tool |\t)(\S+/\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A program that is built from a Go module."""

    name: str
    #: The directory of its module under ``artifacts/``.
    module: str
    #: The import path of its package, or ``.`` for the module's own program.
    package: str
    version: str
    #: The file of its module that has the versions, if Go is to take another than its own.
    lock: str = NEWEST_LOCK
    tags: tuple[str, ...] = ()
    #: Variables that the linker sets: programs learn their version in no other way.
    stamps: tuple[str, ...] = ()


def components_of(kubernetes_version: str) -> Sequence[Component]:
    """Return the programs of a node of a Kubernetes version, in the order of building.

    :raises UsageError: if the Go modules require another version; the error names theirs.
    """
    if kubernetes_version not in SUPPORTED_VERSIONS:
        raise UsageError(
            f"Kubernetes {kubernetes_version} cannot be built from Go modules.",
            details=f"versions that can: {', '.join(SUPPORTED_VERSIONS)}",
            hint=f"bootstrap up --kubernetes-version {DEFAULT_VERSION}",
        )
    lock = LOCKS[kubernetes_version]
    # kubeadm names the versions of these two; each minor has its own.
    etcd = required_version("etcd", _ETCD, lock)
    coredns = required_version("coredns", "github.com/coredns/coredns", lock)
    check = CHECK_IMAGE.rpartition(":")[2]
    return [
        _kube(kubernetes_version, lock),
        *_containerd(required_version("containerd", _CONTAINERD)),
        Component(name="etcd", module="etcd", package=_ETCD, version=etcd, lock=lock),
        *_cni(required_version("cni", _CNI)),
        Component(name="coredns", module="coredns", package=".", version=coredns, lock=lock),
        Component(name="node", module="node", package=".", version=check),
    ]


def _kube(version: str, lock: str) -> Component:
    major, minor, _ = version.removeprefix("v").split(".")
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return Component(
        name=KUBE,
        module="kubernetes",
        package=".",
        version=version,
        lock=lock,
        stamps=tuple(f"k8s.io/component-base/version.{key}={it}" for key, it in stamps.items()),
    )


def _containerd(version: str) -> Sequence[Component]:
    # Without the plugins that need libraries or devices which our nodes do not have.
    tags = ("no_btrfs", "no_devmapper", "no_zfs", "no_aufs")
    stamp = f"{_CONTAINERD}/version.Version={version}"
    return _tools("containerd", version, stamp, tags)


def _cni(version: str) -> Sequence[Component]:
    stamp = f"{_CNI}/pkg/utils/buildversion.BuildVersion={version}"
    return _tools("cni", version, stamp)


def _tools(
    module: str, version: str, stamp: str, tags: tuple[str, ...] = ()
) -> Sequence[Component]:
    """Return the programs of other modules that a ``go.mod`` file names as its tools."""
    text = (resource_directory("artifacts") / module / "go.mod").read_text()
    return [
        Component(
            name=package.rpartition("/")[2],
            module=module,
            package=package,
            version=version,
            tags=tags,
            stamps=(stamp,),
        )
        for package in _TOOL.findall(text)
    ]
