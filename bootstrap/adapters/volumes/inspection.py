"""Inspect the header of a disk image before QEMU opens it (SEC-17).

A header can name other files of the host, which QEMU would then show to the guest, or a size
that fills the host. The images that are built here are raw and have no header.
"""

import os
import struct
from pathlib import Path

from bootstrap.errors import BootstrapError

#: A node image has a few GiB.
_LARGEST_BYTES = 256 << 30
_GIB = 1 << 30
#: The first bytes of the formats whose header names another file, or a size.
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
#: A qcow2 names its backing file in its first cluster, of at most 2 MiB.
_HEADER_BYTES = 2 << 20
#: Magic, version, offset and length of the backing file's name, cluster size, virtual size.
_QCOW2 = ">4sIQIIQ"
_OLD = 2
_FEATURES_AT = 72
_HAS_DATA_FILE = 4


def check_raw_image(path: Path, *, hint: str) -> None:
    """Check that ``path`` is a raw disk of a possible size.

    :raises BootstrapError: if it is anything else; the error has every fault.
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
    faults += _qcow2_faults(header) if known == "qcow2" else []
    faults += _too_large(size)
    if faults:
        raise BootstrapError(
            f"The disk image '{path}' was not built by this tool, so it was not used.",
            details="\n".join(faults),
            hint=hint,
        )


def backing_file(path: Path) -> Path | None:
    """Return the backing file of a disk; None without one."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    try:
        magic, _, offset, length, _, _ = struct.unpack_from(_QCOW2, header)
    except struct.error:
        return None
    if _FORMATS.get(magic) != "qcow2" or not offset:
        return None
    return Path(os.fsdecode(header[offset : offset + length]))


def _qcow2_faults(header: bytes) -> list[str]:
    """Return the faults of a qcow2 header, without QEMU, which could open the named files."""
    try:
        _, version, offset, length, _, size = struct.unpack_from(_QCOW2, header)
        features = struct.unpack_from(">Q", header, _FEATURES_AT)[0] if version > _OLD else 0
    except struct.error:
        return ["its header is cut off"]
    faults = _too_large(size)
    if offset:
        name = header[offset : offset + length].decode(errors="replace")
        faults.append(f"it names the backing file '{name}'")
    if features & _HAS_DATA_FILE:
        faults.append("it keeps its data in another file")
    return faults


def _too_large(size: int) -> list[str]:
    if size <= _LARGEST_BYTES:
        return []
    return [f"its size of {size // _GIB} GiB is beyond {_LARGEST_BYTES // _GIB} GiB"]
