"""Mark a kubeconfig file that we made, so that we may remove it when it is empty again.

An entry's mark says that the entry is ours; the file may be another program's. This mark
is an extension of the whole document, which kubectl keeps when it rewrites the file.
"""

import uuid
from typing import Any

from bootstrap.model.kubeconfig import Document, has_entries

_SECTION = "extensions"
#: They describe the file and are no content.
_HEAD = ("apiVersion", "kind")


def file_marked(document: Document, install_id: uuid.UUID) -> Document:
    """Return the document of a file that we make, with our mark on it."""
    return {**document, _SECTION: [_mark(install_id)]}


def file_unmarked(document: Document, install_id: uuid.UUID) -> Document:
    """Return the document without our mark, unless entries of ours are left in it."""
    if not _is_marked(document, install_id) or has_entries(document, install_id):
        return document
    others = [item for item in document[_SECTION] if item != _mark(install_id)]
    result = {key: value for key, value in document.items() if key != _SECTION}
    return {**result, _SECTION: others} if others else result


def is_ours_and_empty(before: Document, after: Document, install_id: uuid.UUID) -> bool:
    """Report whether the change of a file that we made removes its last content."""
    content = [value for key, value in after.items() if key not in _HEAD]
    return _is_marked(before, install_id) and not any(content)


def _is_marked(document: Document, install_id: uuid.UUID) -> bool:
    extensions = document.get(_SECTION)
    return isinstance(extensions, list) and _mark(install_id) in extensions


def _mark(install_id: uuid.UUID) -> dict[str, Any]:
    return {"name": "bootstrap.dev/file", "extension": {"installId": str(install_id)}}
