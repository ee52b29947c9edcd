"""Put the files of a bundle together, and describe them."""

import platform
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import bootstrap
from bootstrap.adapters.bundles.contents import BUNDLE
from bootstrap.adapters.files import private_directory, sha256_of
from bootstrap.adapters.image import recipe
from bootstrap.adapters.manifested import MANIFEST
from bootstrap.model.bundle import BUNDLE_LAYOUT, PACKAGES, README, WHEELS, Bundle, Part
from bootstrap.model.snapshot import SavedFile
from bootstrap.planning.bundle_readme import instructions
from bootstrap.resources import DEBIAN_PACKAGES
from bootstrap.threads import at_once


def gather(draft: Path, files: Mapping[str, Path]) -> None:
    """Have links to files, and to the list of packages, as they are called in a bundle."""
    for name, path in {PACKAGES: DEBIAN_PACKAGES, **files}.items():
        private_directory((draft / name).parent)
        (draft / name).symlink_to(path)


def describe(draft: Path, bundle: Bundle, name: str) -> Bundle:
    """Write the page and the manifest of a bundle, whose other files are there; return it whole."""
    (draft / README).write_text(instructions(bundle, name))
    paths = sorted(filter(Path.is_file, draft.rglob("*")), key=partial(_place, draft))
    names = [path.relative_to(draft).as_posix() for path in paths]
    whole = replace(bundle, files=dict(zip(names, at_once(_saved, paths), strict=True)))
    (draft / MANIFEST).write_bytes(BUNDLE.dump_json(whole, indent=1) + b"\n")
    return whole


def empty_bundle(kubernetes_version: str, keys: Mapping[Part, str], created: str) -> Bundle:
    """Return what is known of a bundle of this host before any file of it is read."""
    return Bundle(
        layout=BUNDLE_LAYOUT,
        created=created,
        tool_version=bootstrap.__version__,
        kubernetes_version=kubernetes_version,
        machine=platform.machine(),
        python=".".join(platform.python_version_tuple()[:2]),
        recipe=recipe.source_key(keys[Part.ARTIFACTS]),
        keys=keys,
        files={},
    )


def refusal_here(bundle: Bundle) -> str:
    """Say why this host and this version of the tool cannot use a bundle; empty if they can."""
    own = empty_bundle(bundle.kubernetes_version, bundle.keys, bundle.created)
    if bundle.machine != own.machine:
        return f"It is for {bundle.machine}, and this host is {own.machine}."
    if bundle.recipe != own.recipe:
        made_by = f"another bootstrap, of version {bundle.tool_version}"
        return f"It was made by {made_by}, whose wheel is in it."
    return ""


def _place(draft: Path, path: Path) -> tuple[bool, bool, str]:
    """Order files so that what a reader wants first comes first: the page, then the tool."""
    name = path.relative_to(draft).as_posix()
    return ("/" in name, not name.startswith(WHEELS), name)


def _saved(path: Path) -> SavedFile:
    return SavedFile(size_bytes=path.stat().st_size, sha256=sha256_of(path))
