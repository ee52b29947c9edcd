"""The Volumes port: the fake and files with a real qemu-img do the same."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import uuid
from copy import deepcopy
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Protocol

import pycdlib
import pytest

from bootstrap.adapters.marker import MARKER
from bootstrap.adapters.volumes.store import FileVolumes
from bootstrap.errors import BootstrapError, NotOursError
from bootstrap.model.cluster import NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import NodePlan
from bootstrap.ports import Volumes
from tests.builders import INSTALL, OTHER_INSTALL, a_cluster_spec, a_plan, an_image
from tests.fakes.volumes import FakeVolumes, Held

DEMO = ClusterName("demo")
SEED = {"user-data": "#cloud-config\nü: [1]\n", "meta-data": "x: y\n", "network-config": "v: 2\n"}
needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="no qemu-img")


class Place(Protocol):
    """Where volumes are, fake or real."""

    root: Path
    image: NodeImage

    def volumes(self, install_id: uuid.UUID = INSTALL, hypervisor: str = "") -> Volumes:
        """Return the adapter, as one install of the tool sees the place from one libvirt."""

    def make_foreign(self, name: str) -> None:
        """Make a cluster's directory that holds a foreign file and no marker."""

    def copy(self, name: str, copy: str) -> None:
        """Copy a cluster's directory, as `cp -r` does."""

    def lose_marker(self, name: str) -> None:
        """Remove the marker of a cluster's directory."""

    def exists(self, name: str) -> bool:
        """Return whether a cluster's directory exists."""


class FakePlace:
    def __init__(self) -> None:
        self.root, self.image = Path("/volumes"), an_image()
        self._held: dict[str, Held] = {}

    def volumes(self, install_id: uuid.UUID = INSTALL, hypervisor: str = "") -> Volumes:
        made = FakeVolumes(install_id, hypervisor=hypervisor)
        made.held = self._held
        return made

    def make_foreign(self, name: str) -> None:
        self._held[name] = Held(owner=None)

    def copy(self, name: str, copy: str) -> None:
        self._held[copy] = deepcopy(self._held[name])

    def lose_marker(self, name: str) -> None:
        self._held[name].owner = None

    def exists(self, name: str) -> bool:
        return name in self._held


class RealPlace:
    def __init__(self, directory: Path) -> None:
        self.root = directory / "data" / "volumes"
        self.image = an_image(directory)
        self.image.disk.write_bytes(bytes(1 << 20))

    def volumes(self, install_id: uuid.UUID = INSTALL, hypervisor: str = "") -> Volumes:
        return FileVolumes(self.root, install_id, hypervisor=hypervisor)

    def make_foreign(self, name: str) -> None:
        (self.root / name).mkdir(parents=True)
        (self.root / name / "thesis.txt").write_text("mine")

    def copy(self, name: str, copy: str) -> None:
        shutil.copytree(self.root / name, self.root / copy)

    def lose_marker(self, name: str) -> None:
        (self.root / name / MARKER).unlink()

    def exists(self, name: str) -> bool:
        return (self.root / name).exists()


