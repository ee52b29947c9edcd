"""G-25, G-26, H-10, H-15, SEC-14, SEC-26: private under any umask, and no name can be guessed."""

import ast
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import bootstrap
from tests.faults.ownership.world import HostWorld, host_world

#: A guest's own memory, which is no file of ours.
_GUEST = "guest.json"
_CREATING = {"open": 0, "os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1}


@pytest.fixture
def world(tmp_path: Path, _nothing_left: None) -> Iterator[HostWorld]:
    with host_world(tmp_path) as made:
        yield made


@pytest.fixture
def _open_umask(world: HostWorld) -> Iterator[None]:
    del world  # made before, under the umask of all tests
    before = os.umask(0)
    yield
    os.umask(before)


COMMANDS = [
    ("up", "demo", "--workers", "1"),
    ("up", "demo", "--workers", "2", "--use"),
    ("node", "add", "demo"),
    ("node", "replace", "demo", "worker2"),
    ("node", "remove", "demo", "worker"),
    ("stop", "demo"),
    ("start", "demo"),
    ("kubeconfig", "demo", "--merge"),
    ("logs", "demo"),
    ("status", "demo"),
]


@pytest.mark.usefixtures("_open_umask")
def test_all_that_a_cluster_leaves_is_its_users_alone(world: HostWorld) -> None:
    for command in COMMANDS:
        assert world.run(*command).exit_code == 0
    mine = [world.place / "bootstrap", world.place / ".kube"]
    paths = [path for root in mine for path in (root, *root.rglob("*")) if path.name != _GUEST]
    assert len(paths) > 40
    images = world.directories.images
    # The system daemon's user reads node images; only we may change them.
    public = {path for path in paths if path.is_relative_to(images)}
    assert not [path for path in public if path.lstat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)]
    paths = [path for path in paths if path not in public]
    modes = {str(path.relative_to(world.place)): path.lstat().st_mode for path in paths}
    wide = {
        path: f"{stat.S_IMODE(mode):o}"
        for path, mode in modes.items()
        if stat.S_IMODE(mode) != (0o700 if stat.S_ISDIR(mode) else 0o600)
    }
    # BOOTSTRAP_HOME and data are the way to the volumes, which root's daemon must pass.
    assert {
        path: mode for path, mode in wide.items() if not path.endswith(("bootstrap", "data"))
    } == {}
    assert set(wide.values()) <= {"755"}


def test_nothing_is_made_at_a_name_that_others_can_guess(world: HostWorld) -> None:
    """Every file that is opened for writing, or made, in a directory that all may write."""
    made = _watch(world)
    shared = [path for path in made if _is_shared(path.parent)]
    for path in shared:
        assert path.stat().st_uid == os.getuid() if path.exists() else True
        assert tempfile._RandomNameSequence.characters  # type: ignore[attr-defined]  # noqa: SLF001
        assert path.name.startswith(("bs-", "tmp", "ansible")), path
        assert len(path.name) >= len("bs-12345678"), path
    assert made, "nothing was seen, so nothing was proven"


def _watch(world: HostWorld) -> list[Path]:
    made: list[Path] = []
    is_on = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if not is_on or event not in _CREATING:
            return
        if event == "open" and not _writes(arguments):
            return
        path = arguments[_CREATING[event]]
        if isinstance(path, str | bytes | os.PathLike):
            made.append(Path(os.fsdecode(path)).absolute())

    # A hook cannot be taken away again; this one falls silent.
    sys.addaudithook(hook)
    try:
        for command in (*COMMANDS, ("down", "demo")):
            assert world.run(*command).exit_code == 0
    finally:
        is_on = False
    return made


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _is_shared(directory: Path) -> bool:
    return directory.exists() and bool(directory.stat().st_mode & stat.S_IWOTH)


def test_no_shared_directory_is_named_in_the_code() -> None:
    (package,) = bootstrap.__path__
    for file in Path(package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith(("/tmp", "/var/tmp", "/dev/shm")), file
