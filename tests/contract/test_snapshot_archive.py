"""A snapshot in one file: what one host writes, another reads; what is not whole is refused."""

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.adapters.image.store import IMAGE_FILES, Store
from bootstrap.adapters.snapshots.store import SnapshotStore
from bootstrap.errors import BootstrapError, StateError, UsageError
from bootstrap.model.cluster import NodeImage
from bootstrap.model.snapshot import Snapshot
from tests.builders import INSTALL, OTHER_INSTALL, an_image
from tests.contract.test_snapshot_store import KEYS, READY, saved

KEYS_OF_IMAGES = ("0123456789abcdef", "fedcba9876543210")
DISK, KERNEL, INITRD = IMAGE_FILES[1:]
HOLE = 3 << 20


def make_image(work: Path) -> None:
    (work / DISK).write_bytes(b"disk" + bytes(HOLE) + b"end")
    (work / KERNEL).write_bytes(b"kernel")
    (work / INITRD).write_bytes(b"initrd")


@pytest.fixture
def images(tmp_path: Path) -> list[NodeImage]:
    """Those of nodes with two kubelets."""
    store = Store(directory=tmp_path / "data" / "images", files=(DISK, KERNEL, INITRD))
    store.prepare()
    entries = [
        store.add(key, version="v1.37.2", fetched="", make=make_image) for key in KEYS_OF_IMAGES
    ]
    return [
        replace(an_image(one.directory), key=one.directory.name, sha256=one.sha256[DISK])
        for one in entries
    ]


@pytest.fixture
def here(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "here", INSTALL, locks=tmp_path / "locks")


@pytest.fixture
def there(tmp_path: Path) -> SnapshotStore:
    """The store of another host."""
    return SnapshotStore(tmp_path / "there", OTHER_INSTALL, locks=tmp_path / "locks")


@pytest.fixture
def file(here: SnapshotStore, images: list[NodeImage], tmp_path: Path) -> Path:
    saved(here)
    target = tmp_path / "ready.tar"
    here.export(here.find(READY), images, target)
    return target


def take(store: SnapshotStore, file: Path) -> None:
    with store.importing(file):
        pass


def test_a_snapshot_arrives_as_it_was(
    file: Path, here: SnapshotStore, there: SnapshotStore, images: list[NodeImage]
) -> None:
    assert there.exported(file) == here.find(READY)
    with there.importing(file) as found:
        assert [place.name for place in found] == list(KEYS_OF_IMAGES)
        for place, image in zip(found, images, strict=True):
            assert (place / DISK).read_bytes() == image.disk.read_bytes()
            assert (place / DISK).stat().st_blocks * 512 < HOLE
        assert there.list() == []
    snapshot = there.find(READY)
    assert snapshot == here.find(READY)
    there.check(snapshot)
    assert there.keys(READY) == KEYS
    names = {path.name for path in there.files(READY).disk("worker").parent.iterdir()}
    assert names == {"manifest.json", *snapshot.files}


def test_a_file_is_private_and_no_other_is_written_over(
    file: Path, here: SnapshotStore, images: list[NodeImage]
) -> None:
    """SEC-26."""
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="exists"):
        here.export(here.find(READY), images, file)


def test_an_import_that_fails_leaves_nothing(
    file: Path, there: SnapshotStore, tmp_path: Path
) -> None:
    def refused() -> None:
        with there.importing(file):
            raise StateError("another image")

    with pytest.raises(StateError, match="another image"):
        refused()
    assert not (tmp_path / "there").exists()


def test_a_name_that_is_taken_is_refused(file: Path, here: SnapshotStore) -> None:
    with pytest.raises(UsageError, match="already"):
        take(here, file)


def rewritten(file: Path, change: Callable[[tarfile.TarInfo, bytes], tarfile.TarInfo]) -> None:
    """Write the archive anew, each member as ``change`` has it."""
    with tarfile.open(file) as old:
        members = [(one, (old.extractfile(one) or io.BytesIO()).read()) for one in old]
    with tarfile.open(file, "w") as new:
        for member, data in members:
            plain = tarfile.TarInfo(member.name)
            plain.size = len(data)
            changed = change(plain, data)
            new.addfile(changed, io.BytesIO(data) if changed.isreg() else None)


