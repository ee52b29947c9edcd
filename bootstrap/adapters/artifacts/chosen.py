"""The artefacts of this user, from the source that is chosen."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bootstrap.adapters.artifacts.go.source import GoArtifacts
from bootstrap.adapters.artifacts.origin import ArtifactOrigin
from bootstrap.adapters.artifacts.sets import ArtifactSets
from bootstrap.adapters.artifacts.store import Artifact, ArtifactSet
from bootstrap.adapters.artifacts.upstream.reach import Reach, reach
from bootstrap.adapters.artifacts.upstream.source import UpstreamArtifacts
from bootstrap.adapters.directories import Directories
from bootstrap.errors import StateError
from bootstrap.model.sources import Source
from bootstrap.model.versions import SUPPORTED_VERSIONS
from bootstrap.ports import Events


class ChosenArtifacts:
    """Implements :class:`bootstrap.ports.Artifacts`; see there for the promises.

    ``auto`` takes a set that is in the cache; without one it asks the projects' servers, and
    takes Go modules unless all of them answer.
    """

    def __init__(
        self,
        directories: Directories,
        events: Events,
        *,
        ask: Callable[[], Sequence[Reach]] = reach,
    ) -> None:
        self._directories = directories
        self._events = events
        self._ask = ask
        self._sets = ArtifactSets(directories, events.note)
        self._upstream = UpstreamArtifacts(directories, events)
        self._origins: Mapping[Source, ArtifactOrigin] = {
            Source.UPSTREAM: self._upstream,
            Source.GO: GoArtifacts(directories, events),
        }

    def key(self, kubernetes_version: str, source: Source = Source.AUTO) -> str:
        """See the port. That of ``auto`` changes with that of any source."""
        keys = [self._origins[it].key(kubernetes_version) for it in self._candidates(source)]
        return hashlib.sha256(" ".join(keys).encode()).hexdigest()[:32] if keys[1:] else keys[0]

    @property
    def directory(self) -> Path:
        """See the port."""
        return self._sets.root

    def find(self, kubernetes_version: str, source: Source = Source.AUTO) -> ArtifactSet | None:
        """See the port."""
        found = (self._origins[it].find(kubernetes_version) for it in self._candidates(source))
        return next((it for it in found if it is not None), None)

    def ensure(
        self, kubernetes_version: str, source: Source = Source.AUTO, *, refresh: bool = False
    ) -> ArtifactSet:
        """See the port."""
        chosen = self._chosen(source, lambda it: it.find(kubernetes_version))
        return chosen.ensure(kubernetes_version, refresh=refresh)

    def find_kubelet(
        self, kubernetes_version: str, source: Source = Source.AUTO
    ) -> Artifact | None:
        """See the port."""
        origins = (self._origins[it] for it in self._candidates(source))
        found = (origin.find_kubelet(kubernetes_version) for origin in origins)
        return next((it for it in found if it is not None), None)

    def ensure_kubelet(self, kubernetes_version: str, source: Source = Source.AUTO) -> Artifact:
        """See the port."""
        chosen = self._chosen(source, lambda it: it.find_kubelet(kubernetes_version))
        return chosen.ensure_kubelet(kubernetes_version)

    def kubectl(self, kubernetes_version: str) -> Path | None:
        """See the port."""
        names = {origin.kubectl for origin in self._origins.values()}
        made = (item for item in self._sets.list() if item.name in names)
        return next((item.path for item in made if item.version == kubernetes_version), None)

    def adopt(self, directory: Path) -> None:
        """See the port."""
        for origin in self._origins.values():
            for version in SUPPORTED_VERSIONS:
                if origin.key(version) == directory.name:
                    origin.adopt(version, directory)
                    return
        raise StateError(
            f"Artefacts '{directory.name}' are those of another version of this tool.",
            hint="bootstrap version",
        )

    def list(self) -> Sequence[Artifact]:
        """List every file in the cache as its manifest describes it; changes nothing."""
        return self._sets.list()

    def prune(self) -> Sequence[str]:
        """Remove the sets that no supported version is made of, and parts of downloads.

        Returns the keys of the sets and the names of the parts.

        :raises LockedError: if another process builds a node image, which reads from sets.
        """
        origins = self._origins.values()
        sets = self._sets.prune([it.key(one) for it in origins for one in SUPPORTED_VERSIONS])
        return [*sets, *self._upstream.downloads.prune()]

    def _candidates(self, source: Source) -> Sequence[Source]:
        return list(self._origins) if source is Source.AUTO else [source]

    def _chosen(
        self, source: Source, find: Callable[[ArtifactOrigin], object | None]
    ) -> ArtifactOrigin:
        """Return the origin of a source; that of ``auto`` is one in which ``find`` finds it."""
        if source is not Source.AUTO:
            return self._origins[source]
        for origin in self._origins.values():
            if find(origin) is not None:
                return origin
        away = [f"{it.site.host} ({it.reason})" for it in self._ask() if it.reason]
        if not away:
            return self._origins[Source.UPSTREAM]
        self._events.note(f"Building from Go modules, since no way leads to {', '.join(away)}.")
        return self._origins[Source.GO]
