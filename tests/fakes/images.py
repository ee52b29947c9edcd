"""Node images that take no time to build."""

from collections.abc import Collection, Sequence
from pathlib import Path

from bootstrap.adapters.artifacts.go.components import components_of
from bootstrap.errors import HostError, StateError
from bootstrap.model.bundle import Materials
from bootstrap.model.cluster import ImageSource, NodeImage
from bootstrap.model.sources import Source
from tests.fakes.recording import Fake, Journal

ARTIFACTS_KEY = "0fcab026ece0b45dfd268b50f4d377fa"


class FakeImages(Fake):
    """Implements ``Images``."""

    port = "images"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self.built: dict[str, NodeImage] = {}
        #: What an image would be built from now.
        self.key = "0123456789abcdef"
        self.today = "2030-01-01T00:00:00+00:00"
        #: The one that was asked for last.
        self.asked_source = Source.AUTO
        #: When the packages of the base system were fetched.
        self.fetched = ""
        #: Images of which a byte is not what was built.
        self.rotten: set[str] = set()
        #: Those of which this is known.
        self.condemned: set[str] = set()
        #: Whether the host has the programs that building needs.
        self.has_tools = True
        #: Keys of what images are made from.
        self.bases: set[str] = set()
        self.artifacts: set[str] = set()
        #: Whether a killed run left something.
        self.half_built = False

    def find(self, key: str) -> NodeImage | None:
        self.called("find", key)
        return self.built.get(key)

    def expected(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
    ) -> NodeImage | None:
        self.asked_source = source
        self.called("expected", _words(kubernetes_version, kubelet_version))
        key = _key(self.key, kubernetes_version, kubelet_version)
        return None if key in self.condemned else self.built.get(key)

    def source(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
    ) -> ImageSource:
        words = _words(kubernetes_version, kubelet_version)
        self.called("source", words)
        _key(self.key, kubernetes_version, kubelet_version)
        return ImageSource(key=f"{words}-{source}", directories=(Path("/images"),))

    def check(self, image: NodeImage) -> None:
        self.called("check", image.key)
        if image.key in self.rotten or image.key not in self.built:
            self.condemned.add(image.key)
            raise StateError(
                f"Node image '{image.key}' fails its SHA-256.", hint="bootstrap image build"
            )

    def ensure(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
        refresh: bool = False,
    ) -> NodeImage:
        self.asked_source = source
        self.called("ensure", _words(kubernetes_version, kubelet_version))
        base = f"{int(self.key, 16) + 1:016x}" if refresh else self.key
        wanted = _key(base, kubernetes_version, kubelet_version)
        if wanted not in self.built or wanted in self.rotten:
            if not self.has_tools:
                hint = "sudo apt-get install mmdebstrap"
                raise HostError("This host lacks the program 'mmdebstrap'.", hint=hint)
            if refresh or not self.fetched:
                self.fetched = self.today
            self.key = base
            self.built[wanted] = _image(
                wanted, kubernetes_version, self.fetched, kubelet_version=kubelet_version
            )
            self.rotten.discard(wanted)
            self.condemned.discard(wanted)
            self.changed("ensure", wanted)
        return self.built[wanted]

    def list(self) -> Sequence[NodeImage]:
        return [self.built[key] for key in sorted(self.built)]

    def prune(self, in_use: Collection[str]) -> Sequence[str]:
        unused = sorted(self.built.keys() - set(in_use))
        for key in unused:
            del self.built[key]
            self.changed("prune", key)
        return unused

    def adopt(self, directory: Path) -> NodeImage:
        self.called("adopt", directory.name)
        note = directory / "note.json"
        if not note.is_file():
            raise StateError(f"Node image '{directory.name}' is not what was built.")
        found = _image(directory.name, "v1.37.2", "")
        known = self.built.get(directory.name)
        if known is not None and known.sha256 != found.sha256:
            raise StateError(f"Another node image '{directory.name}' is here, of other bytes.")
        if known is None:
            self.built[directory.name] = found
            self.changed("adopt", directory.name)
        return self.built[directory.name]

    def materials(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,  # noqa: ARG002
    ) -> Materials:
        self.called("materials", kubernetes_version)
        if not self.fetched:
            raise StateError("What the node image is made from is gone.", hint="bootstrap list")
        self.bases.add(self.key)
        self.artifacts.add(ARTIFACTS_KEY)
        places = Path("/artifacts") / ARTIFACTS_KEY, Path("/bases") / self.key
        return Materials(artifacts=places[0], base=places[1])

    def adopt_base(self, directory: Path) -> None:
        self.called("adopt_base", directory.name)
        self.bases.add(directory.name)
        self.changed("adopt_base", directory.name)

    def adopt_artifacts(self, directory: Path) -> None:
        self.called("adopt_artifacts", directory.name)
        self.artifacts.add(directory.name)
        self.changed("adopt_artifacts", directory.name)

    def sweep(self) -> None:
        self.called("sweep")
        if self.half_built:
            self.half_built = False
            self.changed("sweep")


def _words(kubernetes_version: str, kubelet_version: str | None) -> str:
    """Name the kubelet only if it is another one, as most tests need not know of it."""
    is_other = kubelet_version not in (None, kubernetes_version)
    return f"{kubernetes_version} with {kubelet_version}" if is_other else kubernetes_version


def _key(base: str, kubernetes_version: str, kubelet_version: str | None) -> str:
    """Return the key of an image: each older kubelet makes another one."""
    components_of(kubernetes_version)
    if kubelet_version in (None, kubernetes_version):
        return base
    components_of(kubelet_version)
    return f"{base}{kubelet_version.removeprefix('v').replace('.', 'e')}"


def _image(
    key: str, kubernetes_version: str, fetched: str, *, kubelet_version: str | None = None
) -> NodeImage:
    place = Path("/images") / key
    return NodeImage(
        key=key,
        disk=place / "disk.raw",
        kernel=place / "vmlinuz",
        initrd=place / "initrd.img",
        kubernetes_version=kubernetes_version,
        kubelet_version=kubelet_version or kubernetes_version,
        sha256=key * 4,
        size_bytes=1,
        packages_fetched=fetched,
    )
