"""The marker file that makes a cluster's volume directory ours."""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.claims import refuse_foreign
from bootstrap.adapters.files import TEMPORARY_PREFIX, write_atomically

MARKER = ".bootstrap-cluster.json"
#: How what a kill leaves begins that came while the marker was written.
_LEFTOVERS = f"{TEMPORARY_PREFIX}{MARKER}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose volumes they are: an install of the tool, at one libvirt."""

    install_id: uuid.UUID | None
    #: libvirt's URI; empty where it does not matter.
    hypervisor: str = ""


def mark_new(directory: Path, owner: Owner) -> None:
    """Mark a directory that has no marker and holds nothing of anybody's.

    :raises NotOursError: naming what it holds.
    """
    if not (directory / MARKER).exists():
        refuse_foreign(directory, leftovers=_LEFTOVERS)
        _write(directory, owner)


def restore_marker(directory: Path, owner: Owner) -> bool:
    """Mark a directory that is proved to be ours, unless its marker can be read."""
    if directory.is_symlink() or _read(directory) is not None:
        return False
    return _write(directory, owner)


def recorded_hypervisor(directory: Path, install_id: uuid.UUID) -> str | None:
    """Tell at which libvirt the machines of a cluster of ours are; None if nothing says it."""
    if fault_of(directory, Owner(install_id=install_id)):
        return None
    found = (_read(directory) or {}).get("hypervisor")
    return found if isinstance(found, str) and found else None


def fault_of(directory: Path, owner: Owner) -> str:
    """Say why a directory is not its owner's; empty if it is.

    The marker names its cluster, since a copy of a directory carries a copy of the marker,
    and its libvirt: somewhere else, nobody sees the machines that use the volumes (L-18).
    """
    marker = _read(directory)
    if directory.is_symlink() or marker is None:
        return "It does not carry our marker."
    if marker.get("installId") != str(owner.install_id):
        return f"Its marker is of another install of this tool: {marker.get('installId')}."
    if marker.get("cluster") != directory.name:
        return f"Its marker names another cluster: {marker.get('cluster')}."
    hypervisor = marker.get("hypervisor") or owner.hypervisor
    if owner.hypervisor not in ("", hypervisor):
        return f"Its machines are at '{hypervisor}', not at '{owner.hypervisor}'."
    return ""


def is_unclaimed(directory: Path) -> bool:
    """Tell whether there is nothing in it but what a run was killed at: it was making it."""
    if directory.is_symlink():
        return False
    try:
        return all(entry.name.startswith(_LEFTOVERS) for entry in directory.iterdir())
    except PermissionError:
        return False


def _read(directory: Path) -> dict[str, object] | None:
    try:
        marker = json.loads((directory / MARKER).read_text())
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) else None


def _write(directory: Path, owner: Owner) -> bool:
    marker = {"installId": str(owner.install_id), "cluster": directory.name}
    if owner.hypervisor:
        marker["hypervisor"] = owner.hypervisor
    return write_atomically(directory / MARKER, json.dumps(marker))
