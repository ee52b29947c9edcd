"""The root tree while it is being made: in memory, with the kernel's file systems."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from bootstrap.adapters.process import run

_TIMEOUT_S = 600
_KERNEL_FILE_SYSTEMS = ("proc", "sys", "dev")
#: Reading smaller files costs more than sharing them saves.
_SHARED_FROM = "1MiB"


def unpack(tar: Path, root: Path) -> None:
    """Unpack a base system, without its device nodes."""
    root.mkdir(mode=0o755)
    options = ["--numeric-owner", "--xattrs", "--xattrs-include=security.capability"]
    _run(
        ["tar", "-xpf", tar, "-C", root, *options, "--exclude=./dev/*"],
        f"unpack the base system '{tar}'",
    )


@contextlib.contextmanager
def kernel_file_systems(root: Path) -> Iterator[None]:
    """Mount /proc, /sys and /dev in the tree while the block runs."""
    for name in _KERNEL_FILE_SYSTEMS:
        (root / name).mkdir(exist_ok=True)
        _run(["mount", "--rbind", f"/{name}", root / name], f"mount /{name} in the tree")
    try:
        yield
    finally:
        for name in _KERNEL_FILE_SYSTEMS:
            _run(["umount", "--lazy", root / name], f"unmount /{name} from the tree")


def empty_directories(root: Path) -> None:
    """Empty the directories that a booted system mounts over."""
    directories = [root / name for name in ("run", "tmp", "dev")]
    _run(
        ["find", *directories, "-xdev", "-mindepth", "1", "-delete"],
        "empty directories of the tree",
    )


def take_boot_files(root: Path, *, kernel: Path, initrd: Path) -> None:
    """Move the kernel and the initial RAM disk out of the tree."""
    boot = root / "boot"
    shutil.move(_only(boot, "vmlinuz-*"), kernel)
    shutil.move(_only(boot, "initrd.img-*"), initrd)
    for useless in boot.glob("System.map-*"):
        useless.unlink()
    for link in ("vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old"):
        (root / link).unlink(missing_ok=True)
        (boot / link).unlink(missing_ok=True)


def share_identical_files(root: Path) -> None:
    """Make one file of big files with the same content, owner and mode.

    The programs of the control plane are on the node and in its container images: as
    one file they are read once and lie in memory once.
    """
    snapshots = root / "var/lib/containerd/io.containerd.snapshotter.v1.overlayfs"
    options = ["--ignore-time", f"--minimum-size={_SHARED_FROM}"]
    _run(["hardlink", *options, root / "usr/local/bin", snapshots], "share identical files")


def _only(directory: Path, pattern: str) -> Path:
    (found,) = directory.glob(pattern)
    return found


def _run(words: list[str | Path], action: str) -> None:
    run(words, action=action, timeout_s=_TIMEOUT_S)
