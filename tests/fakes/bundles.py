"""Bundles in memory; on storage there is only a file with their name."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bootstrap.errors import StateError, UsageError
from bootstrap.model.bundle import BUNDLE_LAYOUT, PACKAGES, README, Bundle, Materials, Part
from bootstrap.model.cluster import NodeImage
from bootstrap.model.snapshot import SavedFile
from tests.fakes.images import FakeImages
from tests.fakes.recording import Fake, Journal

MACHINE, RECIPE = "x86_64", "24b3039c86537a2f9e0b8faa76546980"
_NAMES = (README, PACKAGES, "wheels/bootstrap-0.1.0-py3-none-any.whl")


class FakeBundles(Fake):
    """Implements ``Bundles``; ``files`` may be shared by the fakes of several hosts."""

    port = "bundles"

    def __init__(
        self,
        images: FakeImages,
        journal: Journal | None = None,
        files: dict[Path, Bundle] | None = None,
    ) -> None:
        super().__init__(journal)
        self._images = images
        self.files = {} if files is None else files
        #: Those of which a byte has changed.
        self.damaged: set[Path] = set()
        #: Whether a killed run left something.
        self.half_done = False

    def refuse_taken(self, target: Path) -> None:
        if target in self.files or target.exists():
            raise UsageError(f"File '{target}' exists, so it was left alone.", hint="ls -l")

    def write(self, target: Path, image: NodeImage, materials: Materials) -> Bundle:
        self.called("write", target.name)
        self.refuse_taken(target)
        keys = {
            Part.ARTIFACTS: materials.artifacts.name,
            Part.BASE: materials.base.name,
            Part.IMAGE: image.key,
        }
        names = [*_NAMES, *(f"{part}/{key}/note.json" for part, key in keys.items())]
        bundle = Bundle(
            layout=BUNDLE_LAYOUT,
            created="2030-01-01T00:00:00+00:00",
            tool_version="0.1.0",
            kubernetes_version=image.kubernetes_version,
            machine=MACHINE,
            python="3.13",
            recipe=RECIPE,
            keys=keys,
            files={name: SavedFile(size_bytes=1, sha256="0" * 64) for name in names},
        )
        self.files[target] = bundle
        target.touch()
        self.changed("write", target.name)
        return bundle

    def read(self, source: Path) -> Bundle:
        self.called("read", source.name)
        if source not in self.files:
            raise StateError(f"File '{source}' is not a whole bundle.", hint="bootstrap list")
        return self.files[source]

    def refusal(self, bundle: Bundle) -> str:
        if bundle.machine != MACHINE:
            return f"It is for {bundle.machine}, and this host is {MACHINE}."
        return "" if bundle.recipe == RECIPE else "It was made by another bootstrap."

    def missing(self, bundle: Bundle) -> Sequence[Part]:
        here = {
            Part.ARTIFACTS: self._images.artifacts,
            Part.BASE: self._images.bases,
            Part.IMAGE: set(self._images.built) - self._images.rotten,
        }
        return [part for part in Part if bundle.keys[part] not in here[part]]

    @contextlib.contextmanager
    def unpacked(
        self, source: Path, bundle: Bundle, parts: Sequence[Part]
    ) -> Iterator[Mapping[Part, Path]]:
        self.called("unpacked", source.name)
        self.half_done = False
        if source in self.damaged:
            raise StateError(f"File '{source}' is not a whole bundle.", hint="bootstrap list")
        with TemporaryDirectory() as draft:
            places = {part: Path(draft) / part / bundle.keys[part] for part in parts}
            for place in places.values():
                place.mkdir(parents=True)
                (place / "note.json").write_text("{}")
            yield places

    def sweep(self) -> None:
        self.half_done = False

    def rewrite(self, source: Path, **changes: object) -> None:
        """Have a file whose manifest says something else."""
        self.files[source] = replace(self.files[source], **changes)  # type: ignore[arg-type]
