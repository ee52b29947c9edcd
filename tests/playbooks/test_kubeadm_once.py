"""kubeadm-once, run by a real shell with a kubeadm of our own in its PATH."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.resources import resource_directory
from bootstrap.waiting import NotYet, wait_for

PROGRAM = resource_directory("playbooks") / "roles/kubernetes_binaries/files/kubeadm-once"
FAKE = """#!/bin/sh
echo "$@" >>"$FAKE_LOG"
cat >>"$FAKE_LOG"
until [ ! -e "$FAKE_LOG.hold" ]; do sleep 0.05; done
exit "${FAKE_STATUS:-0}"
"""


@dataclass
class Node:
    """A node's directories, and the fake kubeadm's log."""

    root: Path

    @property
    def marker(self) -> Path:
        return self.root / "state" / "init.done"

    @property
    def log(self) -> str:
        path = self.root / "log"
        return path.read_text() if path.exists() else ""

    @property
    def hold(self) -> Path:
        """While this file exists, the fake kubeadm does not end."""
        return self.root / "log.hold"

    def start(self, *arguments: str, status: int = 0, text: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["/bin/sh", str(PROGRAM), *arguments],
            env={
                "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
                "STATE_DIRECTORY": str(self.root / "state"),
                "RUNTIME_DIRECTORY": str(self.root),
                "FAKE_LOG": str(self.root / "log"),
                "FAKE_STATUS": str(status),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(text)
        process.stdin.close()
        process.stdin = None
        return process

    def call(self, *arguments: str, status: int = 0, text: str = "") -> tuple[int, str, str]:
        process = self.start(*arguments, status=status, text=text)
        with process:
            out, err = process.communicate()
        return process.returncode, out, err


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubeadm").write_text(FAKE)
    (tmp_path / "bin" / "kubeadm").chmod(0o755)
    made = Node(tmp_path)
    yield made
    made.hold.unlink(missing_ok=True)


def test_the_first_run_runs_kubeadm_and_the_second_does_not(node: Node) -> None:
    assert node.call("init", "60", "--", "init", "--config", "a b") == (0, "done now\n", "")
    assert node.call("init", "60", "--", "init", "--config", "a b") == (0, "already done\n", "")
    assert node.log == "init --config a b\n"


def test_each_marker_is_a_run_of_its_own(node: Node) -> None:
    assert node.call("init", "60", "--", "init")[0] == 0
    assert node.call("addons", "60", "--", "init", "phase", "addon")[1] == "done now\n"


def test_standard_input_reaches_kubeadm(node: Node) -> None:
    node.call("join", "60", "--", "join", text="kind: JoinConfiguration\n")
    assert node.log == "join\nkind: JoinConfiguration\n"


def test_a_failure_gives_kubeadms_status_and_the_next_run_tries_again(node: Node) -> None:
    assert node.call("init", "60", "--", "init", status=7)[:2] == (7, "")
    assert not node.marker.exists()
    assert node.call("init", "60", "--", "init")[1] == "done now\n"


def test_a_kubeadm_that_hangs_is_ended_and_leaves_no_marker(node: Node) -> None:
    node.hold.touch()
    assert node.call("init", "1", "--", "init")[0] == 124
    assert not node.marker.exists()


def test_a_second_run_waits_for_the_kubeadm_of_a_killed_first_run(node: Node) -> None:
    node.hold.touch()
    with node.start("init", "60", "--", "init") as first:
        _wait_for_log(node)
        first.send_signal(signal.SIGKILL)

    second = node.call("init", "1", "--", "init")
    assert second[0] == 124
    assert "another kubeadm still runs" in second[2]
    assert node.log == "init\n"

    node.hold.unlink()
    assert node.call("init", "60", "--", "init")[:2] == (0, "done now\n")


def _wait_for_log(node: Node) -> None:
    def check() -> None:
        if not node.log:
            raise NotYet("kubeadm has not started")

    wait_for("kubeadm to start", check, timeout_s=30, interval_s=0.05)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["init", "60", "init", "--config"],
        ["../init", "60", "--", "init"],
        [".init", "60", "--", "init"],
        ["", "60", "--", "init"],
        ["init", "soon", "--", "init"],
        ["init", "", "--", "init"],
        ["init", "60", "--"],
    ],
)
def test_wrong_use_runs_nothing(node: Node, arguments: list[str]) -> None:
    status, out, err = node.call(*arguments)
    assert (status, out) == (2, "")
    assert "kubeadm-once:" in err
    assert node.log == ""
