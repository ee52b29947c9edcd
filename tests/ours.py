"""Our own command among the lines that the tool or its documents tell a user to type."""

from collections.abc import Iterable
from pathlib import Path

from tests.commands import Told

#: What is only parsed where every adapter is a fake, and why.
NOT_RUN = {
    "artifacts prune": "asks the host's Go; tests/contract/test_artifacts.py does it",
    "artifacts build": "takes minutes; `make artifacts` runs it before CI's tests",
    "doctor": "its subject is this host; tests/contract/test_hints.py runs it",
    "image load demo": "wants an archive; tests/unit/cli/test_commands.py does it",
    "image unload": "wants what was loaded; tests/unit/cli/test_commands.py does it",
    "image build": "takes minutes; `up` in tests/e2e runs the same",
    "up demo --hypervisor qemu:///session": "root has none; the same",
    "up --hypervisor qemu:///session": "root has none; tests/contract/test_hypervisor.py uses it",
    "cp": "becomes the real scp; tests/unit/workflow/test_reaching.py has its words",
    "snapshot export": "wants a node image; tests/contract/test_snapshot_archive.py does it",
    "snapshot import": "wants a real export; tests/contract/test_snapshot_archive.py does it",
    "bundle": "wants a file of it; tests/contract/test_bundles.py does it",
    "kubectl": "becomes the real kubectl; tests/contract/test_reaching.py runs it",
    "port-forward": "becomes the real ssh, and stays it",
    "ssh": "becomes the real ssh; tests/e2e logs in with it",
}


def ours_of(lines: Iterable[Told]) -> list[tuple[Told, list[str]]]:
    """Return the words after our own command's name, of each line that runs it."""
    return [
        (one, words[1:])
        for one in lines
        for words in one.commands
        # `setup.sh` gives all words but its own one to our command.
        if Path(words[0]).name == "bootstrap"
        or (words[0] == "./setup.sh" and words[1:] not in ([], ["test"]))
    ]


def why_not_run(words: list[str]) -> str:
    """Return why a command is only parsed; nothing if it can be run."""
    line = " ".join(words)
    reasons = [reason for name, reason in NOT_RUN.items() if line.startswith(name)]
    return reasons[0] if reasons and "--help" not in words else ""
