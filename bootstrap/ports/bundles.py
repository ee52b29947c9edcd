"""Bundles: what a host without a network needs, in one file."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from bootstrap.model.bundle import Bundle, Materials, Part
from bootstrap.model.cluster import NodeImage


class Bundles(Protocol):
    """Writes and reads bundles; what is in one is also kept by this user's caches."""

    def refuse_taken(self, target: Path) -> None:
        """Refuse a place at which no new file can be written.

        :raises UsageError: if there is such a file, or no such directory.
        """

    def write(self, target: Path, image: NodeImage, materials: Materials) -> Bundle:
        """Write an image, what it is made from, and this tool itself into one new file.

        A kill leaves it whole or absent. Python packages that are not cached are downloaded.

        :raises UsageError: as ``refuse_taken`` does.
        :raises HostError: if there is too little room.
        :raises BootstrapError: if a Python package cannot be had.
        """

    def read(self, source: Path) -> Bundle:
        """Return what the manifest of a file says; no other file in it is read.

        :raises StateError: if it is no bundle, or one of another layout.
        """

    def refusal(self, bundle: Bundle) -> str:
        """Say why this host and this version of the tool cannot use it; empty if they can."""

    def missing(self, bundle: Bundle) -> Sequence[Part]:
        """Name the parts that are not here as they are in the bundle; reads and hashes them."""

    def unpacked(
        self, source: Path, bundle: Bundle, parts: Sequence[Part]
    ) -> AbstractContextManager[Mapping[Part, Path]]:
        """Yield the parts in directories named as their keys, which the caller may empty.

        Every file of the bundle is read and hashed first, also of other parts. What is left at
        the end of the block goes away, and so does what killed runs have left.

        :raises StateError: on entry, if the file is damaged or holds anything else.
        :raises HostError: on entry, if there is too little room.
        """

    def sweep(self) -> None:
        """Remove what killed runs left."""
