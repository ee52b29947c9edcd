"""The marker file that makes a directory a cluster's: its state directory, and its volumes."""

import json
import shlex
import uuid
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.files import (
    TEMPORARY_PREFIX,
    private_directory,
    remove_entry,
    remove_tree,
    write_atomically,
)
from bootstrap.errors import NotOursError

MARKER = "bootstrap-cluster.json"
#: The names of the files that a kill leaves while the marker is written begin so.
_LEFTOVERS = f"{TEMPORARY_PREFIX}{MARKER}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The install of the tool, and the libvirt, that a directory belongs to.

    Neither matters for a state directory, which lies beside the install id.
    """

    install_id: uuid.UUID | None = None
    #: libvirt's URI; empty where it does not matter.
    hypervisor: str = ""


ANY = Owner()


def claim(directory: Path, owner: Owner = ANY, *, mode: int = 0o700) -> bool:
    """Create and mark a cluster's directory, which is named as the cluster; False if it was.

    :raises NotOursError: if it is not empty and does not carry our marker.
    """
    private_directory(directory, mode=mode)
    _refuse_foreign(directory, owner)
    return _read(directory) is None and _write(directory, owner)


def ensure_part(directory: Path, owner: Owner, *, mode: int, parents: int) -> Path:
    """Make a directory inside a cluster's, which is created and marked with it.

    ``parents`` is the mode of the cluster's directory and of the one around it.

    :raises NotOursError: as :func:`claim` does.
    """
    private_directory(directory.parent.parent, mode=parents)
    claim(directory.parent, owner, mode=parents)
    return private_directory(directory, mode=mode)


def restore(directory: Path, owner: Owner = ANY) -> bool:
    """Mark a directory that is proved to be ours; False if its marker can be read."""
    if not directory.is_dir() or directory.is_symlink() or _read(directory) is not None:
        return False
    return _write(directory, owner)


def is_ours(directory: Path, owner: Owner = ANY) -> bool:
    """Return whether :func:`remove` would remove the directory."""
    return directory.is_dir() and not _fault(directory, owner)


def remove(directory: Path, owner: Owner = ANY) -> bool:
    """Remove a cluster's directory and its content; False if there is none.

    :raises NotOursError: if it is a link, or not empty and without our marker.
    """
    if not directory.is_dir():
        return False
    _refuse_foreign(directory, owner)
    # The marker goes last: after a kill in between, the directory is still ours.
    remove_tree(directory, last=MARKER)
    return True


def remove_part(directory: Path, name: str, owner: Owner = ANY) -> bool:
    """Remove a file or a directory from a cluster's directory; False if there is none.

    :raises NotOursError: as :func:`remove` does.
    """
    part = directory / name
    if not part.exists() and not part.is_symlink():
        return False
    _refuse_foreign(directory, owner)
    remove_entry(part)
    return True


def recorded_hypervisor(directory: Path, install_id: uuid.UUID) -> str | None:
    """Return the URI of the libvirt that uses a cluster's volumes; None if unknown."""
    if _fault(directory, Owner(install_id=install_id)):
        return None
    found = (_read(directory) or {}).get("hypervisor")
    return found if isinstance(found, str) and found else None


def _refuse_foreign(directory: Path, owner: Owner) -> None:
    if fault := _fault(directory, owner):
        raise NotOursError(
            f"Directory '{directory}' is not ours, so it was left alone.",
            details=fault,
            hint=f"ls -la {shlex.quote(str(directory))}",
        )


def _fault(directory: Path, owner: Owner) -> str:
    """Return why a directory is not its owner's; empty if it is.

    The marker names the cluster, since a copy of a directory has a copy of the marker, and
    the libvirt: any other one does not know the machines that use the volumes (L-18).
    """
    if directory.is_symlink():
        return "It is a link."
    marker = _read(directory)
    if marker is None:
        return _content(directory)
    if owner.install_id and marker.get("installId") != str(owner.install_id):
        return f"Its marker is of another install of this tool: {marker.get('installId')}."
    if marker.get("cluster") != directory.name:
        return f"Its marker names another cluster: {marker.get('cluster')}."
    hypervisor = marker.get("hypervisor") or owner.hypervisor
    if owner.hypervisor not in ("", hypervisor):
        return f"Its machines are at '{hypervisor}', not at '{owner.hypervisor}'."
    return ""


def _content(directory: Path) -> str:
    """Return the fault of a directory without a marker.

    One that is empty is ours: a process was killed before it wrote the marker, or after it
    removed it.
    """
    try:
        names = sorted(entry.name for entry in directory.iterdir())
    except OSError as error:
        return f"It cannot be read: {error.strerror}."
    if all(name.startswith(_LEFTOVERS) for name in names):
        return ""
    return f"It does not carry our marker. It holds: {', '.join(names[:5])}."


def _read(directory: Path) -> dict[str, object] | None:
    try:
        marker = json.loads((directory / MARKER).read_text())
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) else None


def _write(directory: Path, owner: Owner) -> bool:
    marker = {"cluster": directory.name}
    if owner.install_id:
        marker["installId"] = str(owner.install_id)
    if owner.hypervisor:
        marker["hypervisor"] = owner.hypervisor
    return write_atomically(directory / MARKER, json.dumps(marker))
