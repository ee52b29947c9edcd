"""The marker of a cluster's directory: what the contract tests of its two users leave open."""

import json
import shutil
from pathlib import Path

import pytest

from bootstrap.adapters.marker import MARKER, Owner, claim, is_ours, recorded_hypervisor, restore
from bootstrap.errors import NotOursError
from tests.builders import INSTALL, OTHER_INSTALL

URI = "qemu:///session"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "demo"


def test_a_directory_is_claimed_once(directory: Path) -> None:
    assert claim(directory)
    assert not claim(directory)
    assert is_ours(directory)


def test_a_copy_is_not_ours_without_an_install_id_either(directory: Path) -> None:
    """Z-01."""
    claim(directory)
    copy = Path(shutil.copytree(directory, directory.parent / "copy"))
    assert not is_ours(copy)
    with pytest.raises(NotOursError) as caught:
        claim(copy)
    assert caught.value.details == "Its marker names another cluster: demo."
    assert not restore(copy)


def test_a_marker_that_is_damaged_is_refused_until_it_is_restored(directory: Path) -> None:
    """R-15."""
    claim(directory)
    (directory / MARKER).write_bytes(b"\x00")
    with pytest.raises(NotOursError) as caught:
        claim(directory)
    assert caught.value.exit_code == 7
    assert MARKER in caught.value.details
    assert restore(directory)
    assert not restore(directory)
    assert is_ours(directory)


def test_a_directory_that_cannot_be_listed_is_not_ours(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.mkdir()

    def refused(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    assert not is_ours(directory)


def test_the_libvirt_of_the_machines_is_read_by_its_own_install_only(directory: Path) -> None:
    """L-18."""
    claim(directory, Owner(install_id=INSTALL, hypervisor=URI))
    assert recorded_hypervisor(directory, INSTALL) == URI
    assert recorded_hypervisor(directory, OTHER_INSTALL) is None
    (directory / MARKER).write_text(json.dumps({"installId": str(INSTALL), "cluster": "demo"}))
    assert recorded_hypervisor(directory, INSTALL) is None
