"""Write a cluster's own kubeconfig."""

from pathlib import Path

import yaml

from bootstrap.adapters.files import write_atomically
from bootstrap.model.kubeconfig import Document


def write_own(path: Path, document: Document) -> bool:
    """Make ``path`` hold ``document``, private and in one step; tell whether it changed."""
    return write_atomically(path, yaml.safe_dump(document, sort_keys=False))
