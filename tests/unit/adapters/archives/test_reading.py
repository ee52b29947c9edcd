"""What an archive of images must be; everything else is refused with its fault."""

import bz2
import contextlib
import gzip
import hashlib
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adapters.archives.reading import read_archive
from bootstrap.errors import UsageError
from bootstrap.model.loading import LoadableImage
from tests.archives import CONFIG, LAYER, Layout, docker_members, layout_of, named, write_tar

NAME = "example.test/app:1"
REF = "org.opencontainers.image.ref.name"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images.tar"


def fault(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_archive(path)
    assert caught.value.message == f"'{path}' is not an archive of container images for the nodes."
    return caught.value.details


def faulty(path: Path, layout: Layout) -> str:
    return fault(write_tar(path, layout.members))


def config_of(layout: Layout) -> str:
    (digest,) = [name for name, data in layout.members.items() if b"rootfs" in data]
    return digest.removeprefix("blobs/").replace("/", ":")


def test_an_oci_layout_gives_its_names_and_the_digest_of_its_configuration(path: Path) -> None:
    layout = layout_of(NAME, "docker.io/library/app:latest")
    config = config_of(layout)
    assert read_archive(write_tar(path, layout.members)) == (
        LoadableImage(name=NAME, config=config),
        LoadableImage(name="docker.io/library/app:latest", config=config),
    )


def test_the_name_for_containerd_goes_before_that_of_the_layout(path: Path) -> None:
    layout = Layout()
    entry = named(layout.image(), "example.test/other:2", REF)
    entry["annotations"] = {REF: "2", "io.containerd.image.name": NAME}
    write_tar(path, layout.index(entry, layout.image()).members)
    assert [image.name for image in read_archive(path)] == [NAME]
    layout.index(named(layout.image(), NAME, REF))
    assert [image.name for image in read_archive(write_tar(path, layout.members))] == [NAME]


def test_of_an_image_for_several_platforms_ours_is_taken(path: Path) -> None:
    layout = Layout()
    other = {"digest": f"sha256:{'0' * 64}", "size": 1}  # need not be in it
    platforms = [
        {**other, "platform": {"os": "linux", "architecture": "arm64"}},
        {**layout.image(), "platform": {"os": "linux", "architecture": "amd64"}},
    ]
    layout.index(named(layout.blob({"manifests": platforms}), NAME))
    (image,) = read_archive(write_tar(path, layout.members))
    assert image.config == config_of(layout)
    layout.index(named(layout.blob({"manifests": platforms[:1]}), NAME))
    assert faulty(path, layout) == "It has no image for linux/amd64."


def test_an_index_of_indexes_without_end_is_refused(path: Path) -> None:
    layout = Layout()
    entry = layout.image()
    for _ in range(5):
        ours = {**entry, "platform": {"os": "linux", "architecture": "amd64"}}
        entry = layout.blob({"manifests": [ours]})
    assert "no image for linux/amd64" in faulty(path, layout.index(named(entry, NAME)))


def test_what_docker_saved_has_full_names(path: Path) -> None:
    members = docker_members(["app", "example.test/app:2"])
    config = f"sha256:{hashlib.sha256(json.dumps(CONFIG).encode()).hexdigest()}"
    assert read_archive(write_tar(path, members)) == (
        LoadableImage(name="docker.io/library/app:latest", config=config),
        LoadableImage(name="example.test/app:2", config=config),
    )


def test_an_oci_layout_goes_before_what_docker_wrote_as_in_containerd(path: Path) -> None:
    members = {**docker_members(["other:1"]), **layout_of(NAME).members}
    assert [image.name for image in read_archive(write_tar(path, members))] == [NAME]


def test_members_may_be_named_from_the_directory_on(path: Path) -> None:
    members = {f"./{name}": data for name, data in layout_of(NAME).members.items()}
    assert [image.name for image in read_archive(write_tar(path, members))] == [NAME]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_archive_is_read_and_must_be_whole(
    path: Path, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(write_tar(path, layout_of(NAME).members).read_bytes())
    path.write_bytes(packed)
    assert [image.name for image in read_archive(path)] == [NAME]
    for length in (len(packed) - 3, len(packed) // 2, 10):
        path.write_bytes(packed[:length])
        assert fault(path)


@pytest.mark.parametrize("name", ["app:1", "app", "1", "example.test/app", "example.test/App:1"])
def test_a_name_that_the_kubelet_would_not_find_is_refused(path: Path, name: str) -> None:
    assert name in faulty(path, layout_of(name))


def test_images_without_names_are_refused(path: Path) -> None:
    layout = Layout()
    assert "has a name" in faulty(path, layout.index(layout.image()))
    assert "has a name" in fault(write_tar(path, docker_members(None)))
    assert "has a name" in fault(write_tar(path, docker_members([])))


@pytest.mark.parametrize(
    "config", [{**CONFIG, "architecture": "arm64"}, {**CONFIG, "os": "windows"}, {}]
)
def test_an_image_for_another_platform_is_refused(path: Path, config: dict[str, object]) -> None:
    layout = Layout()
    assert "the nodes are linux/amd64" in faulty(
        path, layout.index(named(layout.image(config), NAME))
    )
    assert "the nodes are linux/amd64" in fault(write_tar(path, docker_members(["a"], config)))


def test_a_blob_that_is_damaged_or_missing_is_named(path: Path) -> None:
    for number in range(3):
        layout = layout_of(NAME)
        blob = sorted(name for name in layout.members if name.startswith("blobs"))[number]
        whole = layout.members[blob]
        for damaged in (whole[:-1], whole + b"x", whole.replace(whole[:1], b"#", 1)):
            layout.members[blob] = damaged
            assert faulty(path, layout) == f"'{blob}' in it is damaged."
        del layout.members[blob]
        assert faulty(path, layout).startswith(f"'{blob}' is not in it")


def test_a_layer_of_docker_that_is_missing_is_named(path: Path) -> None:
    members = docker_members(["app"])
    del members["abc/layer.tar"]
    assert fault(write_tar(path, members)).startswith("'abc/layer.tar' is not in it")


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"[]", b"{", b"null", b'{"manifests": 1}', b'{"manifests": [{}]}', b"\xff"),
        b'{"manifests": [{"digest": "sha256:../../etc/passwd", "size": 1}]}',
        b"[" * 100_000,
        b'{"manifests": []' + b" " * (5 << 20) + b"}",
    ],
)
def test_an_index_that_is_none_is_refused(path: Path, text: bytes) -> None:
    layout = layout_of(NAME)
    layout.members["index.json"] = text
    assert faulty(path, layout)
    assert fault(write_tar(path, {**docker_members(["a"]), "manifest.json": text}))


def test_what_is_no_archive_is_refused(path: Path, tmp_path: Path) -> None:
    assert "no whole tar" in fault(tmp_path / "missing")
    assert "no whole tar" in fault(tmp_path)
    for data in (b"", b"no tar at all" * 1000):
        path.write_bytes(data)
        assert fault(path)
    assert "neither" in fault(write_tar(path, {"readme": LAYER}))


@given(data=st.data())
def test_no_byte_that_is_changed_or_cut_off_ends_in_anything_but_an_answer(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "images.tar"
    whole = bytearray(write_tar(path, layout_of(NAME).members).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with contextlib.suppress(UsageError):
        assert read_archive(path)
