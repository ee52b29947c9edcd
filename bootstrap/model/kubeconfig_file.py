"""The mark on a kubeconfig file that we made, so that we may remove it when it is empty again.

An entry's mark says that the entry is ours; the file around it may be anybody's. This one
is an extension of the whole document, which kubectl keeps when it writes the file anew.
"""

import uuid
from collections.abc import Mapping

from bootstrap.model.kubeconfig import Document, entries_of_install

_EXTENSION = "bootstrap.dev/file"
_SECTION = "extensions"
#: They say what the file is, not what is in it.
_HEAD = ("apiVersion", "kind")


def file_marked(document: Document, install_id: uuid.UUID) -> Document:
    """Give the document of a file that we make with our mark on it."""
    mark = {"name": _EXTENSION, "extension": {"installId": str(install_id)}}
    return {**document, _SECTION: [mark]}


def file_unmarked(document: Document, install_id: uuid.UUID) -> Document:
    """Give the document without our mark, unless entries of ours are left in it."""
    if not _is_marked(document, install_id) or any(entries_of_install(document, install_id)):
        return document
    others = [item for item in document[_SECTION] if not _is_mark(item, install_id)]
    result = {key: value for key, value in document.items() if key != _SECTION}
    return {**result, _SECTION: others} if others else result


def is_ours_and_empty(before: Document, after: Document, install_id: uuid.UUID) -> bool:
    """Tell whether a file that we made has lost the last thing in it, anybody's."""
    return (
        _is_marked(before, install_id)
        and not _is_marked(after, install_id)
        and not any(value for key, value in after.items() if key not in _HEAD)
    )


def _is_marked(document: Document, install_id: uuid.UUID) -> bool:
    extensions = document.get(_SECTION)
    return isinstance(extensions, list) and any(_is_mark(item, install_id) for item in extensions)


def _is_mark(item: object, install_id: uuid.UUID) -> bool:
    if not isinstance(item, Mapping) or item.get("name") != _EXTENSION:
        return False
    mark = item.get("extension")
    return isinstance(mark, Mapping) and mark.get("installId") == str(install_id)
