"""Learn the digests of official images from their registry; containerd pulls them."""

import hashlib
import json
from urllib.parse import urlsplit

from bootstrap.adapters.artifacts.upstream.sites import REGISTRY
from bootstrap.adapters.downloads.failures import refused
from bootstrap.adapters.downloads.fetch import Downloads
from bootstrap.errors import BootstrapError

#: An image for several architectures comes first: its digest is the same everywhere.
_ACCEPT = ", ".join(
    f"application/vnd.{kind}"
    for kind in (
        "oci.image.index.v1+json",
        "docker.distribution.manifest.list.v2+json",
        "oci.image.manifest.v1+json",
        "docker.distribution.manifest.v2+json",
    )
)


def published_digest(name: str, downloads: Downloads) -> str:
    """Return the SHA-256 of the manifest that the registry has under an image's name now.

    :raises BootstrapError: if what it has is no manifest.
    """
    path, _, tag = _path(name).rpartition(":")
    base = urlsplit(REGISTRY.base)
    # A registry's own paths begin at its root; the prefix of a mirror belongs to the image's name.
    url = base._replace(path=f"/v2{base.path}/{path}/manifests/{tag}").geturl()
    manifest = downloads.read(url, trust=REGISTRY.answers, accept=_ACCEPT)
    try:
        is_manifest = bool({"manifests", "config"} & json.loads(manifest).keys())
    except (ValueError, AttributeError):
        is_manifest = False
    if not is_manifest:
        raise refused(url, "it is no manifest of an image")
    return hashlib.sha256(manifest).hexdigest()


def reference(name: str, sha256: str) -> str:
    """Return the address of an image by its digest, at the registry or at its mirror."""
    base = urlsplit(REGISTRY.base)
    repository = _path(name).rpartition(":")[0]
    return f"{base.scheme}://{base.netloc}{base.path}/{repository}@sha256:{sha256}"


def _path(name: str) -> str:
    """Return an image's name without its registry.

    :raises BootstrapError: for one that is not of the official registry, or has no tag.
    """
    host, _, path = name.partition("/")
    if host != REGISTRY.host or ":" not in path:
        raise BootstrapError(
            f"kubeadm asks for image '{name}', which is not one of {REGISTRY.host}.",
            hint="bootstrap artifacts build --source go",
        )
    return path
