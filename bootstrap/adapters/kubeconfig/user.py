"""Merge our entries into the user's kubeconfig, and remove them again."""

import contextlib
import os
import re
import shlex
import stat
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import replacing, sweep
from bootstrap.adapters.kubeconfig.editing import edited
from bootstrap.adapters.kubeconfig.lock import kubectl_lock, remove_abandoned_files
from bootstrap.adapters.kubeconfig.places import file_for_new_entries, home_file, kubeconfig_files
from bootstrap.adapters.kubeconfig.reading import read_document, read_text
from bootstrap.errors import BootstrapError, NotOursError
from bootstrap.model.kubeconfig import Document, Unmerged, marked, merged, refuse_others, unmerged
from bootstrap.model.kubeconfig_file import file_marked, file_unmarked, is_ours_and_empty
from bootstrap.model.names import ClusterName, kubeconfig_entry

#: kubectl itself gives up at once; a user's script may hold the lock for long.
PATIENCE_S = 30.0
_COMMENT = re.compile(r"(^|\s)#", re.MULTILINE)


def check_user(cluster: ClusterName, install_id: uuid.UUID, environ: Mapping[str, str]) -> None:
    """Check that :func:`merge_into_user` will find no entry that it refuses.

    :raises NotOursError: if an entry of that name is not ours.
    :raises StateError: if a file is not a kubeconfig.
    """
    refuse_others([_read(file) for file in kubeconfig_files(environ)], cluster, install_id)


def merge_into_user(
    document: Document,
    *,
    use: bool,
    install_id: uuid.UUID,
    environ: Mapping[str, str],
    patience_s: float = PATIENCE_S,
) -> Path:
    """Merge the cluster's own kubeconfig into the user's, and return the changed file's path.

    Everything else in that file stays as it is, comments too. Nothing is written if
    nothing changes. See :func:`bootstrap.model.kubeconfig.merged` for the rules. A file
    that is made for it is marked as ours.

    :raises NotOursError: if an entry of that name is not ours.
    :raises StateError: if a file is not a kubeconfig.
    :raises LockedError: if the file stays locked for ``patience_s`` seconds.
    """
    files = kubeconfig_files(environ)
    target = file_for_new_entries(files)
    ours = marked(document, install_id)
    _read(target)  # a file that is no kubeconfig is refused before anything is made beside it
    with _writing(target):
        _make_directory(target.parent)
    with kubectl_lock(target, patience_s=patience_s):
        beside = [_read(file) for file in files if file != target]
        is_new = not os.path.lexists(target)  # a link is the user's, whatever it leads to

        def with_ours(existing: Document) -> Document:
            result = merged(existing, ours, use=use, beside=beside)
            return file_marked(result, install_id) if is_new else result

        # From now on the file holds a key, which others on this host must not read (H-15).
        _edit(target, with_ours, install_id, allowed=stat.S_IRWXU)
    return target


def remove_from_user(
    cluster: ClusterName,
    install_id: uuid.UUID,
    environ: Mapping[str, str],
    *,
    patience_s: float = PATIENCE_S,
) -> list[str]:
    """Remove our entries from every file of the user's; return those that were kept.

    ``~/.kube/config`` is changed even if KUBECONFIG names other files now. A file that we
    made and that has no other content is removed. A file that fails does not keep the
    others from being cleaned; the first error is raised at the end.
    """
    kept: list[str] = []
    errors: list[BootstrapError] = []
    documents: dict[Path, Document] = {}
    name = kubeconfig_entry(cluster)
    for file in _files_with(name, install_id, environ):
        with _collecting(errors):
            documents[file] = _read(file)

    def without(existing: Document) -> Unmerged:
        rest, changed = unmerged(existing, cluster, install_id, beside=list(documents.values()))
        return Unmerged(file_unmarked(rest, install_id), changed)

    # The files whose current context is ours come first, and none may fail: once the context
    # is removed, no rerun could know that the name was ours.
    by_context = {file: documents[file].get("current-context") == name for file in documents}
    for file in sorted(documents, key=by_context.__getitem__, reverse=True):
        with contextlib.nullcontext() if by_context[file] else _collecting(errors):
            result = without(documents[file])
            if result.document != documents[file]:
                with kubectl_lock(file, patience_s=patience_s):
                    _edit(file, lambda existing: without(existing).document, install_id)
            kept += [f"{entry} in '{file}'" for entry in result.kept]
    if errors:
        raise errors[0]
    return kept


@contextlib.contextmanager
def _collecting(errors: list[BootstrapError]) -> Iterator[None]:
    try:
        yield
    except BootstrapError as error:
        errors.append(error)


def _files_with(name: str, install_id: uuid.UUID, environ: Mapping[str, str]) -> list[Path]:
    """List the files that may hold an entry of ours, so that no other is even parsed."""
    files = dict.fromkeys([*kubeconfig_files(environ), home_file(environ)])
    for file in files:
        # A run that was killed with the lock in hand may have removed our entries already.
        remove_abandoned_files(file)
    return [file for file in files if _may_hold(file, name.encode(), str(install_id).encode())]


def _may_hold(file: Path, *words: bytes) -> bool:
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # reading it as a kubeconfig reports why it cannot be read
    return any(word in content for word in words)


def _read(path: Path) -> Document:
    return read_document(path, read_text(path))


def _edit(
    path: Path,
    change: Callable[[Document], Document],
    install_id: uuid.UUID,
    *,
    allowed: int = 0o777,
) -> None:
    """Change a kubeconfig whose lock we hold; a link is kept and its target replaced.

    Of the file's mode, the bits in ``allowed`` stay.
    """
    target = path.resolve()
    text = read_text(target)
    before = read_document(path, text)
    after = change(before)
    changed = edited(text, before, after)
    is_empty = is_ours_and_empty(before, after, install_id) and not _COMMENT.search(changed)
    with _writing(path):
        sweep(target.parent, target.name)
        if changed == text:
            return
        _refuse_read_only(target)
        if is_empty and not path.is_symlink():
            target.unlink()
        else:
            _replace(target, changed, allowed)


def _writing(path: Path) -> contextlib.AbstractContextManager[None]:
    return explained(f"write the kubeconfig '{path}'; it is as it was")


def _refuse_read_only(target: Path) -> None:
    if target.exists() and not os.access(target, os.W_OK):
        raise BootstrapError(
            f"Could not change the kubeconfig '{target}': it is read-only.",
            hint=f"chmod u+w {shlex.quote(str(target))}",
        )


def _replace(target: Path, text: str, allowed: int) -> None:
    status = target.stat() if target.exists() else None
    with replacing(target, mode=status.st_mode & allowed if status else 0o600) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
        if status is not None:
            _keep_owner(temporary, target, status)


def _keep_owner(temporary: Path, target: Path, status: os.stat_result) -> None:
    ours = temporary.stat()
    if (ours.st_uid, ours.st_gid) == (status.st_uid, status.st_gid):
        return
    try:
        os.chown(temporary, status.st_uid, status.st_gid)
    except PermissionError as error:
        raise NotOursError(
            f"The kubeconfig '{target}' belongs to another user, so it was left alone.",
            hint=f"ls -l {shlex.quote(str(target))}",
        ) from error


def _make_directory(directory: Path) -> None:
    """Make a directory and its parents, each private whatever the umask is."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
