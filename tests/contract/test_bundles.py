"""The Bundles port: the fake and the files do the same, and a host takes what another has."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from bootstrap.adapters.artifacts.chosen import ChosenArtifacts
from bootstrap.adapters.artifacts.go.components import components_of
from bootstrap.adapters.artifacts.go.source import GoArtifacts
from bootstrap.adapters.artifacts.sets import ArtifactSets
from bootstrap.adapters.artifacts.upstream.releases import architecture, releases_of
from bootstrap.adapters.artifacts.upstream.source import UpstreamArtifacts
from bootstrap.adapters.bundles.contents import BUNDLE
from bootstrap.adapters.bundles.store import FileBundles
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.manifested import MANIFEST
from bootstrap.errors import BootstrapError, StateError, UsageError
from bootstrap.model.bundle import Bundle, Part
from bootstrap.model.sources import Source
from bootstrap.ports import Bundles, Events, Images
from bootstrap.workflow.bundling import use_bundle
from tests.builders import FakePorts, FakeWorld, ports_with_fakes
from tests.contract.test_images import LATER, VERSION, QuickImages
from tests.fakes.bundles import FakeBundles
from tests.fakes.events import FakeEvents
from tests.fakes.images import FakeImages
from tests.fakes.recording import Journal
from tests.tars import members_of, write_tar

NOW = "2030-01-01T00:00:00+00:00"


def quick_wheels(directory: Path, log: Path, events: Events) -> None:
    """Take no time; tests/contract/test_offline_wheels.py makes the real ones."""
    assert log.parent.is_dir()
    events.note("Making the wheels of this tool")
    (directory / "bootstrap-0.1.0-py3-none-any.whl").write_text("wheel")


def make_artifacts(directories: Directories, *, are_others: bool = False) -> None:
    """Have a whole set of files that are as small as can be, or one of other bytes."""
    sets = ArtifactSets(directories, lambda _: None)
    store = sets.store(GoArtifacts(directories, FakeEvents()).key(VERSION))
    programs = [component.name for component in components_of(VERSION)]
    with sets.changing(store):
        for name in [*programs, "kube-proxy-base.tar", "images.tar"]:
            mode = 0o755 if name in programs else 0o644
            text = name.upper() if are_others else name
            store.add(name, VERSION, partial(Path.write_text, data=text), mode=mode)


class Host(Protocol):
    """A host, fake or real."""

    @property
    def bundles(self) -> Bundles: ...

    @property
    def images(self) -> Images: ...

    def build(self) -> None:
        """Have an image and what it is made from."""

    def leave_half(self) -> None:
        """Leave what a killed run does."""

    def has_half(self) -> bool: ...


@dataclass
class FakeHost:
    images: FakeImages
    bundles: FakeBundles

    def build(self) -> None:
        self.images.ensure(VERSION)
        self.images.materials(VERSION)

    def leave_half(self) -> None:
        self.bundles.half_done = True

    def has_half(self) -> bool:
        return self.bundles.half_done


class RealHost:
    def __init__(self, root: Path, *, is_other: bool = False) -> None:
        self._is_other = is_other
        self.directories = Directories(
            state=root / "state", cache=root / "cache", volumes=root / "data" / "volumes"
        )
        events = FakeEvents()
        self.artifacts = ChosenArtifacts(self.directories, events)
        self.images = QuickImages(
            self.directories, events, self.artifacts, now=lambda: LATER if is_other else NOW
        )
        self.bundles = FileBundles(self.directories, events, wheels=quick_wheels, now=lambda: NOW)

    def build(self) -> None:
        make_artifacts(self.directories, are_others=self._is_other)
        self.images.ensure(VERSION)

    def leave_half(self) -> None:
        half = self.directories.images.parent / "bundles" / ".bootstrap-draft" / "images"
        half.mkdir(parents=True)
        (half / "disk.raw").write_text("dis")

    def has_half(self) -> bool:
        return (self.directories.images.parent / "bundles").exists()

    def files(self) -> Mapping[str, bytes]:
        """Return all that is kept."""
        roots = (self.directories.cache, self.directories.images.parent)
        return {
            str(path): path.read_bytes()
            for root in roots
            for path in root.rglob("*")
            if path.is_file() and path.suffix not in (".lock", ".holder", ".log")
        }


@dataclass
class Places:
    """Two hosts, and a directory that goes from one to the other."""

    here: Host
    there: Host
    file: Path


@pytest.fixture(params=["fake", "files"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    file = tmp_path / "kubernetes.bundle"
    if request.param == "files":
        here: Host = RealHost(tmp_path / "here")
        there: Host = RealHost(tmp_path / "there")
    else:
        shared: dict[Path, Bundle] = {}
        here, there = (_fake(shared) for _ in range(2))
    here.build()
    return Places(here, there, file)


def _fake(shared: dict[Path, Bundle]) -> FakeHost:
    images = FakeImages()
    return FakeHost(images, FakeBundles(images, Journal(), shared))


def written(host: Host, file: Path) -> Bundle:
    return host.bundles.write(file, host.images.ensure(VERSION), host.images.materials(VERSION))


def take(host: Host, file: Path, parts: Sequence[Part] = tuple(Part)) -> None:
    with host.bundles.unpacked(file, host.bundles.read(file), parts) as found:
        assert sorted(found) == sorted(parts)
        takers = {
            Part.ARTIFACTS: host.images.adopt_artifacts,
            Part.BASE: host.images.adopt_base,
            Part.IMAGE: host.images.adopt,
        }
        for part in parts:
            takers[part](found[part])


def test_what_was_written_is_read_on_another_host(places: Places) -> None:
    bundle = written(places.here, places.file)
    assert places.there.bundles.read(places.file) == bundle
    assert bundle.kubernetes_version == VERSION
    assert bundle.keys[Part.IMAGE] == places.here.images.ensure(VERSION).key
    assert {"README.md", "debian-packages.txt"} <= set(bundle.files)
    assert bundle.wheels == ["bootstrap-0.1.0-py3-none-any.whl"]
    assert all(bundle.of_part(part) for part in Part)
    assert places.there.bundles.refusal(bundle) == ""


def test_no_file_is_written_over(places: Places) -> None:
    places.file.write_text("mine")
    for call in (places.here.bundles.refuse_taken, lambda file: written(places.here, file)):
        with pytest.raises(UsageError, match="exists") as caught:
            call(places.file)
        assert caught.value.exit_code == 2
    assert places.file.read_text() == "mine"


def test_another_host_lacks_all_parts_until_it_has_taken_them(places: Places) -> None:
    bundle = written(places.here, places.file)
    assert places.here.bundles.missing(bundle) == []
    assert places.there.bundles.missing(bundle) == list(Part)
    take(places.there, places.file, [Part.BASE])
    assert places.there.bundles.missing(bundle) == [Part.ARTIFACTS, Part.IMAGE]
    take(places.there, places.file, [Part.ARTIFACTS, Part.IMAGE])
    assert places.there.bundles.missing(bundle) == []
    assert places.there.images.find(bundle.keys[Part.IMAGE]) is not None


def test_what_killed_runs_left_is_removed(places: Places) -> None:
    """R-07."""
    written(places.here, places.file)
    places.there.leave_half()
    take(places.there, places.file, [])
    assert not places.there.has_half()
    places.there.leave_half()
    places.there.bundles.sweep()
    assert not places.there.has_half()
    places.there.bundles.sweep()


def test_a_file_that_is_none_is_refused(places: Places) -> None:
    places.file.write_text("no bundle")
    with pytest.raises(StateError, match="not a whole bundle"):
        places.there.bundles.read(places.file)


@pytest.mark.parametrize(("field", "said"), [("machine", "for other"), ("recipe", "made by")])
def test_a_bundle_of_another_kind_of_host_or_another_version_is_refused(
    places: Places, field: str, said: str
) -> None:
    bundle = replace(written(places.here, places.file), **{field: "other"})  # type: ignore[arg-type]
    assert said in places.there.bundles.refusal(bundle)


@pytest.fixture
def here(tmp_path: Path) -> RealHost:
    host = RealHost(tmp_path / "here")
    host.build()
    return host


@pytest.fixture
def there(tmp_path: Path) -> RealHost:
    return RealHost(tmp_path / "there")


@pytest.fixture
def file(here: RealHost, tmp_path: Path) -> Path:
    target = tmp_path / "kubernetes.bundle"
    written(here, target)
    return target


class Ports(FakePorts):
    """Those of a real host."""

    def __init__(self, host: RealHost, world: FakeWorld | None = None) -> None:
        super().__init__(world or ports_with_fakes())
        self.images, self.bundles = host.images, host.bundles


def test_a_used_bundle_gives_the_image_that_up_expects(
    file: Path, here: RealHost, there: RealHost
) -> None:
    """I-04: nothing is built, and nothing asked for."""
    assert there.images.expected(VERSION) is None
    used = use_bundle(file, Ports(there))
    assert (list(used.taken), used.source) == (list(Part), Source.AUTO)
    found, made = there.images.expected(VERSION), here.images.expected(VERSION)
    assert found is not None
    assert made is not None
    assert replace(found, disk=made.disk, kernel=made.kernel, initrd=made.initrd) == made
    there.images.check(found)
    kubectl = there.artifacts.kubectl(VERSION)
    assert kubectl is not None
    assert kubectl.stat().st_mode & 0o777 == 0o755
    assert not there.has_half()


def test_a_second_use_changes_nothing(file: Path, there: RealHost) -> None:
    use_bundle(file, Ports(there))
    before = there.files()
    assert use_bundle(file, Ports(there)).taken == []
    assert there.files() == before


def test_a_host_that_prefers_another_source_is_told_which_one_to_name(
    file: Path, there: RealHost
) -> None:
    """Its own set, downloaded by an earlier version, comes first and has no image."""
    sets = ArtifactSets(there.directories, lambda _: None)
    store = sets.store(UpstreamArtifacts(there.directories, FakeEvents()).key(VERSION))
    releases = releases_of(VERSION, architecture())
    programs = [name for release in releases for name in release.programs.values()]
    with sets.changing(store):
        for name in [*programs, "node", "pulls.json", "images.tar"]:
            store.add(name, VERSION, lambda path: path.write_text("{}"), mode=0o644)
    assert use_bundle(file, Ports(there)).source is Source.GO
    assert there.images.expected(VERSION) is None
    assert there.images.expected(VERSION, Source.GO) is not None


def test_a_file_that_rotted_here_is_replaced(file: Path, there: RealHost) -> None:
    """I-02."""
    use_bundle(file, Ports(there))
    before = there.files()
    for name in before:
        if not name.endswith((MANIFEST, "note.json")):
            Path(name).chmod(0o600)
            Path(name).write_bytes(before[name].upper())
            assert len(use_bundle(file, Ports(there)).taken) == 1, name
            assert there.files() == before, name


def test_a_bundle_is_private_and_begins_with_what_a_reader_wants(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    members = members_of(file)
    names = [member.name for member, _ in members]
    assert names[:4] == [
        *(MANIFEST, "README.md", "debian-packages.txt"),
        "wheels/bootstrap-0.1.0-py3-none-any.whl",
    ]
    assert {(member.uid, member.uname) for member, _ in members} == {(0, "root")}
    page = members[1][1].decode()
    assert "bootstrap bundle use kubernetes.bundle" in page
    assert "libvirt-daemon-system" in page


def test_a_bundle_that_cannot_be_finished_leaves_nothing(here: RealHost, tmp_path: Path) -> None:
    """R-13."""
    image = here.images.ensure(VERSION)
    materials = here.images.materials(VERSION)
    (materials.artifacts / "images.tar").unlink()
    with pytest.raises(BootstrapError, match="Could not write the bundle"):
        here.bundles.write(tmp_path / "x.bundle", image, materials)
    assert not list(tmp_path.glob("*x.bundle*"))
    assert not here.has_half()


@pytest.mark.parametrize("name", ["wheels", "images", "bases", "artifacts"])
def test_a_changed_byte_of_any_part_is_found_and_nothing_is_kept(
    file: Path, there: RealHost, name: str
) -> None:
    """I-15: also of what this host has, or never takes."""
    use_bundle(file, Ports(there))
    shutil.rmtree(there.directories.images)
    before = there.files()
    members = members_of(file)
    at = next(i for i, (one, data) in enumerate(members) if one.name.startswith(name) and data)
    member, data = members[at]
    members[at] = (member, bytes([data[0] ^ 1]) + data[1:])
    write_tar(file, members)
    with pytest.raises(StateError, match="not a whole bundle") as caught:
        use_bundle(file, Ports(there))
    assert "fails its SHA-256" in caught.value.details
    assert there.files() == before
    assert not there.has_half()


def test_a_bundle_of_another_layout_is_named_as_such(file: Path, there: RealHost) -> None:
    bundle = replace(there.bundles.read(file), layout=99)
    members = members_of(file)
    members[0] = (members[0][0], BUNDLE.dump_json(bundle))
    write_tar(file, members)
    with pytest.raises(StateError, match="another version") as caught:
        use_bundle(file, Ports(there))
    assert "layout is 99" in caught.value.details
