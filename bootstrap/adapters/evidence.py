"""Save what explains a failed run, before anything is removed."""

import time
from collections.abc import Sequence
from pathlib import Path

from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.adapters.marker import claim
from bootstrap.errors import BootstrapError
from bootstrap.model.names import ClusterName
from bootstrap.ports import NodeShell, Reachable
from bootstrap.terminal import without_control_codes
from bootstrap.waiting import NotYet

_COMMAND_TIMEOUT_S = 60
#: The commands that each node runs, by the name of the file that holds the answer.
_QUESTIONS = {
    "cloud-init.txt": "cloud-init status --long; tail -n 100 /var/log/cloud-init.log",
    "kubelet.txt": "journalctl --no-pager -u kubelet -n 400",
    "containerd.txt": "journalctl --no-pager -u containerd -n 200",
    "containers.txt": "ctr -n k8s.io tasks ls; tail -n 40 /var/log/pods/*/*/*",
    "network.txt": "ip address; ip route; networkctl --no-pager; nft list ruleset",
    "system.txt": "systemctl --failed --no-pager; dmesg | tail -n 100; free -m; df -h",
}


class SavedEvidence:
    """Implements :class:`bootstrap.ports.Evidence` under the user's state directory."""

    def __init__(self, root: Path, shell: NodeShell) -> None:
        self._root = root
        self._shell = shell

    def collect(self, cluster: ClusterName, nodes: Sequence[Reachable]) -> Path:
        """See the port."""
        logs = self._root / str(cluster) / "logs"
        place = logs / time.strftime("evidence-%Y%m%dT%H%M%S")
        try:
            claim(logs.parent)
            private_directory(logs)
            return collect(place, nodes, self._shell)
        except (OSError, BootstrapError) as error:
            return Path(f"{place} (incomplete: {error})")


def collect(directory: Path, nodes: Sequence[Reachable], shell: NodeShell) -> Path:
    """Save each node's console and, where it answers, its journals; never raises for a node."""
    private_directory(directory)
    for node in nodes:
        place = private_directory(directory / node.name)
        if node.console_log.exists():
            console = node.console_log.read_text(errors="replace")
            write_atomically(place / "console.txt", without_control_codes(console))
        _ask(place, node, shell)
    return directory


def _ask(place: Path, node: Reachable, shell: NodeShell) -> None:
    for name, question in _QUESTIONS.items():
        try:
            answer = shell.run(node, question, timeout_s=_COMMAND_TIMEOUT_S)
        except (BootstrapError, NotYet) as error:
            write_atomically(place / "unreachable.txt", f"{error}\n")
            return
        write_atomically(place / name, without_control_codes(answer.stdout + answer.stderr))
