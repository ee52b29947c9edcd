"""Which programs make a node of each Kubernetes version, and which version each one has.

The checksums are in the ``go.sum`` files beside the modules; a test compares the versions
here with those in ``go.mod``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bootstrap.errors import UsageError

_CONTAINERD = "github.com/containerd/containerd/v2"
_CNI = "github.com/containernetworking/plugins"
_KUBERNETES_STAMP = "k8s.io/component-base/version"
#: Plugins of containerd that need libraries or devices which our nodes do not have.
_CONTAINERD_TAGS = ("no_btrfs", "no_devmapper", "no_zfs", "no_aufs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A program that is built from a Go module."""

    name: str
    #: The directory of its module under ``artifacts/``.
    module: str
    #: What is built, as an import path or ``.`` for the module's own program.
    package: str
    version: str
    #: The requirement of ``go.mod`` that has this version; empty for programs of ours.
    requirement: str
    tags: tuple[str, ...] = ()
    #: Variables that the linker sets, since programs learn their version in no other way.
    stamps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """All that one Kubernetes version is built from."""

    kubernetes_version: str
    components: tuple[Component, ...]


def _containerd(name: str, version: str) -> Component:
    return Component(
        name=name,
        module="containerd",
        package=f"{_CONTAINERD}/cmd/{name}",
        version=version,
        requirement=_CONTAINERD,
        tags=_CONTAINERD_TAGS,
        stamps=(f"{_CONTAINERD}/version.Version={version}",),
    )


def _cni(package: str, version: str) -> Component:
    return Component(
        name=package.rpartition("/")[2],
        module="cni",
        package=f"{_CNI}/plugins/{package}",
        version=version,
        requirement=_CNI,
        stamps=(f"{_CNI}/pkg/utils/buildversion.BuildVersion={version}",),
    )


def _kubernetes(version: str) -> Component:
    major, minor, _ = version.removeprefix("v").split(".")
    return Component(
        name="kube",
        module="kubernetes",
        package=".",
        version=version,
        requirement="k8s.io/kubernetes",
        stamps=(
            f"{_KUBERNETES_STAMP}.gitVersion={version}",
            f"{_KUBERNETES_STAMP}.gitMajor={major}",
            f"{_KUBERNETES_STAMP}.gitMinor={minor}",
        ),
    )


_V1_37 = Lock(
    kubernetes_version="v1.37.2",
    components=(
        _kubernetes("v1.37.2"),
        *(_containerd(name, "v2.4.2") for name in ("containerd", "ctr", "containerd-shim-runc-v2")),
        Component(
            name="etcd",
            module="etcd",
            package="go.etcd.io/etcd/server/v3",
            version="v3.7.0",
            requirement="go.etcd.io/etcd/server/v3",
        ),
        *(
            _cni(package, "v1.9.1")
            for package in (
                "main/bridge",
                "main/loopback",
                "main/ptp",
                "ipam/host-local",
                "meta/portmap",
            )
        ),
        Component(
            name="coredns",
            module="coredns",
            package=".",
            version="v1.14.6",
            requirement="github.com/coredns/coredns",
        ),
        Component(name="node", module="node", package=".", version="v1", requirement=""),
    ),
)

LOCKS: Mapping[str, Lock] = MappingProxyType({_V1_37.kubernetes_version: _V1_37})


def all_locks() -> Sequence[Lock]:
    """Give the lock of every version that this tool can make."""
    return tuple(LOCKS.values())


def lock_of(kubernetes_version: str) -> Lock:
    """Give the lock of a Kubernetes version.

    :raises UsageError: if there is none; the error names those that there are.
    """
    try:
        return LOCKS[kubernetes_version]
    except KeyError as error:
        raise UsageError(
            f"Kubernetes {kubernetes_version} cannot be built from Go modules.",
            details=f"versions that can: {', '.join(LOCKS)}",
            hint=f"bootstrap up --kubernetes-version {next(iter(LOCKS))}",
        ) from error
