"""Make the container images that kubeadm asks for from the programs of a set."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.adapters.artifacts.layers import Layer, read_layer, write_layer
from bootstrap.adapters.artifacts.oci import Image, write_archive
from bootstrap.adapters.process import run
from bootstrap.errors import BootstrapError

#: To be raised when the images change although no input of theirs does.
LAYOUT = 1
_LIST_TIMEOUT_S = 60
_KUBE = ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler")
_BIN = "usr/local/bin"
#: The user of upstream's pause image, without any privilege.
_NOBODY = "65535:65535"


def wanted_images(kube: Path, kubernetes_version: str, work: Path) -> Sequence[str]:
    """Return the names of the images that this kubeadm needs for a cluster of this version."""
    kubeadm = work / "kubeadm"
    kubeadm.unlink(missing_ok=True)
    kubeadm.symlink_to(kube.absolute())
    listed = run(
        [kubeadm, "config", "images", "list", "--kubernetes-version", kubernetes_version],
        action="ask kubeadm for the images that it needs",
        timeout_s=_LIST_TIMEOUT_S,
        # Without the user's kubeconfig and proxies.
        env={"PATH": os.defpath, "HOME": str(work)},
    )
    return listed.stdout.split()


def write_images(
    path: Path,
    names: Sequence[str],
    binaries: Mapping[str, Path],
    base: Path | None,
    *,
    architecture: str,
) -> None:
    """Write the archive of the images ``names``, of those of ``binaries`` that they need.

    ``base`` is the layer below that of kube-proxy, if that is one of them.

    :raises BootstrapError: if a name is that of no program here.
    """
    layers = _write_layers(path.parent, binaries)
    below = read_layer(base) if base else None
    images = [image_for(name, layers, below) for name in names]
    write_archive(path, images, architecture=architecture)


def image_for(name: str, layers: Mapping[str, Layer], base: Layer | None) -> Image:
    """Compose the image ``name``; the last part of its path names the program."""
    match name.rpartition("/")[2].partition(":")[0]:
        case "kube-proxy" if base:
            return Image(name=name, layers=(base, layers["kube"]))
        case program if program in _KUBE and program != "kube-proxy":
            return Image(name=name, layers=(layers["kube"],))
        case "etcd":
            return Image(name=name, layers=(layers["etcd"],))
        case "coredns":
            return Image(name=name, layers=(layers["coredns"],), entrypoint=("/coredns",))
        case "pause" | "check" as role:
            return Image(
                name=name, layers=(layers["node"],), entrypoint=(f"/{role}",), user=_NOBODY
            )
        case other:
            raise BootstrapError(
                f"Could not make image '{name}': no component '{other}' is built.",
                details="kubeadm asks for an image that this release does not know",
                hint="bootstrap artifacts list",
            )


def _write_layers(work: Path, binaries: Mapping[str, Path]) -> Mapping[str, Layer]:
    contents: dict[str, tuple[str, dict[str, str]]] = {
        "kube": (f"{_BIN}/kube", {f"{_BIN}/{program}": "kube" for program in _KUBE}),
        "etcd": (f"{_BIN}/etcd", {}),
        "coredns": ("coredns", {}),
        "node": ("node", {"pause": "node", "check": "node"}),
    }
    return {
        name: write_layer(work / f"{name}.tar", {target: binaries[name]}, links)
        for name, (target, links) in contents.items()
        if name in binaries
    }
