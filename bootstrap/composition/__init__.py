"""The composition root: the only package that builds adapters.

It is the ground of the command line and of every other way into the tool. Each adapter is
imported when it is first used, so that a command pays for no adapter but its own.
"""

from __future__ import annotations  # the names are imported for type checks only

from typing import TYPE_CHECKING

from bootstrap.adapters.directories import find_directories
from bootstrap.adapters.failures import explained, file_error
from bootstrap.composition.ports import LazyPorts
from bootstrap.composition.root import Composition

if TYPE_CHECKING:
    from bootstrap.adapters.known import KnownNames

__all__ = ["Composition", "LazyPorts", "explained", "file_error", "known_names"]


def known_names() -> KnownNames:
    """Return what the local files of this user name; asks no libvirt and makes no file."""
    from bootstrap.adapters.known import KnownNames  # noqa: PLC0415

    return KnownNames(find_directories())
