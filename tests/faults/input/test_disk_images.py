"""I-08, I-09, I-10, SEC-17, M21: an image that is not what it should be is never opened."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bootstrap
from bootstrap.adapters.volumes.inspection import check_raw_image
from bootstrap.errors import BootstrapError
from tests import scale
from tests.builders import an_image
from tests.fakes.images import FakeImages
from tests.faults.ownership.world import HostWorld, host_world

SECRET = b"the host's own: root:x:0:0"


def qemu_img(*words: str | Path) -> None:
    command = ["qemu-img", "create", "-q", "-f", "qcow2", *map(str, words)]
    subprocess.run(command, check=True, timeout=60)


def make(kind: str, image: Path) -> None:
    """Write a disk image that is hostile in one way."""
    secret = image.with_name("secret")
    secret.write_bytes(SECRET + bytes(65536 - len(SECRET)))
    match kind:
        case "backing file":
            qemu_img("-b", secret, "-F", "raw", image)
        case "old backing file":
            qemu_img("-o", "compat=0.10", "-b", secret, "-F", "raw", image)
        case "data file":
            qemu_img("-o", f"data_file={secret},data_file_raw=on", image, "64K")
        case "size bomb":
            qemu_img(image, "60T")
        case "sparse bomb":
            with image.open("wb") as file:
                file.truncate(1 << 40)
        case "cut off":
            image.write_bytes(b"QFI\xfb\0\0\0\3")
        case "another format":
            image.write_text('# Disk DescriptorFile\nversion=1\nRW 1 FLAT "/etc/shadow" 0\n')
        case _:
            pytest.fail(f"there is no way to make '{kind}'")


SAID = {
    "backing file": "names the backing file '{secret}'",
    "old backing file": "names the backing file '{secret}'",
    "data file": "keeps its data in another file",
    "size bomb": "its size of 61440 GiB is beyond 256 GiB",
    "sparse bomb": "its size of 1024 GiB is beyond 256 GiB",
    "cut off": "its header is cut off",
    "another format": "its format is vmdk instead of raw",
}


@pytest.fixture
def world(tmp_path: Path, _nothing_left: None) -> Iterator[HostWorld]:
    with host_world(tmp_path) as made:
        yield made


@pytest.mark.parametrize("kind", SAID)
def test_up_refuses_a_hostile_image_and_makes_nothing_of_it(world: HostWorld, kind: str) -> None:
    """The one way in: the node image in the cache, under every node's disk."""
    images = world.images = FakeImages()
    disk = world.place / "images" / "disk.raw"
    disk.parent.mkdir()
    images.built[images.key] = an_image(disk.parent)
    make(kind, disk)
    result = world.run("up", "demo")
    assert result.exit_code == 6
    assert SAID[kind].format(secret=disk.with_name("secret")) in result.stderr
    assert "hint: bootstrap down demo && bootstrap image prune" in result.stderr
    assert world.ours() == set()
    assert not list(world.place.rglob("root.qcow2"))


def test_an_honest_image_is_taken(world: HostWorld) -> None:
    assert world.run("up", "demo").exit_code == 0
    assert len(list(world.place.rglob("root.qcow2"))) == 2


def test_any_header_is_judged_and_none_is_obeyed(tmp_path: Path) -> None:
    image = tmp_path / "disk"

    @scale.fuzzed(ci=300, long=20_000)
    @given(st.sampled_from([b"QFI\xfb\0\0\0\3", b"QFI\xfb\0\0\0\2"]), st.binary(max_size=300))
    def check(magic: bytes, rest: bytes) -> None:
        image.write_bytes(magic + rest)
        with pytest.raises(BootstrapError) as caught:
            check_raw_image(image, hint="")
        assert caught.value.exit_code == 6
        assert caught.value.details.startswith("its format is qcow2 instead of raw")

    check()


def test_no_archive_is_unpacked_without_a_filter() -> None:
    """I-10: what extracts by Python names the filter that keeps members inside."""
    (package,) = bootstrap.__path__
    for file in Path(package).rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                name, given_words = call.func.attr, {word.arg for word in call.keywords}
                assert name not in {"extract", "extractall"} or "filter" in given_words, file
                assert name != "unpack_archive" or "filter" in given_words, file
