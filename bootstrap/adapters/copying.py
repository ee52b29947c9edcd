"""Copy the file of a disk."""

from pathlib import Path

from bootstrap.adapters.process import run

_TIMEOUT_S = 3600


def copy_file(source: Path, target: Path) -> None:
    """Copy a file: where the file system can share the blocks of both, in no time.

    :raises BootstrapError: if it fails, as on a full disk; then a part of ``target`` may be there.
    """
    run(
        ["cp", "--reflink=auto", "--sparse=auto", "--no-preserve=all", "--", source, target],
        action=f"copy '{source}' to '{target}'",
        timeout_s=_TIMEOUT_S,
        hint="df -h",
    )
