"""Write bundles, and take what is in one."""

import contextlib
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bootstrap.adapters.bundles.contents import directories_of, files_of, read_bundle
from bootstrap.adapters.bundles.describing import describe, empty_bundle, gather, refusal_here
from bootstrap.adapters.bundles.holding import holds
from bootstrap.adapters.bundles.unpacking import unpack
from bootstrap.adapters.bundles.wheels import make_wheels
from bootstrap.adapters.clock import now_text
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import TEMPORARY_PREFIX, private_directory
from bootstrap.adapters.locks import locked
from bootstrap.adapters.manifested import MANIFEST, write_archive
from bootstrap.adapters.space import refuse_full
from bootstrap.errors import LockedError, UsageError
from bootstrap.model.bundle import WHEELS, Bundle, Materials, Part
from bootstrap.model.cluster import NodeImage
from bootstrap.ports import Events

_DRAFT = f"{TEMPORARY_PREFIX}draft"
#: Another one that is written or read takes minutes.
_LOCK_TIMEOUT_S = 1800
#: What the wheels have, and a margin.
_WHEEL_BYTES = 128 << 20
_BLOCK_BYTES = 512


class FileBundles:
    """Implements :class:`bootstrap.ports.Bundles`; see there for the promises."""

    def __init__(
        self,
        directories: Directories,
        events: Events,
        *,
        wheels: Callable[[Path, Path, Events], None] = make_wheels,
        now: Callable[[], str] = now_text,
    ) -> None:
        self._directories, self._events = directories, events
        self._wheels, self._now = wheels, now
        #: Beside the images, into which the largest file is moved.
        self._root = directories.images.parent / "bundles"

    def refuse_taken(self, target: Path) -> None:
        """See the port."""
        if target.exists() or target.is_symlink():
            raise UsageError(
                f"File '{target}' exists, so it was left alone.",
                hint=f"ls -l {shlex.quote(str(target))}",
            )
        if not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
            raise UsageError(
                f"There is no directory '{target.parent}' in which a file can be written.",
                hint=f"ls -ld {shlex.quote(str(target.parent.parent))}",
            )

    @explained("write the bundle")
    def write(self, target: Path, image: NodeImage, materials: Materials) -> Bundle:
        """See the port."""
        self.refuse_taken(target)
        parts = directories_of(image, materials)
        files = files_of(parts)
        needed = sum(path.stat().st_blocks * _BLOCK_BYTES for path in files.values())
        refuse_full(target.parent, needed + _WHEEL_BYTES, what="a bundle", hint="df -h")
        keys = {part: directory.name for part, directory in parts.items()}
        with self._draft() as draft:
            log = private_directory(self._directories.cache / "logs") / "wheels.log"
            self._wheels(private_directory(draft / WHEELS), log, self._events)
            gather(draft, files)
            self._events.note("Hashing the files of the bundle")
            bundle = empty_bundle(image.kubernetes_version, keys, self._now())
            whole = describe(draft, bundle, target.name)
            self._events.note(f"Writing {len(whole.files)} files into '{target}'")
            write_archive(target, [(draft, [MANIFEST, *whole.files])])
        return whole

    @explained("read the bundle")
    def read(self, source: Path) -> Bundle:
        """See the port."""
        return read_bundle(source)

    def refusal(self, bundle: Bundle) -> str:
        """See the port."""
        return refusal_here(bundle)

    @explained("compare the caches with the bundle")
    def missing(self, bundle: Bundle) -> Sequence[Part]:
        """See the port."""
        return [part for part in Part if not holds(self._directories, bundle, part)]

    @contextlib.contextmanager
    def unpacked(
        self, source: Path, bundle: Bundle, parts: Sequence[Part]
    ) -> Iterator[Mapping[Part, Path]]:
        """See the port."""
        needed = sum(file.size_bytes for part in parts for file in bundle.of_part(part).values())
        with self._draft() as draft:
            with explained("read the bundle"):
                refuse_full(draft, needed, what="what is in the bundle", hint="df -h")
                places = {part: draft / part / bundle.keys[part] for part in parts}
                unpack(source, bundle, places, self._events)
            yield places

    @explained("remove what killed runs left of bundles")
    def sweep(self) -> None:
        """See the port."""
        if self._root.is_dir():
            # A run that works there removes it itself.
            with contextlib.suppress(LockedError), self._locked(timeout_s=0):
                self._remove_root()

    @contextlib.contextmanager
    def _draft(self) -> Iterator[Path]:
        """Yield an empty directory, which goes away at the end of the block."""
        with self._locked():
            with explained("make room for a bundle"):
                self._remove_root()
                private_directory(self._root)
                draft = private_directory(self._root / _DRAFT)
            try:
                yield draft
            finally:
                self._remove_root()

    def _remove_root(self) -> None:
        shutil.rmtree(self._root / _DRAFT, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._root.rmdir()

    def _locked(
        self, timeout_s: float = _LOCK_TIMEOUT_S
    ) -> contextlib.AbstractContextManager[None]:
        lock = self._directories.locks / ".bundles.lock"
        return locked(lock, what="a bundle", timeout_s=timeout_s)
