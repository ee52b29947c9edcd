"""write-files, run by a real shell with a root, a networkctl and an nft of our own."""

import base64
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from bootstrap.model.files import NodeFile
from bootstrap.planning.archive import node_archive
from bootstrap.resources import resource_directory

PROGRAM = resource_directory("playbooks") / "roles/os_baseline/files/write-files"
_JOIN = "kind: JoinConfiguration\ntoken: ü\n"


class Node:
    """A node's directories, and the log of the programs that apply its network."""

    def __init__(self, directory: Path) -> None:
        self.root, self.runtime = directory / "root", directory / "run"
        self.state, self._bin = directory / "state", directory / "bin"
        self._log = directory / "log"
        for path in (self.root, self.runtime, self.state, self._bin):
            path.mkdir()
        for name in ("networkctl", "nft"):
            program = self._bin / name
            program.write_text(
                f'#!/bin/sh\necho {name} "$@" >>{self._log}\nexit "${{STATUS:-0}}"\n'
            )
            program.chmod(0o755)

    def write(
        self, text: str, *, join: str = "", status: int = 0
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "STATE_DIRECTORY": str(self.state),
            "RUNTIME_DIRECTORY": str(self.runtime),
            "WRITE_FILES_ROOT": str(self.root),
            "STATUS": str(status),
        }
        given = f"{text.rstrip()}\n{base64.b64encode(join.encode()).decode()}\n"
        return subprocess.run(
            ["/bin/sh", str(PROGRAM)],
            input=given,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def write_all(self, files: Mapping[str, str]) -> str:
        """Write these files and give the last line that was printed."""
        done = self.write(packed(files))
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()[-1]

    @property
    def log(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []

    @property
    def temporary(self) -> list[str]:
        return [path.name for path in self.runtime.iterdir() if path.name != "bootstrap-join.yaml"]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def packed(files: Mapping[str, str]) -> str:
    return node_archive([NodeFile(path=path, text=text) for path, text in files.items()])


def test_files_are_written_once_and_the_network_is_applied(node: Node) -> None:
    files = {"/etc/a": "1", "/new/b": ""}
    assert node.write_all(files) == "written now"
    assert (node.root / "etc/a").read_text() == "1"
    assert (node.root / "new").stat().st_mode & 0o777 == 0o755
    assert node.log == ["networkctl reload", f"nft -f {node.root}/etc/nftables.conf"]
    assert node.write_all(files) == "already written"
    assert len(node.log) == 2
    assert node.temporary == []


def test_a_file_that_changes_and_changes_back_is_written_each_time(node: Node) -> None:
    """C-01: a mark of an older writing must not pass for the present one."""
    for text in ("1", "2", "1"):
        assert node.write_all({"/etc/a": text}) == "written now"
        assert (node.root / "etc/a").read_text() == text


def test_the_join_configuration_is_private_and_in_memory_only(node: Node) -> None:
    """SEC-06: it holds a token."""
    node.write_all({"/etc/a": "1"})
    done = node.write(packed({"/etc/a": "1"}), join=_JOIN)
    assert done.stdout == "already written\n"
    configuration = node.runtime / "bootstrap-join.yaml"
    assert configuration.read_text() == _JOIN
    assert configuration.stat().st_mode & 0o777 == 0o600
    assert "JoinConfiguration" not in done.stdout + done.stderr
    assert [path.name for path in node.root.rglob("*") if path.is_file()] == ["a"]


@pytest.mark.parametrize("status", [1, 7])
def test_a_network_that_is_refused_is_a_failure_and_is_tried_again(node: Node, status: int) -> None:
    files = packed({"/etc/a": "1"})
    assert node.write(files, status=status).returncode == status
    assert node.temporary == []
    assert node.write(files).stdout == "written now\n"


def test_a_broken_archive_is_a_failure_and_leaves_no_mark(node: Node) -> None:
    """A killed or full node has files of two digests, and must write all of them again."""
    node.write_all({"/etc/a": "1"})
    digest, archive = packed({"/etc/a": "2"}).splitlines()
    done = node.write(f"{digest}\n{archive[:40]}")
    assert done.returncode != 0
    assert done.stderr
    assert not (node.state / "files").exists()
    assert node.write_all({"/etc/a": "1"}) == "written now"


def test_what_cloud_init_matches_by_a_name_is_removed(node: Node) -> None:
    units = node.root / "etc/systemd/network"
    units.mkdir(parents=True)
    for name in ("05-uplink.network", "10-cloud-init-eth1.network"):
        (units / name).touch()
    node.write_all({"/etc/systemd/network/40-cluster.network": "1"})
    assert sorted(path.name for path in units.iterdir()) == [
        "05-uplink.network",
        "40-cluster.network",
    ]
