"""`bootstrap bundle`, as a user types it."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import FakeCommandLine as CommandLine


@pytest.fixture
def file(line: CommandLine, tmp_path: Path) -> str:
    path = tmp_path / "kubernetes.bundle"
    line.done("bundle", "create", str(path))
    return str(path)


def test_the_steps_on_the_other_host_are_printed(line: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "a place"
    text = line.done("bundle", "create", str(path))
    assert text.startswith(f"Bundle '{path}' is written.\n")
    assert "bootstrap bundle use 'a place'" in text
    assert "--no-index" in text
    assert "qemu-system-x86" in text
    assert "mmdebstrap" not in text  # which builds node images


def test_a_file_that_exists_is_kept(line: CommandLine, file: str) -> None:
    before = list(line.world.journal.changes)
    assert "exists, so it was left alone" in line.failed(2, "bundle", "create", file)
    assert line.world.journal.changes == before


def test_nothing_is_built_for_a_file_that_exists(line: CommandLine, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    line.failed(2, "bundle", "create", str(taken))
    assert line.world.images.built == {}


def test_an_unknown_version_is_refused(line: CommandLine, tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    line.failed(2, "bundle", "create", path, "--kubernetes-version", "v1.0.0")
    assert not Path(path).exists()


def test_what_is_taken_is_named_and_a_second_use_takes_nothing(
    line: CommandLine, file: str
) -> None:
    line.world.images.built.clear()
    line.world.images.bases.clear()
    taken = json.loads(line.done("bundle", "use", file, "-o", "json"))["taken"]
    assert list(taken) == ["bases", "images"]
    assert taken["images"] in line.world.images.built
    assert "nothing was changed" in line.done("bundle", "use", file)
    assert json.loads(line.done("bundle", "use", file, "-o", "json"))["taken"] == {}
    assert line.done("bundle", "use", file, "-o", "name") == ""


def test_a_bundle_of_another_version_of_the_tool_changes_nothing(
    line: CommandLine, file: str
) -> None:
    line.world.bundles.rewrite(Path(file), recipe="other")
    line.world.images.built.clear()
    assert "another bootstrap" in line.failed(9, "bundle", "use", file)
    assert line.world.images.built == {}


def test_a_damaged_bundle_changes_nothing(line: CommandLine, file: str) -> None:
    line.world.bundles.damaged.add(Path(file))
    line.world.images.built.clear()
    line.failed(9, "bundle", "use", file)
    assert line.world.images.built == {}


def test_what_is_in_it_is_shown(line: CommandLine, file: str) -> None:
    data = json.loads(line.done("bundle", "show", file, "-o", "json"))
    assert data["kubernetesVersion"] == "v1.37.2"
    assert data["wheels"]
    assert {one["name"] for one in data["files"]} >= {"README.md", "debian-packages.txt"}
    assert "Kubernetes   v1.37.2" in line.done("bundle", "show", file)


@pytest.mark.parametrize("command", ["use", "show"])
def test_a_file_that_is_none(line: CommandLine, tmp_path: Path, command: str) -> None:
    line.failed(2, "bundle", command, str(tmp_path / "missing"))
    line.failed(2, "bundle", command, str(tmp_path))
