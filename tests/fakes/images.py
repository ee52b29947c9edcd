"""Node images that take no time to build."""

from pathlib import Path

from bootstrap.adapters.artifacts.lock import lock_of
from bootstrap.errors import HostError
from bootstrap.model.cluster import NodeImage
from tests.fakes.recording import Fake, Journal


class FakeImages(Fake):
    """Implements ``Images``."""

    port = "images"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self.built: dict[str, NodeImage] = {}
        #: What an image would be built from now.
        self.key = "0123456789abcdef"
        #: Images of which a byte is not what was built.
        self.rotten: set[str] = set()
        #: Whether the host has the programs that building needs.
        self.has_tools = True
        #: Whether a killed run left something.
        self.half_built = False

    def find(self, key: str) -> NodeImage | None:
        self.called("find", key)
        return self.built.get(key)

    def ensure(self, kubernetes_version: str) -> NodeImage:
        self.called("ensure", kubernetes_version)
        lock_of(kubernetes_version)
        if self.key not in self.built or self.key in self.rotten:
            if not self.has_tools:
                hint = "sudo apt-get install mmdebstrap"
                raise HostError("This host lacks the program 'mmdebstrap'.", hint=hint)
            self.built[self.key] = _image(self.key, kubernetes_version)
            self.rotten.discard(self.key)
            self.changed("ensure", self.key)
        return self.built[self.key]

    def sweep(self) -> None:
        self.called("sweep")
        if self.half_built:
            self.half_built = False
            self.changed("sweep")


def _image(key: str, kubernetes_version: str) -> NodeImage:
    place = Path("/images") / key
    return NodeImage(
        key=key,
        disk=place / "disk.raw",
        kernel=place / "vmlinuz",
        initrd=place / "initrd.img",
        kubernetes_version=kubernetes_version,
        size_bytes=1,
    )
