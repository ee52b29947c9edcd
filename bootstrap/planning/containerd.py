"""Write the commands that a node's containerd is given, and read what it answers. Pure."""

import shlex
from collections.abc import Collection, Mapping, Sequence

from bootstrap.model.loading import LoadableImage

_IMAGES = "ctr --namespace k8s.io images"
#: The kubelet removes images that no pod uses when the disk fills, unless they are pinned.
_PIN = "io.cri-containerd.pinned=pinned"
#: How the import ends while the guest has not noticed the disk.
NO_DISK = 44
LIST = f"{_IMAGES} ls"
_NAME, _DIGEST = 0, 2


def import_command(serial: str) -> str:
    """Import the archive that is the disk with this serial, every image of it."""
    return f"""set -eu
disk=
for file in /sys/block/vd*/serial; do
  [ "$(cat "$file")" != {shlex.quote(serial)} ] || disk=${{file%/serial}}
done
[ -n "$disk" ] || exit {NO_DISK}
{_IMAGES} import --label {_PIN} "/dev/${{disk##*/}}" >/dev/null"""


def remove_command(references: Sequence[str]) -> str:
    """Remove references, and wait until what only they needed is gone."""
    return f"{_IMAGES} rm --sync {shlex.join(references)}"


def read_list(text: str) -> Mapping[str, str]:
    """Read what ``LIST`` printed: reference to digest."""
    rows = (line.split() for line in text.splitlines()[1:])
    return {row[_NAME]: row[_DIGEST] for row in rows if len(row) > _DIGEST}


def is_loaded(image: LoadableImage, listed: Mapping[str, str]) -> bool:
    """Tell whether the kubelet finds the image by its name, and finds this one.

    containerd lists an image by its name, and its part for the kubelet by its configuration too.
    """
    digest = listed.get(image.name)
    return digest is not None and listed.get(image.config) == digest


def references_to(names: Collection[str], listed: Mapping[str, str]) -> list[str]:
    """List ``names``, as far as they are there, and the references that only they need."""
    gone = [name for name in names if name in listed]
    digests = {listed[name] for name in gone}
    others = {ref: digest for ref, digest in listed.items() if ref not in gone}
    kept = {digest for ref, digest in others.items() if not ref.startswith("sha256:")}
    return gone + [ref for ref, digest in others.items() if digest in digests - kept]
