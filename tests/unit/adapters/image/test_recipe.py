"""The key of an image follows everything that goes into it, and nothing else."""

import shutil
from pathlib import Path

import pytest

import bootstrap
from bootstrap.adapters.image import recipe
from bootstrap.resources import resource_directory


@pytest.fixture
def playbooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the playbooks that a test may change."""
    copy = tmp_path / "playbooks"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(resource_directory("playbooks"), copy, ignore=ignored)
    monkeypatch.setattr(recipe, "resource_directory", lambda _: copy)
    return copy


def test_the_same_parts_give_the_same_key(playbooks: Path) -> None:
    before = recipe.image_key("base", "artefacts")
    (playbooks / "connection_plugins" / "image_root.pyc").write_bytes(b"compiled")
    assert recipe.image_key("base", "artefacts") == before
    assert len(before) == 64


def test_a_change_of_another_playbooks_role_keeps_the_key(playbooks: Path) -> None:
    before = recipe.image_key("base", "artefacts")
    other = playbooks / "roles" / "another_role" / "tasks"
    other.mkdir(parents=True)
    (other / "main.yml").write_text("---\n[]\n")
    assert recipe.image_key("base", "artefacts") == before


@pytest.mark.parametrize(
    "changed",
    [
        "node-image.yml",
        "connection_plugins/image_root.py",
        "roles/os_baseline/files/tree/etc/fstab",
        "roles/containerd/templates/etc/containerd/config.toml.j2",
        "roles/kubernetes_binaries/files/kubeadm-once",
        "roles/container_images/tasks/main.yml",
        "roles/seal/vars/main.yml",
    ],
)
def test_a_change_of_a_file_that_makes_the_image_gives_another_key(
    playbooks: Path, changed: str
) -> None:
    before = recipe.image_key("base", "artefacts")
    with (playbooks / changed).open("a") as file:
        file.write("# changed\n")
    assert recipe.image_key("base", "artefacts") != before


def test_moving_bytes_between_the_parts_gives_another_key() -> None:
    keys = {recipe.image_key("ab", "c"), recipe.image_key("a", "bc"), recipe.image_key("c", "ab")}
    assert len(keys) == 3


def test_the_tools_version_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe.image_key("base", "artefacts")
    monkeypatch.setattr(bootstrap, "__version__", "99.0.0")
    assert recipe.image_key("base", "artefacts") != before


def test_another_package_asks_for_another_base(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe.base_key()
    monkeypatch.setattr(recipe, "PACKAGES", (*recipe.PACKAGES, "vim"))
    assert recipe.base_key() != before


def test_the_key_of_the_source_follows_what_is_known_before_a_build(
    playbooks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = recipe.source_key("artefacts")
    assert recipe.source_key("artefacts") == before
    keys = {before, recipe.source_key("others")}
    with (playbooks / "node-image.yml").open("a") as file:
        file.write("# changed\n")
    keys.add(recipe.source_key("artefacts"))
    monkeypatch.setattr(recipe, "PACKAGES", (*recipe.PACKAGES, "vim"))
    keys.add(recipe.source_key("artefacts"))
    assert len(keys) == 4


def test_every_role_of_the_image_is_part_of_the_key() -> None:
    roles = recipe._roles(resource_directory("playbooks") / "node-image.yml")  # noqa: SLF001
    assert roles == [
        "os_baseline",
        "containerd",
        "kubernetes_binaries",
        "container_images",
        "seal",
    ]
