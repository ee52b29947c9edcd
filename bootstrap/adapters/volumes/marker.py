"""The marker file that makes a cluster's volume directory ours."""

import json
import uuid
from pathlib import Path

from bootstrap.adapters.claims import refuse_foreign
from bootstrap.adapters.files import TEMPORARY_PREFIX, write_atomically

MARKER = ".bootstrap-cluster.json"
#: How what a kill leaves begins that came while the marker was written.
_LEFTOVERS = f"{TEMPORARY_PREFIX}{MARKER}."


def mark_new(directory: Path, install_id: uuid.UUID | None) -> None:
    """Mark a directory that has no marker and holds nothing of anybody's.

    :raises NotOursError: naming what it holds.
    """
    if not (directory / MARKER).exists():
        refuse_foreign(directory, leftovers=_LEFTOVERS)
        _write(directory, install_id)


def restore_marker(directory: Path, install_id: uuid.UUID | None) -> bool:
    """Mark a directory that is proved to be ours, unless its marker can be read."""
    if directory.is_symlink() or _read(directory) is not None:
        return False
    return _write(directory, install_id)


def fault_of(directory: Path, install_id: uuid.UUID | None) -> str:
    """Say why a directory is not ours; empty if it is.

    The marker names its cluster, since a copy of a directory carries a copy of the marker.
    """
    marker = _read(directory)
    if directory.is_symlink() or marker is None:
        return "It does not carry our marker."
    if marker.get("installId") != str(install_id):
        return f"Its marker is of another install of this tool: {marker.get('installId')}."
    if marker.get("cluster") != directory.name:
        return f"Its marker names another cluster: {marker.get('cluster')}."
    return ""


def _read(directory: Path) -> dict[str, object] | None:
    try:
        marker = json.loads((directory / MARKER).read_text())
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) else None


def is_unclaimed(directory: Path) -> bool:
    """Tell whether there is nothing in it but what a run was killed at: it was making it."""
    if directory.is_symlink():
        return False
    try:
        return all(entry.name.startswith(_LEFTOVERS) for entry in directory.iterdir())
    except PermissionError:
        return False


def _write(directory: Path, install_id: uuid.UUID | None) -> bool:
    marker = {"installId": str(install_id), "cluster": directory.name}
    return write_atomically(directory / MARKER, json.dumps(marker))
