"""Save what explains a cluster's state in one archive, without secrets."""

import io
import os
import shlex
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path

from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory, replacing
from bootstrap.adapters.marker import claim
from bootstrap.adapters.redaction import known_secrets, without_secrets
from bootstrap.errors import UsageError
from bootstrap.model.names import ClusterName
from bootstrap.terminal import without_control_codes


class SavedEvidence:
    """Implements :class:`bootstrap.ports.Evidence`; archives are under the state directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @explained("save the logs")
    def save(
        self, cluster: ClusterName, files: Mapping[str, str], *, target: Path | None = None
    ) -> Path:
        """See the port."""
        directory = self._root / str(cluster)
        name = f"{cluster}-logs-{time.strftime('%Y%m%dT%H%M%S')}"
        secrets = known_secrets(directory)
        texts = {
            f"{name}/{path}": without_secrets(without_control_codes(text), secrets)
            for path, text in files.items()
        }
        if target is None:
            claim(directory)
            place = private_directory(directory / "logs") / f"{name}.tar.gz"
            with replacing(place) as temporary, temporary.open("wb") as stream:
                _write(stream, texts)
            return place
        with _new_file(target) as stream:
            _write(stream, texts)
        return target


def _new_file(path: Path) -> io.BufferedWriter:
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError as error:
        raise UsageError(
            f"File '{path}' exists already, so it was left alone.",
            hint=f"ls -l {shlex.quote(str(path))}",
        ) from error


def _write(stream: io.BufferedWriter, texts: Mapping[str, str]) -> None:
    now = time.time()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path, text in texts.items():
            data = text.encode(errors="replace")
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(data), 0o600, now
            archive.addfile(entry, io.BytesIO(data))
