"""Write files that are whole or absent, and private whatever the umask is."""

import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bootstrap.errors import HostError, NotOursError

#: The names of our temporary files begin with it.
TEMPORARY_PREFIX = ".bootstrap-"


def private_directory(path: Path, *, mode: int = 0o700) -> Path:
    """Make a directory, and parents that are missing, private whatever the umask is.

    :raises NotOursError: if it is a link or belongs to another user (H-11, H-13).
    :raises HostError: if it belongs to the user who called sudo, whose HOME was kept (P-14).
    """
    for parent in reversed([above for above in path.parents if not above.exists()]):
        # Not with parents=True: their modes would depend on the umask (H-13).
        with contextlib.suppress(FileExistsError):
            parent.mkdir(mode=0o755)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=mode)
        path.chmod(mode)
    status = path.lstat()
    if status.st_uid != os.getuid() and os.environ.get("SUDO_UID") == str(status.st_uid):
        raise HostError(
            f"Directory '{path}' belongs to the user who called sudo, so root did not use it.",
            details="That user could neither use nor remove what root makes there.",
            hint="Run it without sudo: bootstrap list",
        )
    if status.st_uid != os.getuid() or path.is_symlink():
        raise NotOursError(
            f"Directory '{path}' is a link or belongs to another user, so it was not used.",
            details=f"owner uid {status.st_uid}, ours is {os.getuid()}",
            hint='Name another place: export BOOTSTRAP_HOME="$HOME/bootstrap"',
        )
    if status.st_mode & 0o022:
        raise NotOursError(
            f"Directory '{path}' is writable by others, so it was not used.",
            hint=f"chmod go-w {shlex.quote(str(path))}",
        )
    return path


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o600) -> bool:
    """Replace a file in one step, with fsync; return False if it already held ``content``.

    A kill at any moment leaves the old file or the new one, and at most one temporary
    file, which the next call or :func:`sweep` removes, even if there is nothing to write.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data and path.stat().st_mode & 0o777 == mode:
        sweep(path.parent, path.name)
        return False
    with replacing(path, mode=mode) as temporary:
        temporary.write_bytes(data)
    return True


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = 0o600) -> Iterator[Path]:
    """Yield a temporary file beside ``path``, which replaces it if the block succeeds.

    Removes what killed runs left of the same file first.
    """
    sweep(path.parent, path.name)
    with temporary_beside(path) as (temporary, _):
        yield temporary
        temporary.chmod(mode)
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[tuple[Path, int]]:
    """Yield a new file and its descriptor; a flock on it shows that this process lives."""
    descriptor, name = tempfile.mkstemp(prefix=f"{TEMPORARY_PREFIX}{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield temporary, descriptor
    finally:
        temporary.unlink(missing_ok=True)
        os.close(descriptor)


def sweep(directory: Path, name: str | None = None) -> None:
    """Remove what killed runs left of the file ``name``, or of all; open ones stay."""
    of_file = re.escape(name) if name else ".+"
    pattern = re.compile(rf"{re.escape(TEMPORARY_PREFIX)}{of_file}\.[a-z0-9_]{{8}}")
    for leftover in directory.iterdir():
        if pattern.fullmatch(leftover.name):
            remove_abandoned(leftover)


def remove_abandoned(path: Path) -> bool:
    """Remove a file unless a process holds a flock on it; return whether it was removed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return remove_same(path, descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def remove_same(path: Path, descriptor: int) -> bool:
    """Remove a file if it is still the one of ``descriptor``; return whether it was removed."""
    with contextlib.suppress(FileNotFoundError):
        if is_same(path, descriptor):
            path.unlink()
            return True
    return False


def is_same(path: Path, descriptor: int) -> bool:
    """Tell whether a file is the one of ``descriptor``, and no other that has its name now."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    return False


def remove_entry(path: Path) -> None:
    """Remove a directory with all in it, or a file; a link, not what it leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_tree(directory: Path, *, last: str) -> None:
    """Remove a directory, and in it the file ``last``, which names its owner, after all others."""
    for entry in directory.iterdir():
        # A directory of that name is not the file.
        if entry.name != last or (entry.is_dir() and not entry.is_symlink()):
            remove_entry(entry)
    (directory / last).unlink(missing_ok=True)
    directory.rmdir()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Have the host write a file or a directory to its storage."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
