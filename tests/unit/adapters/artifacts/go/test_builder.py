"""The key of the cache changes with everything that changes the bytes, and with nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.adapters.artifacts.go.builder import flags, inputs_digest
from bootstrap.adapters.artifacts.go.components import Component

_PART = Component(name="kube", module="kubernetes", package=".", version="v1")


def _key(modules: Path, part: Component = _PART) -> str:
    return inputs_digest("v1", [part], modules)


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    directory = tmp_path / "kubernetes"
    directory.mkdir()
    for name in ("go.mod", "go.sum", "main.go", "main_test.go", "README.md"):
        (directory / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "main.go", "new.go"])
def test_a_changed_source_gives_another_key(modules: Path, name: str) -> None:
    before = _key(modules)
    (modules / "kubernetes" / name).write_text("changed")
    assert _key(modules) != before


@pytest.mark.parametrize("name", ["v1.1.mod", "v1.1.sum", "main.go"])
def test_a_program_of_another_lock_depends_on_that_one(modules: Path, name: str) -> None:
    part = replace(_PART, lock="v1.1.mod")
    for lock in ("v1.1.mod", "v1.1.sum"):
        (modules / "kubernetes" / lock).write_text(lock)
    before, newest = _key(modules, part), _key(modules)
    assert before != newest
    (modules / "kubernetes" / name).write_text("changed")
    assert _key(modules, part) != before
    assert (_key(modules) == newest) == (name != "main.go")
    changed = _key(modules, part)
    (modules / "kubernetes" / "go.mod").write_text("changed")
    assert _key(modules, part) == changed


def test_another_lock_is_named_to_go() -> None:
    assert flags(replace(_PART, lock="v1.1.mod"))[0] == "-modfile=v1.1.mod"


@pytest.mark.parametrize("name", ["main_test.go", "README.md"])
def test_a_file_that_is_not_built_does_not_change_the_key(modules: Path, name: str) -> None:
    before = _key(modules)
    (modules / "kubernetes" / name).write_text("changed")
    assert _key(modules) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda part: replace(part, name="other"),
        lambda part: replace(part, package="./cmd"),
        lambda part: replace(part, tags=("no_zfs",)),
        lambda part: replace(part, stamps=("main.version=v2",)),
    ],
)
def test_a_changed_command_gives_another_key(
    modules: Path, change: Callable[[Component], Component]
) -> None:
    assert _key(modules, change(_PART)) != _key(modules)


def test_the_key_does_not_depend_on_where_the_modules_are(modules: Path, tmp_path: Path) -> None:
    before = _key(modules)
    (tmp_path / "elsewhere").mkdir()
    (modules / "kubernetes").rename(tmp_path / "elsewhere" / "kubernetes")
    assert _key(tmp_path / "elsewhere") == before


def test_flags_leave_no_path_and_no_symbols_and_set_the_version() -> None:
    part = replace(_PART, tags=("a", "b"), stamps=("x.y=v1", "x.z=v2"))
    assert flags(part) == [
        "-trimpath",
        "-tags",
        "a,b",
        "-gcflags=all=-dwarf=false",
        "-ldflags",
        "-s -w -X x.y=v1 -X x.z=v2",
    ]
