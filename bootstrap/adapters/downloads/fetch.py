"""Download files by their digests: resumed, checked, and once however many processes ask."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from bootstrap.adapters.downloads.connections import Connections, without_password
from bootstrap.adapters.downloads.failures import Passing, WrongRange, host_error, portal, refused
from bootstrap.adapters.downloads.following import Trust, anybody, opened
from bootstrap.adapters.downloads.pace import Pace, Patience
from bootstrap.adapters.downloads.partial import Partial
from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory, sha256_of
from bootstrap.adapters.locks import locked
from bootstrap.errors import BootstrapError, LockedError
from bootstrap.ports import Events
from bootstrap.waiting import pause

_CHUNK = 1 << 18
#: Another process may be fetching the same over a slow line.
_LOCK_TIMEOUT_S = 3600
#: A file of checksums, or a manifest of an image, is far smaller.
_LONGEST_TEXT = 4 << 20
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file of a server whose content is known before."""

    url: str
    #: In lower-case hexadecimal digits.
    sha256: str
    #: What it is called while it comes.
    title: str


class Downloads:
    """Keeps downloads in a directory, each under its SHA-256 once it is whole and right.

    Reports how much of a file is there, and each attempt that failed.
    """

    def __init__(
        self,
        directory: Path,
        events: Events,
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = pause,
    ) -> None:
        self._directory = directory
        self._events = events
        self._patience = patience or Patience()
        self._sleep = sleep
        self._connections = Connections(
            connect_s=self._patience.connect_s, read_s=self._patience.stall_s
        )

    def fetch(self, file: RemoteFile) -> Path:
        """Return the file with these bytes, from the disk or from its server.

        A kill leaves a part, under another name, that the next call goes on with.

        :raises HostError: if the network, a proxy or the disk of this host is in the way.
        :raises BootstrapError: if the server does not give the file.
        """
        path = self._directory / file.sha256
        with explained(f"download '{file.title}'"):
            private_directory(self._directory)
            lock, what = self._lock_of(file.sha256), f"the download of {file.title}"
            with locked(lock, what=what, timeout_s=_LOCK_TIMEOUT_S):
                if not path.is_file() or sha256_of(path) != file.sha256:
                    self._download(file, path)
        return path

    def prune(self) -> Sequence[str]:
        """Remove what killed downloads left, and return the names; what comes now is kept."""
        removed = []
        for path in sorted(self._directory.glob("[0-9a-f]*")):
            with contextlib.suppress(LockedError), locked(self._lock_of(path.stem), what=path.name):
                path.unlink()
                removed.append(f"download-{path.name}")
        return removed

    def _lock_of(self, sha256: str) -> Path:
        return self._directory / ".locks" / f"{sha256}.lock"

    def read(self, url: str, *, trust: Trust, accept: str = "*/*") -> bytes:
        """Return a short text of a server whose content is not known before.

        Only hosts that ``trust`` knows may answer for that of the URL.

        :raises BootstrapError: as for :meth:`fetch`, and if it is a web page or too long.
        """
        return self._persistently(url, lambda: self._read(url, trust, accept))

    def _read(self, url: str, trust: Trust, accept: str) -> bytes:
        body = b""
        with opened(self._connections, url, {"Accept": accept}, trust) as response:
            if response.status == HTTPStatus.PARTIAL_CONTENT:
                raise WrongRange
            while data := response.read1(_CHUNK):
                body += data
                if len(body) > _LONGEST_TEXT:
                    raise refused(without_password(url), "it is too long for what it should be")
        if body.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
            raise portal(without_password(url), "it begins like a web page")
        return body

    def _download(self, file: RemoteFile, path: Path) -> None:
        partial = Partial(path.with_suffix(".partial"))
        was_resumed = partial.size > 0
        self._persistently(file.url, lambda: self._receive(file, partial), partial)
        if partial.publish(path, file.sha256):
            return
        # The part may have been of another file, or a byte was changed on the way.
        reason = "what was left of an earlier download" if was_resumed else "the first download"
        self._events.note(f"{file.title} fails its SHA-256 with {reason}; fetching it once more.")
        self._persistently(file.url, lambda: self._receive(file, partial), partial)
        if not partial.publish(path, file.sha256):
            raise BootstrapError(
                f"Could not download '{file.title}': what came is not the file that is wanted.",
                details=f"address: {without_password(file.url)}\nSHA-256 wanted: {file.sha256}",
                hint="bootstrap doctor",
            )

    def _receive(self, file: RemoteFile, partial: Partial) -> None:
        """Receive the file, or the rest of it."""
        try:
            self._receive_rest(file, partial)
        except WrongRange:
            partial.remove()
            self._receive_rest(file, partial)

    def _receive_rest(self, file: RemoteFile, partial: Partial) -> None:
        shown = without_password(file.url)
        with opened(self._connections, file.url, partial.headers(), anybody) as response:
            total = partial.begin(response, shown)
            pace = Pace(
                title=f"Downloading {file.title}",
                total=total,
                done=partial.size,
                patience=self._patience,
                events=self._events,
            )
            while data := response.read1(_CHUNK):
                partial.add(data, shown)
                pace.add(len(data))
        if total is not None and partial.size < total:
            raise Passing("the connection broke off before the end")

    def _persistently(
        self, url: str, attempt: Callable[[], _T], partial: Partial | None = None
    ) -> _T:
        """Try until it succeeds; give up after several attempts that brought nothing."""
        failed = 0
        while True:
            before = partial.size if partial else 0
            try:
                return attempt()
            except Passing as passing:
                gained = (partial.size if partial else 0) - before
                failed = 1 if gained >= self._patience.worthwhile_bytes else failed + 1
                self._sleep(self._pause(url, passing, failed))
            except WrongRange as wrong:
                reason = "the server gives a part of the file that was not asked for"
                raise refused(without_password(url), reason) from wrong

    def _pause(self, url: str, passing: Passing, failed: int) -> float:
        """Return how long to wait before the next attempt.

        :raises HostError: if there shall be none.
        """
        shown, longest = without_password(url), self._patience.longest_pause_s
        if passing.pause_s is not None and passing.pause_s > longest:
            wanted = f"it wants a pause of {passing.pause_s:.0f} s, more than {longest:.0f} s"
            raise host_error(f"Could not fetch '{shown}': {passing}.", details=wanted)
        if failed >= self._patience.attempts:
            tried = f"{failed} attempts in a row failed"
            raise host_error(f"Could not fetch '{shown}': {passing}.", details=tried) from passing
        usual = self._patience.first_pause_s * (1 << (failed - 1))
        seconds = max(passing.pause_s or 0, usual)
        self._events.note(f"{shown}: {passing}; trying again in {seconds:.0f} s.")
        return seconds
