"""A bundle that is written or used is killed at each change of a file: nothing half is found."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.adapters.files import sha256_of
from bootstrap.errors import UsageError
from bootstrap.model.bundle import Part
from bootstrap.workflow.bundling import use_bundle
from tests.contract.test_bundles import Ports, RealHost, take, written
from tests.contract.test_images import VERSION
from tests.faults.conftest import Scale
from tests.killing import killed_at


@pytest.fixture
def here(tmp_path: Path) -> RealHost:
    host = RealHost(tmp_path / "here")
    host.build()
    return host


def assert_whole_or_absent(host: RealHost) -> None:
    """See that nothing is found of which a byte is wrong or missing."""
    for image in host.images.list():
        host.images.check(image)
    for artifact in host.artifacts.list() if host.artifacts.find(VERSION) else ():
        assert sha256_of(artifact.path) == artifact.sha256, artifact.name


def killed_uses(
    file: Path, root: Path, scale: Scale, *, step: int, is_other: bool = False
) -> Iterator[tuple[int, RealHost]]:
    """Yield new hosts on which a use was killed, each at a later change, and one where it ended.

    ``is_other`` ones have files of their own.
    """
    for point in itertools.count(1, 1 if scale.is_long else step):
        shutil.rmtree(root, ignore_errors=True)
        there = RealHost(root, is_other=is_other)
        if is_other:
            there.build()
        is_killed = killed_at(point, lambda host=there: use_bundle(file, Ports(host)))  # type: ignore[misc]
        scale.count("kills", int(is_killed))
        assert_whole_or_absent(there)
        yield point, there
        if not is_killed:
            return


def test_a_use_that_was_killed_is_finished_by_the_next(
    here: RealHost, tmp_path: Path, scale: Scale
) -> None:
    """I-15, R-07."""
    file = tmp_path / "kubernetes.bundle"
    bundle = written(here, file)
    for point, there in killed_uses(file, tmp_path / "there", scale, step=29):
        used = use_bundle(file, Ports(there))
        assert set(used.taken) <= set(Part)
        assert there.images.expected(VERSION) is not None, point
        assert there.bundles.missing(bundle) == [], point
        assert not there.has_half(), point


def test_a_use_that_was_killed_over_other_files_is_finished_too(
    here: RealHost, tmp_path: Path, scale: Scale
) -> None:
    """I-15, R-07: the other host has a set and a base system of the same keys, of other bytes."""
    file = tmp_path / "kubernetes.bundle"
    bundle = written(here, file)
    for point, there in killed_uses(file, tmp_path / "there", scale, step=31, is_other=True):
        use_bundle(file, Ports(there))
        assert there.bundles.missing(bundle) == [], point
        expected = there.images.expected(VERSION)
        assert expected is not None
        assert expected.key == bundle.keys[Part.IMAGE], point


def test_a_bundle_whose_writing_is_killed_is_whole_or_absent(
    here: RealHost, tmp_path: Path, scale: Scale
) -> None:
    """R-07."""
    file, there = tmp_path / "out" / "kubernetes.bundle", RealHost(tmp_path / "there")
    file.parent.mkdir()
    for point in itertools.count(1, 1 if scale.is_long else 11):
        is_killed = killed_at(point, lambda: written(here, file))
        scale.count("kills", int(is_killed))
        if not file.exists():
            written(here, file)
        take(there, file, [])
        with pytest.raises(UsageError, match="exists"):
            written(here, file)
        here.bundles.sweep()
        assert [path.name for path in file.parent.iterdir()] == [file.name], point
        assert not here.has_half(), point
        file.unlink()
        if not is_killed:
            break
