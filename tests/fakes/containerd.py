"""The containerd of each node, as far as images are loaded into it."""

import shlex
from collections.abc import Mapping

from bootstrap.planning.containerd import LIST, NO_DISK, import_command, remove_command
from bootstrap.ports import Reachable, ShellResult
from tests.fakes.archives import FakeImageArchives
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.recording import Fake, Journal

_TITLES = "REF TYPE DIGEST SIZE PLATFORMS LABELS"


class FakeContainerd(Fake):
    """Answers the commands of ``planning.containerd`` on the nodes of a fake hypervisor."""

    port = "containerd"

    def __init__(
        self,
        hypervisor: FakeHypervisor,
        archives: FakeImageArchives,
        journal: Journal | None = None,
    ) -> None:
        super().__init__(journal)
        #: Node -> reference -> digest of the manifest.
        self.images: dict[str, dict[str, str]] = {}
        #: How often a node still does not see its disk.
        self.slow = 0
        #: How many more lists lack what the kubelet's part knows.
        self.late = 0
        #: Nodes that refuse to import.
        self.refusing: set[str] = set()
        self._hypervisor, self._archives = hypervisor, archives

    def answer(self, node: Reachable, command: str) -> ShellResult | None:
        if command == LIST:
            return _done(self._list(node))
        if command.startswith(remove_command([])):
            return self._remove(node, command)
        domain = self._hypervisor.of_node(node.name)
        disks = domain.disks if domain else {}
        for serial, path in disks.items():
            if command == import_command(serial):
                return self._import(node, self._archives.contents[path])
        return None

    def names(self, node: str) -> set[str]:
        """List what the node has by a name."""
        return {ref for ref in self._of(node) if not ref.startswith("sha256:")}

    def _of(self, node: str) -> dict[str, str]:
        return self.images.setdefault(node, {})

    def _list(self, node: Reachable) -> str:
        listed: Mapping[str, str] = self._of(node.name)
        if self.late:
            self.late -= 1
            listed = {ref: it for ref, it in listed.items() if not ref.startswith("sha256:")}
        rows = [
            f"{ref} application/x {digest} 1.0 MiB linux/amd64 -" for ref, digest in listed.items()
        ]
        return "\n".join([_TITLES, *rows])

    def _import(self, node: Reachable, images: object) -> ShellResult:
        self.called("import", node.name)
        if self.slow:
            self.slow -= 1
            return ShellResult(exit_status=NO_DISK, stdout="", stderr="")
        if node.name in self.refusing:
            return ShellResult(exit_status=1, stdout="", stderr="ctr: unexpected EOF")
        assert isinstance(images, tuple)
        for image in images:
            manifest = image.config.replace("sha256:", "sha256:f")
            self._of(node.name).update({image.name: manifest, image.config: manifest})
        self.changed("import", node.name)
        return _done("")

    def _remove(self, node: Reachable, command: str) -> ShellResult:
        for reference in shlex.split(command)[len(shlex.split(remove_command([]))) :]:
            del self._of(node.name)[reference]
        self.changed("rm", node.name)
        return _done("")


def _done(text: str) -> ShellResult:
    return ShellResult(exit_status=0, stdout=text, stderr="")
