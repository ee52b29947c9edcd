"""Tell a cluster's own directory from one that only has its name."""

import shlex
from pathlib import Path

from bootstrap.adapters.files import (
    TEMPORARY_PREFIX,
    private_directory,
    remove_tree,
    sweep,
    write_atomically,
)
from bootstrap.errors import NotOursError

MARKER = "cluster-name"


def claim(directory: Path) -> bool:
    """Make the directory a cluster's, named as it is; tell whether that changed anything.

    :raises NotOursError: if it holds something and does not carry our marker.
    """
    private_directory(directory)
    if (directory / MARKER).exists():
        return False
    refuse_foreign(directory)
    sweep(directory)
    return write_atomically(directory / MARKER, f"{directory.name}\n")


def restore_claim(directory: Path) -> bool:
    """Put back the marker of a directory that is proved to be ours; says whether it was lost."""
    if not directory.is_dir() or directory.is_symlink() or (directory / MARKER).exists():
        return False
    return write_atomically(directory / MARKER, f"{directory.name}\n")


def remove_claimed(directory: Path) -> bool:
    """Remove a cluster's directory with all that is in it; False if there is none, or a link.

    :raises NotOursError: if it holds something and does not carry our marker.
    """
    if not directory.is_dir() or directory.is_symlink():
        return False
    if not (directory / MARKER).exists():
        refuse_foreign(directory)
    # The marker goes last: a kill in between leaves a directory that is still ours.
    remove_tree(directory, last=MARKER)
    return True


def is_claimed(directory: Path) -> bool:
    """Tell whether :func:`remove_claimed` would remove it: it is marked, or holds nothing."""
    if not directory.is_dir() or directory.is_symlink():
        return False
    try:
        return (directory / MARKER).exists() or not _strange(directory, TEMPORARY_PREFIX)
    except PermissionError:
        return False


def refuse_foreign(directory: Path, *, leftovers: str = TEMPORARY_PREFIX) -> None:
    """Stop at a directory without a marker that holds more than a kill leaves before there is one.

    ``leftovers`` is how the names of such temporary files begin.

    :raises NotOursError: naming what it holds.
    """
    if _strange(directory, leftovers):
        names = sorted(entry.name for entry in directory.iterdir())
        raise NotOursError(
            f"Directory '{directory}' is not empty and does not carry our marker.",
            details="It holds: " + ", ".join(names[:5]),
            hint=f"ls -la {shlex.quote(str(directory))}",
        )


def _strange(directory: Path, leftovers: str) -> bool:
    return any(not entry.name.startswith(leftovers) for entry in directory.iterdir())
