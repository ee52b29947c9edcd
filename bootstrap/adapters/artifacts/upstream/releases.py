"""The official files that a node's programs come from."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bootstrap.adapters.artifacts.origin import KUBERNETES_PROGRAMS
from bootstrap.adapters.artifacts.upstream.sites import GITHUB, KUBERNETES, Site
from bootstrap.errors import HostError
from bootstrap.model.versions import required_version

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
#: The others of the project's archive have no use on our nodes.
_CNI_PLUGINS = ("bridge", "host-local", "loopback", "portmap", "ptp")
_CONTAINERD_PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A file of a release: a program, or an archive with several."""

    site: Site
    #: Below the site's address.
    path: str
    version: str
    #: What is added to the path for the file of checksums.
    checksum: str
    #: The programs by their paths in the archive; the file itself is the one at no path.
    programs: Mapping[str, str]

    @property
    def address(self) -> str:
        """The official address, without the scheme, whatever mirror there is."""
        return f"{self.site.host}/{self.path}"

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.rpartition("/")[2]

    @property
    def title(self) -> str:
        """What it is called while it comes."""
        is_in_name = self.version.removeprefix("v") in self.name
        return self.name if is_in_name else f"{self.name} {self.version}"


def architecture() -> str:
    """Return this host's architecture as releases and images name it.

    :raises HostError: if there are no releases for it.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        known = ", ".join(_ARCHITECTURES)
        raise HostError(
            f"There are no official releases for this host's architecture, '{machine}'.",
            details=f"There are some for {known}.",
            hint="bootstrap up --source go",
        )
    return _ARCHITECTURES[machine]


def releases_of(kubernetes_version: str, arch: str) -> Sequence[Release]:
    """Return the files with the programs of a node of a Kubernetes version."""
    containerd = required_version("containerd", "github.com/containerd/containerd/v2")
    cni = required_version("cni", "github.com/containernetworking/plugins")
    plain = containerd.removeprefix("v")
    return [
        *(_kubernetes(program, kubernetes_version, arch) for program in KUBERNETES_PROGRAMS),
        _on_github(
            "containerd/containerd",
            containerd,
            f"containerd-{plain}-linux-{arch}.tar.gz",
            ".sha256sum",
            {f"bin/{program}": program for program in _CONTAINERD_PROGRAMS},
        ),
        _on_github(
            "containernetworking/plugins",
            cni,
            f"cni-plugins-linux-{arch}-{cni}.tgz",
            ".sha256",
            {plugin: plugin for plugin in _CNI_PLUGINS},
        ),
    ]


def _kubernetes(program: str, version: str, arch: str) -> Release:
    return Release(
        site=KUBERNETES,
        path=f"release/{version}/bin/linux/{arch}/{program}",
        version=version,
        checksum=".sha256",
        programs={"": program},
    )


def _on_github(
    repository: str, version: str, name: str, checksum: str, programs: Mapping[str, str]
) -> Release:
    return Release(
        site=GITHUB,
        path=f"{repository}/releases/download/{version}/{name}",
        version=version,
        checksum=checksum,
        programs=programs,
    )
