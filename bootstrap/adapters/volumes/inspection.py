"""Look at a disk image before anything opens it as a disk (SEC-17).

A header may name other files of the host, which QEMU would then show to the guest, or
claim a size that fills the host. What is built here is raw and says nothing of itself.
"""

import os
import struct
from pathlib import Path

from bootstrap.errors import BootstrapError

#: Far more than any node image, which is a few GiB.
_LARGEST_BYTES = 256 << 30
_GIB = 1 << 30
#: What the formats begin with in which a disk names another file, or a size.
_FORMATS = {
    b"QFI\xfb": "qcow2",
    b"QED\0": "qed",
    b"KDMV": "vmdk",
    b"COWD": "vmdk",
    b"# Di": "vmdk",
    b"vhdx": "vhdx",
    b"conectix": "vpc",
    b"<<< ": "vdi",
    b"LUKS\xba\xbe": "luks",
}
#: A qcow2 names its backing file in its first cluster, which may have 2 MiB.
_HEADER_BYTES = 2 << 20
#: Magic, version, place and length of the backing file's name, cluster size, virtual size.
_QCOW2 = ">4sIQIIQ"
_OLD = 2
_FEATURES_AT = 72
_HAS_DATA_FILE = 4


def check_raw_image(path: Path, *, hint: str) -> None:
    """Make sure that ``path`` is a raw disk of a size that can be.

    :raises BootstrapError: if it is anything else, with all that is wrong with it.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        size = path.stat().st_size
    except OSError as error:
        raise BootstrapError(
            f"Could not read the disk image '{path}'.", details=str(error), hint=hint
        ) from error
    known = next((name for magic, name in _FORMATS.items() if header.startswith(magic)), "raw")
    faults = [] if known == "raw" else [f"its format is {known} instead of raw"]
    faults += _claims(header) if known == "qcow2" else []
    faults += _too_large(size)
    if faults:
        raise BootstrapError(
            f"The disk image '{path}' is not one that this tool has built, so it was not used.",
            details="\n".join(faults),
            hint=hint,
        )


def backing_file(path: Path) -> Path | None:
    """Tell over which file a disk of ours lies; None if its header says none."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    try:
        magic, _, place, length, _, _ = struct.unpack_from(_QCOW2, header)
    except struct.error:
        return None
    if _FORMATS.get(magic) != "qcow2" or not place:
        return None
    return Path(os.fsdecode(header[place : place + length]))


def _claims(header: bytes) -> list[str]:
    """Say what a qcow2 header asks for, read here: QEMU's reader may open what is named."""
    try:
        _, version, place, length, _, size = struct.unpack_from(_QCOW2, header)
        features = struct.unpack_from(">Q", header, _FEATURES_AT)[0] if version > _OLD else 0
    except struct.error:
        return ["its header is cut off"]
    faults = _too_large(size)
    if place:
        name = header[place : place + length].decode(errors="replace")
        faults.append(f"it names the backing file '{name}'")
    if features & _HAS_DATA_FILE:
        faults.append("it keeps its data in another file")
    return faults


def _too_large(size: int) -> list[str]:
    if size <= _LARGEST_BYTES:
        return []
    return [f"its size of {size // _GIB} GiB is beyond {_LARGEST_BYTES // _GIB} GiB"]
