"""What goes into a node image beside the base system: a set of artefacts, and an older kubelet."""

from dataclasses import dataclass
from typing import NamedTuple

from bootstrap.adapters.image.archive import image_names, pause_image
from bootstrap.model.sources import Source
from bootstrap.ports import Artifact, Artifacts, BuiltArtifacts

#: Programs of the set, by where they go.
CONTAINERD_PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr")
_KUBELET = "kubelet"
#: One of them, which is all of them; or each of its own.
KUBERNETES_PROGRAMS = ("kube", "kubeadm", "kubectl", _KUBELET)
CNI_PLUGINS = ("bridge", "host-local", "loopback", "portmap", "ptp")


class Versions(NamedTuple):
    """Which versions an image has."""

    kubernetes: str
    #: None stands for that of Kubernetes.
    kubelet: str | None

    @property
    def older_kubelet(self) -> str | None:
        """The version of the kubelet, if it is another one."""
        return None if self.kubelet == self.kubernetes else self.kubelet


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an image is made from."""

    #: Of Kubernetes.
    version: str
    built: BuiltArtifacts
    #: One that takes the place of the set's own.
    kubelet: Artifact | None

    @property
    def digest(self) -> str:
        """What the key of the image is made from."""
        own = f" kubelet {self.kubelet.sha256}" if self.kubelet else ""
        return self.built.digest + own


def ensure_parts(
    versions: Versions, artifacts: Artifacts, source: Source, *, refresh: bool
) -> Parts:
    """Return the parts, making what is missing; raises as ``Artifacts.ensure`` does."""
    built = artifacts.ensure(versions.kubernetes, source, refresh=refresh)
    older = versions.older_kubelet
    kubelet = artifacts.ensure_kubelet(older, source) if older else None
    return Parts(version=versions.kubernetes, built=built, kubelet=kubelet)


def find_parts(versions: Versions, artifacts: Artifacts, source: Source) -> Parts | None:
    """Return the parts if all of them are there by their sizes."""
    built, older = artifacts.find(versions.kubernetes, source), versions.older_kubelet
    kubelet = artifacts.find_kubelet(older, source) if older else None
    if built is None or (older and kubelet is None):
        return None
    return Parts(version=versions.kubernetes, built=built, kubelet=kubelet)


def source_key(versions: Versions, artifacts: Artifacts, source: Source) -> str:
    """Return the key of what the parts are made from; makes nothing."""
    wanted = (versions.kubernetes, versions.older_kubelet)
    return " ".join(artifacts.key(version, source) for version in wanted if version)


def role_variables(parts: Parts) -> dict[str, object]:
    """Return the variables that the roles of ``node-image.yml`` require."""
    built = parts.built
    names = sorted([*image_names(built.image_archive), *built.pulls])
    programs = {
        name: built.binaries[name] for name in KUBERNETES_PROGRAMS if name in built.binaries
    }
    own = {_KUBELET: parts.kubelet.path} if parts.kubelet else {}
    return {
        "containerd_programs": [str(built.binaries[name]) for name in CONTAINERD_PROGRAMS],
        "containerd_pause_image": pause_image(names),
        "kubernetes_binaries_programs": {
            name: str(path) for name, path in {**programs, **own}.items()
        },
        "kubernetes_binaries_links": {
            name: target for name, target in built.links.items() if name not in own
        },
        "kubernetes_binaries_cni_plugins": [str(built.binaries[name]) for name in CNI_PLUGINS],
        "container_images_archive": str(built.image_archive),
        "container_images_names": names,
        "container_images_pulls": dict(built.pulls),
    }
