"""Download one file, as a process of its own: ``fetching.py URL SHA256 DIRECTORY``."""

import sys
from pathlib import Path

from bootstrap.adapters.downloads.fetch import Downloads, RemoteFile
from bootstrap.adapters.events.stream import EventStream
from bootstrap.errors import BootstrapError

if __name__ == "__main__":
    url, sha256, directory = sys.argv[1:]
    try:
        file = RemoteFile(url=url, sha256=sha256, title="kubelet")
        Downloads(Path(directory), EventStream()).fetch(file)
    except BootstrapError as error:
        sys.exit(f"{error.exit_code} {error.message} {error.details} {error.hint}")
