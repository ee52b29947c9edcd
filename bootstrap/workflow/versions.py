"""What `versions` lists: the Kubernetes versions that can be had, from which source."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bootstrap.model.sources import Source
from bootstrap.model.versions import SUPPORTED_VERSIONS, support_end
from bootstrap.workflow.environment import SitePorts

#: Each has every supported version.
_SOURCES = (Source.UPSTREAM, Source.GO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A version from one source."""

    version: str
    source: str
    #: The last day on which Kubernetes patches its minor.
    support_end: date
    #: Whether the node image is there, without which the first `up` takes long.
    is_built: bool


def offered_versions(ports: SitePorts) -> Sequence[Offer]:
    """List the versions that can be had, newest first; builds and fetches nothing."""
    return [
        Offer(
            version=version,
            source=source,
            support_end=support_end(version),
            is_built=ports.images.expected(version, source) is not None,
        )
        for version in SUPPORTED_VERSIONS
        for source in _SOURCES
    ]
