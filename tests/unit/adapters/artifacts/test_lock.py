"""The versions are in two places, the lock and go.mod, and must not drift apart."""

import re

import pytest

from bootstrap.adapters.artifacts.lock import LOCKS, Component, lock_of
from bootstrap.errors import UsageError
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.resources import resource_directory

_MODULES = resource_directory("artifacts")
_PARTS = [
    (part, f"{version}-{part.name}") for version, lock in LOCKS.items() for part in lock.components
]
_ALL = [pytest.param(part, id=name) for part, name in _PARTS]
_REQUIRED = [pytest.param(part, id=name) for part, name in _PARTS if part.requirement]


def _go_mod(part: Component) -> str:
    return (_MODULES / part.module / "go.mod").read_text()


@pytest.mark.parametrize("part", _REQUIRED)
def test_a_version_in_the_lock_is_the_one_that_go_mod_requires(part: Component) -> None:
    pattern = rf"^(?:require |\t){re.escape(part.requirement)} (\S+)"
    assert re.findall(pattern, _go_mod(part), re.MULTILINE) == [part.version]


@pytest.mark.parametrize("part", _ALL)
def test_a_package_of_another_module_is_named_as_a_tool_so_that_go_mod_lists_what_it_needs(
    part: Component,
) -> None:
    assert part.package == "." or re.search(
        rf"^(?:tool |\t){re.escape(part.package)}$", _go_mod(part), re.MULTILINE
    )


@pytest.mark.parametrize("part", _ALL)
def test_requirements_of_other_modules_have_checksums(part: Component) -> None:
    sums = _MODULES / part.module / "go.sum"
    assert not part.requirement or f"{part.requirement} {part.version} h1:" in sums.read_text()


@pytest.mark.parametrize("version", LOCKS)
def test_each_program_is_named_once(version: str) -> None:
    names = [part.name for part in LOCKS[version].components]
    assert len(names) == len(set(names))


def test_the_kubernetes_programs_say_the_version_of_their_lock() -> None:
    kube = next(part for part in lock_of("v1.37.2").components if part.name == "kube")
    assert [stamp.rpartition(".git")[2] for stamp in kube.stamps] == [
        "Version=v1.37.2",
        "Major=1",
        "Minor=37",
    ]


def test_the_check_image_has_the_version_of_its_program() -> None:
    node = next(part for part in lock_of("v1.37.2").components if part.name == "node")
    assert CHECK_IMAGE.rpartition(":")[2] == node.version


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        lock_of("v1.9.0")
    assert "v1.9.0" in caught.value.message
    assert "v1.37.2" in caught.value.details
