"""One file from which a host without a network makes clusters: all that is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bootstrap.model.snapshot import SavedFile

#: Raise it when a bundle is written that this version could not read.
BUNDLE_LAYOUT = 1
README = "README.md"
PACKAGES = "debian-packages.txt"
WHEELS = "wheels"


class Part(StrEnum):
    """What a host takes out of a bundle; each is also the name of its directory there."""

    ARTIFACTS = "artifacts"
    BASE = "bases"
    IMAGE = "images"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a bundle is for, and its files."""

    layout: int
    #: In ISO 8601, with its zone.
    created: str
    #: Of this tool, whose wheel is in it.
    tool_version: str
    kubernetes_version: str
    #: The processors that its programs run on, as ``x86_64``.
    machine: str
    #: That of the interpreter which takes the wheels, as ``3.13``.
    python: str
    #: Key of what the image is made from; another version of the tool has another one.
    recipe: str
    #: By the parts, the keys under which they are kept.
    keys: Mapping[Part, str]
    #: By their names in the bundle.
    files: Mapping[str, SavedFile]

    def of_part(self, part: Part) -> Mapping[str, SavedFile]:
        """Return the files of a part, by their names in its directory."""
        return self._below(f"{part}/{self.keys[part]}/")

    @property
    def wheels(self) -> Sequence[str]:
        """The names of the Python packages, with their versions."""
        return sorted(self._below(f"{WHEELS}/"))

    @property
    def size_bytes(self) -> int:
        """What its files have, all together; less on storage, where only zeros take no room."""
        return sum(file.size_bytes for file in self.files.values())

    def _below(self, prefix: str) -> Mapping[str, SavedFile]:
        return {
            name.removeprefix(prefix): file
            for name, file in self.files.items()
            if name.startswith(prefix)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """Directories of what a node image is made from, each named as its key."""

    artifacts: Path
    base: Path
