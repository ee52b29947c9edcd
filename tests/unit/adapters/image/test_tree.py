"""What is done to the tree between the playbook and the disk."""

import os
from pathlib import Path

import pytest

from bootstrap.adapters.image import disk, tree

BIG = b"x" * (1 << 20)
SNAPSHOTS = "var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / "usr/local/bin").mkdir(parents=True)
    (made / SNAPSHOTS / "1/fs").mkdir(parents=True)
    return made


def test_a_program_that_is_also_in_a_container_image_becomes_one_file(root: Path) -> None:
    program, copy = root / "usr/local/bin/kube", root / SNAPSHOTS / "1/fs/kube"
    program.write_bytes(BIG)
    copy.write_bytes(BIG)
    # A copy in a container image is older.
    os.utime(copy, (1, 1))
    tree.share_identical_files(root)
    assert program.samefile(copy)
    assert copy.read_bytes() == BIG


@pytest.mark.parametrize("difference", ["content", "mode", "small"])
def test_files_that_differ_or_are_small_stay_apart(root: Path, difference: str) -> None:
    program, copy = root / "usr/local/bin/kube", root / SNAPSHOTS / "1/fs/kube"
    data = BIG[1:] if difference == "small" else BIG
    program.write_bytes(data)
    copy.write_bytes(data[:-1] + b"y" if difference == "content" else data)
    copy.chmod(0o700 if difference == "mode" else program.stat().st_mode & 0o777)
    tree.share_identical_files(root)
    assert not program.samefile(copy)


def test_a_link_is_not_taken_for_a_file(root: Path) -> None:
    (root / "usr/local/bin/kube").write_bytes(BIG)
    (root / "usr/local/bin/kubelet").symlink_to("kube")
    tree.share_identical_files(root)
    assert (root / "usr/local/bin/kubelet").is_symlink()


def test_the_kernel_and_the_initial_ram_disk_leave_the_tree(root: Path, tmp_path: Path) -> None:
    boot, out = root / "boot", tmp_path / "out"
    boot.mkdir()
    out.mkdir()
    for name in ("vmlinuz-6.12", "initrd.img-6.12", "System.map-6.12", "config-6.12"):
        (boot / name).write_text(name)
    (root / "vmlinuz").symlink_to("boot/vmlinuz-6.12")
    tree.take_boot_files(root, kernel=out / "vmlinuz", initrd=out / "initrd.img")
    assert (out / "vmlinuz").read_text() == "vmlinuz-6.12"
    assert (out / "initrd.img").read_text() == "initrd.img-6.12"
    # kubeadm reads the kernel's configuration.
    assert [path.name for path in boot.iterdir()] == ["config-6.12"]
    assert not (root / "vmlinuz").is_symlink()


def test_directories_that_a_node_mounts_over_are_emptied_and_kept(root: Path) -> None:
    for name in ("run", "tmp", "dev"):
        (root / name / "directory").mkdir(parents=True)
        (root / name / "directory" / "file").write_text("x")
        (root / name / "link").symlink_to("/")
    tree.empty_directories(root)
    assert [list((root / name).iterdir()) for name in ("run", "tmp", "dev")] == [[], [], []]


def test_a_file_with_two_names_takes_its_place_once(root: Path) -> None:
    (root / "one").write_bytes(BIG)
    before = disk.tree_bytes(root)
    (root / "two").hardlink_to(root / "one")
    assert disk.tree_bytes(root) == before >= len(BIG)


def test_a_small_file_takes_a_whole_block(root: Path) -> None:
    before = disk.tree_bytes(root)
    (root / "one").write_bytes(b"x")
    assert disk.tree_bytes(root) == before + 4096