def renamed(old: str, new: str) -> Callable[[tarfile.TarInfo, bytes], tarfile.TarInfo]:
    def change(member: tarfile.TarInfo, _: bytes) -> tarfile.TarInfo:
        member.name = new if member.name == old else member.name
        return member

    return change


def linked(member: tarfile.TarInfo, _: bytes) -> tarfile.TarInfo:
    if member.name == "worker.qcow2":
        member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0
    return member


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (renamed("worker.memory", "../evil"), "It holds '../evil'"),
        (renamed("worker.memory", "/etc/evil"), "It holds '/etc/evil'"),
        (renamed("worker.memory", "keys.json"), "It holds 'keys.json'"),
        (
            renamed(f"{KEYS_OF_IMAGES[1]}/note.json", f"{KEYS_OF_IMAGES[1]}/other"),
            f"It holds '{KEYS_OF_IMAGES[1]}/other'",
        ),
        (renamed("manifest.json", "other.json"), "does not begin with a manifest"),
        (linked, "It holds 'worker.qcow2'"),
    ],
)
def test_an_archive_with_anything_else_is_refused(
    file: Path,
    there: SnapshotStore,
    tmp_path: Path,
    change: Callable[[tarfile.TarInfo, bytes], tarfile.TarInfo],
    said: str,
) -> None:
    """SEC-17: it may come from elsewhere."""
    rewritten(file, change)
    with pytest.raises(StateError, match="not a whole snapshot") as caught:
        take(there, file)
    assert said in caught.value.details
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("size", [0, 100, 2000, 20_000])
def test_a_file_that_is_cut_off_is_refused(
    file: Path, there: SnapshotStore, tmp_path: Path, size: int
) -> None:
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(StateError):
        take(there, file)
    assert not (tmp_path / "there").exists()


def test_a_byte_that_has_changed_is_found(file: Path, there: SnapshotStore) -> None:
    data = file.read_bytes()
    assert data.count(b"\0memory\0") == 1
    file.write_bytes(data.replace(b"\0memory\0", b"\0mEmory\0"))
    with pytest.raises(StateError, match=r"damaged: worker\.memory"):
        take(there, file)


@pytest.mark.parametrize("text", [b"{}", b"[]", b"x"])
def test_a_manifest_that_is_none_is_refused(
    tmp_path: Path, there: SnapshotStore, text: bytes
) -> None:
    file = tmp_path / "x.tar"
    with tarfile.open(file, "w") as archive:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    with pytest.raises(StateError, match="not a snapshot of this version"):
        there.exported(file)


@pytest.mark.parametrize(
    "evil",
    [
        {"cluster": "../../evil"},
        {"name": "../evil"},
        {"images": {"../../evil": ""}},
        {"images": {"": ""}},
        {"files": {"../evil": {"size_bytes": 1, "sha256": ""}}},
        {"files": {}},
        {"nodes": [{"name": "../evil", "role": "worker", "facts": {}}]},
    ],
)
def test_a_name_in_a_manifest_that_leads_elsewhere_is_refused(
    file: Path, there: SnapshotStore, tmp_path: Path, evil: dict[str, object]
) -> None:
    """SEC-11, SEC-17."""
    text = json.loads((tmp_path / "here/demo/ready/manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**text, **evil}))
    with tarfile.open(file, "w") as archive:
        archive.add(tmp_path / "manifest.json", "manifest.json")
    with pytest.raises(StateError, match="not a snapshot of this version"):
        take(there, file)
    assert not (tmp_path / "there").exists()


def test_a_disk_that_is_full_leaves_no_part(
    here: SnapshotStore, images: list[NodeImage], tmp_path: Path
) -> None:
    """R-13."""
    whole: Snapshot = saved(here)
    images[1].kernel.chmod(0o600)
    images[1].kernel.unlink()
    with pytest.raises(BootstrapError, match="Could not write"):
        here.export(whole, images, tmp_path / "x.tar")
    assert not list(tmp_path.glob("*x.tar*"))