@pytest.fixture(params=["fake", pytest.param("files", marks=needs_qemu_img)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return FakePlace() if request.param == "fake" else RealPlace(tmp_path)


@pytest.fixture
def real(tmp_path: Path) -> RealPlace:
    return RealPlace(tmp_path)


def a_node(place: Place, cluster: str = "demo") -> NodePlan:
    return a_plan(a_cluster_spec(cluster), volumes=place.root).workers[0]


def fill(place: Place, cluster: str = "demo") -> NodePlan:
    node, volumes = a_node(place, cluster), place.volumes()
    volumes.ensure_root_volume(node, image=place.image)
    volumes.ensure_seed_volume(node, SEED)
    return node


def test_volumes_of_machines_elsewhere_are_left_alone(place: Place) -> None:
    """L-18."""
    node, here = a_node(place), place.volumes(hypervisor="qemu:///session")
    here.ensure_root_volume(node, image=place.image)
    elsewhere = place.volumes(hypervisor="qemu:///system")
    assert list(elsewhere.clusters()) == []
    with pytest.raises(NotOursError, match="not ours"):
        elsewhere.remove_cluster(DEMO)
    with pytest.raises(NotOursError, match="not ours"):
        elsewhere.ensure_seed_volume(node, SEED)
    assert list(here.clusters()) == [DEMO]
    assert here.remove_cluster(DEMO)


def test_an_image_is_in_use_while_a_disk_lies_over_it(place: Place) -> None:
    """I-13: also under another owner's disk."""
    assert set(place.volumes().images()) == set()
    fill(place)
    fill(place, "another")
    assert set(place.volumes(OTHER_INSTALL).images()) == {place.image.disk.parent.name}
    place.volumes().remove_cluster(ClusterName("another"))
    place.volumes().remove_cluster(DEMO)
    assert set(place.volumes().images()) == set()


def test_volumes_are_made_once(place: Place) -> None:
    node, volumes = a_node(place), place.volumes()
    assert volumes.ensure_root_volume(node, image=place.image)
    assert not volumes.ensure_root_volume(node, image=place.image)
    assert volumes.ensure_seed_volume(node, SEED)
    assert not volumes.ensure_seed_volume(node, SEED)


def test_a_seed_that_holds_other_files_is_made_anew(place: Place) -> None:
    """L-03, R-06: killed before the first boot, and the keys in it were lost since."""
    node, volumes = a_node(place), place.volumes()
    volumes.ensure_seed_volume(node, {**SEED, "user-data": "lost keys"})
    assert volumes.ensure_seed_volume(node, SEED)
    assert not volumes.ensure_seed_volume(node, SEED)


def test_a_seed_is_emptied_once_and_stays_empty(place: Place) -> None:
    """C-06, SEC-07."""
    node, volumes = fill(place), place.volumes()
    assert volumes.remove_seed_volume(node)
    assert not volumes.remove_seed_volume(node)
    assert not volumes.ensure_seed_volume(node, SEED)


def test_clusters_with_our_marker_are_named(place: Place) -> None:
    """Z-05, L-02: what has no domain yet is found all the same."""
    assert list(place.volumes().clusters()) == []
    fill(place, "demo")
    fill(place, "another")
    place.make_foreign("foreign")
    assert list(place.volumes().clusters()) == [ClusterName("another"), DEMO]
    assert list(place.volumes(OTHER_INSTALL).clusters()) == []


def test_removal_leaves_nothing_and_is_repeatable(place: Place) -> None:
    """C-05, Z-08."""
    fill(place)
    assert place.volumes().remove_cluster(DEMO)
    assert not place.exists("demo")
    assert not place.volumes().remove_cluster(DEMO)
    fill(place)
    assert place.volumes().remove_cluster(DEMO)


def test_a_node_that_is_removed_leaves_the_others_as_they_are(place: Place) -> None:
    """Made again, it begins with an empty disk and a full seed."""
    plan = a_plan(a_cluster_spec(workers=2), volumes=place.root)
    volumes = place.volumes()
    for node in plan.workers:
        volumes.ensure_root_volume(node, image=place.image)
        volumes.ensure_seed_volume(node, SEED)
    first, second = plan.workers
    volumes.remove_seed_volume(second)
    assert volumes.remove_node(DEMO, second.name)
    assert not volumes.remove_node(DEMO, second.name)
    assert not volumes.ensure_root_volume(first, image=place.image)
    assert volumes.ensure_root_volume(second, image=place.image)
    assert volumes.ensure_seed_volume(second, SEED)


def test_a_node_in_a_directory_that_is_not_ours_stays(place: Place) -> None:
    """Z-04."""
    fill(place)
    with pytest.raises(NotOursError):
        place.volumes(OTHER_INSTALL).remove_node(DEMO, "worker")
    place.lose_marker("demo")
    with pytest.raises(NotOursError):
        place.volumes().remove_node(DEMO, "worker")
    with pytest.raises(ValueError, match="is not a node's name"):
        place.volumes().remove_node(DEMO, "../demo")
    assert place.exists("demo")


def test_removing_one_cluster_keeps_the_others(place: Place) -> None:
    fill(place, "demo")
    fill(place, "demo-2")
    place.volumes().remove_cluster(DEMO)
    assert list(place.volumes().clusters()) == [ClusterName("demo-2")]


def test_a_foreign_directory_is_neither_used_nor_removed(place: Place) -> None:
    """Z-01, Z-04."""
    place.make_foreign("demo")
    with pytest.raises(NotOursError):
        fill(place)
    with pytest.raises(NotOursError):
        place.volumes().remove_cluster(DEMO)
    assert place.exists("demo")


def test_another_installs_directory_is_neither_used_nor_removed(place: Place) -> None:
    """H-14."""
    node = fill(place)
    others = place.volumes(OTHER_INSTALL)
    with pytest.raises(NotOursError):
        others.ensure_root_volume(node, image=place.image)
    with pytest.raises(NotOursError):
        others.ensure_seed_volume(node, SEED)
    with pytest.raises(NotOursError):
        others.remove_cluster(DEMO)
    assert list(place.volumes().clusters()) == [DEMO]


def test_a_copy_of_a_clusters_directory_is_neither_used_nor_removed(place: Place) -> None:
    """Z-01, Z-04: the copy of our marker names the cluster that it was made for."""
    fill(place, "demo")
    place.copy("demo", "copy")
    with pytest.raises(NotOursError) as used:
        fill(place, "copy")
    with pytest.raises(NotOursError) as removed:
        place.volumes().remove_cluster(ClusterName("copy"))
    for error in (used.value, removed.value):
        assert error.exit_code == 7
        assert error.details == "Its marker names another cluster: demo."
    assert place.exists("copy")
    assert list(place.volumes().clusters()) == [DEMO]


def test_a_lost_marker_is_put_back_on_the_proof_of_a_domain(place: Place) -> None:
    """R-15, L-03: libvirt is the truth; without a domain in it, nothing tells whose it is."""
    node = fill(place)
    place.lose_marker("demo")
    assert not place.volumes().restore_marker(DEMO, [])
    elsewhere = [node.directory.parent.parent / "other" / node.name, node.directory / "deeper"]
    assert not place.volumes().restore_marker(DEMO, elsewhere)
    with pytest.raises(NotOursError):
        place.volumes().remove_cluster(DEMO)
    assert place.volumes().restore_marker(DEMO, [node.directory])
    assert not place.volumes().restore_marker(DEMO, [node.directory])
    assert place.volumes().remove_cluster(DEMO)
    assert not place.volumes().restore_marker(DEMO, [node.directory])


def test_the_marker_of_another_install_or_cluster_is_not_replaced(place: Place) -> None:
    """H-14, Z-01."""
    node = fill(place)
    assert not place.volumes(OTHER_INSTALL).restore_marker(DEMO, [node.directory])
    place.copy("demo", "copy")
    copied = a_node(place, "copy")
    assert not place.volumes().restore_marker(ClusterName("copy"), [copied.directory])
    assert list(place.volumes().clusters()) == [DEMO]


def test_a_console_that_is_not_there_is_empty(place: Place) -> None:
    assert place.volumes().console(a_node(place)) == ""


def _info(volume: Path) -> dict[str, object]:
    argv = ["qemu-img", "info", "--output=json", str(volume)]
    done = subprocess.run(argv, capture_output=True, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@needs_qemu_img
def test_the_root_volume_states_its_base_and_the_bases_format(real: RealPlace) -> None:
    """I-09, M22."""
    info = _info(fill(real).root_volume)
    assert info["format"] == "qcow2"
    assert info["backing-filename"] == str(real.image.disk)
    assert info["backing-filename-format"] == "raw"
    assert info["virtual-size"] == 20 << 30


@needs_qemu_img
def test_a_root_volume_that_could_not_be_made_leaves_nothing(real: RealPlace) -> None:
    node = a_node(real)
    missing = replace(real.image, disk=real.root / "missing.raw")
    with pytest.raises(BootstrapError) as caught:
        real.volumes().ensure_root_volume(node, image=missing)
    assert "missing.raw" in caught.value.details
    assert list(node.directory.iterdir()) == []


@needs_qemu_img
def test_everything_is_private_whatever_the_umask_is(real: RealPlace) -> None:
    """H-21, G-26."""
    old = os.umask(0)
    try:
        node = fill(real)
    finally:
        os.umask(old)
    for path in [node.root_volume, node.seed_volume, node.directory.parent / MARKER]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for path in [node.directory, node.directory.parent, real.root]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert not real.root.parent.stat().st_mode & 0o022


def test_the_system_daemons_user_may_pass_but_not_look(tmp_path: Path) -> None:
    """L-04."""
    real = RealPlace(tmp_path)
    node = a_node(real)
    FileVolumes(real.root, INSTALL, mode=0o711).ensure_seed_volume(node, SEED)
    for path in [node.directory, node.directory.parent, real.root]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o711


def _read_seed(data: bytes) -> dict[str, str]:
    image = pycdlib.PyCdlib()
    image.open_fp(BytesIO(data))
    assert image.pvd.volume_identifier.decode().rstrip() == "cidata"
    found = {}
    for child in image.list_children(rr_path="/"):
        if child.is_file():
            name = child.rock_ridge.name().decode()
            buffer = BytesIO()
            image.get_file_from_iso_fp(buffer, rr_path=f"/{name}")
            found[name] = buffer.getvalue().decode()
    image.close()
    return found


def test_the_seed_is_read_back_with_its_label_and_its_three_files(real: RealPlace) -> None:
    node = a_node(real)
    real.volumes().ensure_seed_volume(node, SEED)
    assert _read_seed(node.seed_volume.read_bytes()) == SEED


def test_an_emptied_seed_keeps_its_size_and_none_of_its_bytes(real: RealPlace) -> None:
    """SEC-07: its domain holds the file open and expects a disk of that size."""
    node = a_node(real)
    real.volumes().ensure_seed_volume(node, {**SEED, "user-data": "CANARY"})
    size, number = node.seed_volume.stat().st_size, node.seed_volume.stat().st_ino
    real.volumes().remove_seed_volume(node)
    assert node.seed_volume.stat().st_size == size
    assert node.seed_volume.stat().st_ino == number
    assert not any(node.seed_volume.read_bytes())


def test_a_console_with_any_bytes_is_read(real: RealPlace) -> None:
    node = a_node(real)
    real.volumes().ensure_seed_volume(node, SEED)
    node.console_log.write_bytes(b"Linux\xff\n")
    assert real.volumes().console(node) == "Linux\ufffd\n"


def test_a_linked_directory_is_neither_used_nor_followed(real: RealPlace, tmp_path: Path) -> None:
    """H-11."""
    target = tmp_path / "target"
    target.mkdir()
    (target / MARKER).write_text(json.dumps({"installId": str(INSTALL), "cluster": "demo"}))
    (target / "precious").write_text("")
    real.root.mkdir(parents=True)
    (real.root / "demo").symlink_to(target)
    with pytest.raises(NotOursError):
        real.volumes().ensure_seed_volume(a_node(real), SEED)
    with pytest.raises(NotOursError):
        real.volumes().remove_cluster(DEMO)
    assert (target / "precious").exists()
    assert list(real.volumes().clusters()) == []


def test_a_link_inside_our_directory_goes_and_its_target_stays(
    real: RealPlace, tmp_path: Path
) -> None:
    node = a_node(real)
    real.volumes().ensure_seed_volume(node, SEED)
    precious = tmp_path / "precious"
    precious.mkdir()
    (node.directory.parent / "link").symlink_to(precious)
    (node.directory / "link").symlink_to(precious)
    assert real.volumes().remove_cluster(DEMO)
    assert precious.is_dir()


def test_a_directory_that_is_no_clusters_name_is_not_ours(real: RealPlace) -> None:
    """A user's copy of a cluster's directory must not stop `down --all`."""
    node = a_node(real)
    real.volumes().ensure_seed_volume(node, SEED)
    shutil.copytree(node.directory.parent, real.root / "demo (copy)")
    assert list(real.volumes().clusters()) == [DEMO]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "\x00", '{"installId": 5}', f'{{"installId": "{INSTALL}"}}'],
    ids=["empty", "list", "mapping", "zero", "number", "no cluster"],
)
def test_a_damaged_marker_is_not_ours(real: RealPlace, content: str) -> None:
    """G-06."""
    node = a_node(real)
    real.volumes().ensure_seed_volume(node, SEED)
    (node.directory.parent / MARKER).write_text(content)
    assert list(real.volumes().clusters()) == []
    with pytest.raises(NotOursError):
        real.volumes().remove_cluster(DEMO)
    assert node.seed_volume.exists()


def test_what_a_kill_leaves_is_used_again_and_removed(real: RealPlace) -> None:
    """G-01, M5: killed while the marker, then while a volume was being written."""
    node = a_node(real)
    node.directory.parent.mkdir(parents=True, mode=0o700)
    (node.directory.parent / f".bootstrap-{MARKER}.x1").write_text("half")
    assert list(real.volumes().clusters()) == [DEMO]
    real.volumes().ensure_seed_volume(node, SEED)
    (node.directory / ".bootstrap-root.qcow2.x2").write_text("half")
    assert real.volumes().remove_cluster(DEMO)
    assert list(real.root.iterdir()) == []


def test_a_removal_that_was_killed_half_way_is_finished(real: RealPlace) -> None:
    """G-03: the marker goes last."""
    node = a_node(real)
    real.volumes().ensure_seed_volume(node, SEED)
    code = (
        "import os, pathlib, sys, uuid\n"
        "from bootstrap.adapters.volumes.store import FileVolumes\n"
        "from bootstrap.model.names import ClusterName\n"
        "pathlib.Path.unlink = lambda *_, **__: os._exit(9)\n"
        "FileVolumes(pathlib.Path(sys.argv[1]), uuid.UUID(sys.argv[2]))"
        ".remove_cluster(ClusterName('demo'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, real.root, str(INSTALL)], check=False)
    assert done.returncode == 9
    assert not node.directory.exists()
    assert list(real.volumes().clusters()) == [DEMO]
    assert real.volumes().remove_cluster(DEMO)


def test_sockets_of_cables_that_are_gone_are_removed_and_nothing_else(
    short_directory: Path,
) -> None:
    """QEMU leaves them; the cluster's directory may be deep, and a socket's path is short."""
    plan = a_plan(a_cluster_spec(), volumes=short_directory / "volumes")
    volumes = FileVolumes(short_directory / "volumes", INSTALL)
    assert volumes.ensure_switch_directory(plan.switch)
    (plan.switch.directory / "note.txt").write_text("the user's")
    ends = [end for cable in plan.switch.cables for end in (cable.node_end, cable.switch_end)]
    for end in ends:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
            left.bind(str(end))
    assert not volumes.ensure_switch_directory(plan.switch)
    smaller = replace(plan.switch, cables=plan.switch.cables[:1])
    assert volumes.ensure_switch_directory(smaller)
    left_there = {path.name for path in plan.switch.directory.iterdir()}
    assert left_there == {"note.txt", *(Path(str(end)).name for end in ends[:2])}
