"""What `bundle` does: a host without a network gets all that clusters are made from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import StateError
from bootstrap.model.bundle import Bundle, Part
from bootstrap.model.events import Step
from bootstrap.model.sources import Source
from bootstrap.workflow.environment import SitePorts
from bootstrap.workflow.images import build_image


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleUse:
    """A bundle that is used, and the parts of it that were not here before."""

    bundle: Bundle
    taken: Sequence[Part]
    #: The source with which `up` finds the image: that of its artefacts, if others are preferred.
    source: Source


def create_bundle(
    kubernetes_version: str, target: Path, ports: SitePorts, *, source: Source
) -> Bundle:
    """Write a bundle of a version into a new file, building what is missing for it.

    :raises UsageError: if the file exists, or the version is not supported.
    """
    ports.bundles.refuse_taken(target)
    image = build_image(kubernetes_version, ports, source=source, refresh=False)
    with ports.events.step(Step.BUNDLE, f"Writing the bundle '{target}'"):
        materials = ports.images.materials(kubernetes_version, source)
        return ports.bundles.write(target, image, materials)


def use_bundle(source: Path, ports: SitePorts) -> BundleUse:
    """Take what is in a bundle, and not here, into the caches of this user.

    The whole file is checked before any of it gets a name that others know.

    :raises StateError: if it is damaged, or another version of the tool has made it.
    """
    bundle = ports.bundles.read(source)
    if why := ports.bundles.refusal(bundle):
        raise StateError(
            f"Bundle '{source}' is of no use to this version of the tool on this host.",
            details=why,
            hint="bootstrap version",
        )
    with ports.events.step(Step.BUNDLE, f"Taking the bundle '{source}'"):
        missing = ports.bundles.missing(bundle)
        with ports.bundles.unpacked(source, bundle, missing) as found:
            for part in missing:
                _takers(ports)[part](found[part])
    return BundleUse(bundle=bundle, taken=missing, source=_source_of(bundle, ports))


def _source_of(bundle: Bundle, ports: SitePorts) -> Source:
    """Return the source with which `up` takes the bundle's image.

    :raises StateError: if there is none.
    """
    for source in (Source.AUTO, Source.UPSTREAM, Source.GO):
        image = ports.images.expected(bundle.kubernetes_version, source)
        if image is not None and image.key == bundle.keys[Part.IMAGE]:
            return source
    raise StateError(
        f"Kubernetes {bundle.kubernetes_version} gets another node image here than the bundle's.",
        details="A file was damaged since it was checked, or the manifest contradicts itself.",
        hint="bootstrap image list",
    )


def _takers(ports: SitePorts) -> Mapping[Part, Callable[[Path], object]]:
    return {
        Part.ARTIFACTS: ports.images.adopt_artifacts,
        Part.BASE: ports.images.adopt_base,
        Part.IMAGE: ports.images.adopt,
    }
