"""Remove built sets that no version of the lock wants any more."""

import re
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from bootstrap.adapters.artifacts.store import Store
from bootstrap.adapters.locks import locked
from bootstrap.errors import LockedError

#: The key of the sources and the Go release: nothing else in the directory is a set.
_SET = re.compile(r"[0-9a-f]{32}-go[^/]+")


def lock_of_set(directory: Path) -> Path:
    """Name the lock under which a set is built or removed; it lies outside of the set."""
    return directory.parent / ".locks" / f"{directory.name}.lock"


def unwanted_sets(root: Path, wanted: Collection[str]) -> Sequence[Path]:
    """List the sets below ``root`` whose names are not wanted; changes nothing."""
    if not root.is_dir():
        return []
    return sorted(
        path
        for path in root.iterdir()
        if _SET.fullmatch(path.name)
        and path.name not in wanted
        and path.is_dir()
        and not path.is_symlink()
    )


def remove_sets(doomed: Sequence[Path], progress: Callable[[str], None]) -> Sequence[str]:
    """Remove sets that no other run builds at this moment, and name those that are gone."""
    removed = []
    for directory in doomed:
        try:
            with locked(lock_of_set(directory), what="the artefacts"):
                _remove(directory)
        except LockedError as busy:
            progress(f"Kept '{directory.name}': {busy.details}.")
        else:
            removed.append(directory.name)
    return removed


def _remove(directory: Path) -> None:
    # Without its manifest a set names no file: a kill in between leaves no half of one.
    Store(directory).disown()
    shutil.rmtree(directory)
