"""Read the names of the images in an OCI archive."""

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from bootstrap.errors import BootstrapError

_NAME = "io.containerd.image.name"


def image_names(archive: Path) -> Sequence[str]:
    """Return the sorted names of the images in the archive.

    :raises BootstrapError: if it is not an OCI archive with names.
    """
    try:
        with tarfile.open(archive) as tar:
            index = tar.extractfile("index.json")
            manifests = json.load(index)["manifests"] if index else []
        return sorted(manifest["annotations"][_NAME] for manifest in manifests)
    except (OSError, tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise BootstrapError(
            f"File '{archive}' is not an OCI archive with image names.",
            details=f"{type(error).__name__}: {error}",
            hint="bootstrap artifacts build",
        ) from error


def pause_image(names: Sequence[str]) -> str:
    """Return the name of the image that holds a pod's namespaces.

    :raises BootstrapError: if there is not exactly one.
    """
    found = [name for name in names if name.rpartition("/")[2].startswith("pause:")]
    if len(found) != 1:
        raise BootstrapError(
            f"The container images hold {len(found)} pause images instead of one.",
            details="\n".join(names),
            hint="bootstrap artifacts build",
        )
    return found[0]
