"""The file in a cluster's directory that names the snapshot which its machines came from."""

import json
from dataclasses import asdict
from pathlib import Path

from bootstrap.adapters.files import write_atomically
from bootstrap.errors import StateError
from bootstrap.model.snapshot import Origin

_FILE = "origin.json"


def read_origin(directory: Path) -> Origin | None:
    """Return what :func:`write_origin` wrote; None if it never did.

    :raises StateError: if the file is damaged.
    """
    path, cluster = directory / _FILE, directory.name
    try:
        return Origin(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise StateError(
            f"The file '{path}' is damaged.",
            details=f"{error}\nIt names the snapshot that the cluster was restored from.",
            hint=f"bootstrap down {cluster}",
        ) from error


def write_origin(directory: Path, origin: Origin) -> None:
    """Replace the file in one step."""
    write_atomically(directory / _FILE, json.dumps(asdict(origin)))
