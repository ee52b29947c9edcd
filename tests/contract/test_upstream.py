"""The artefact source ``upstream``, with a server that has the layout of the projects' own.

It never ran against the internet. The programs are scripts, but for the one that is built.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.adapters.artifacts.chosen import ChosenArtifacts
from bootstrap.adapters.artifacts.go.toolchain import find_toolchain, required_go
from bootstrap.adapters.artifacts.store import ArtifactSet
from bootstrap.adapters.artifacts.upstream import pins, sites
from bootstrap.adapters.artifacts.upstream.reach import Reach, reach
from bootstrap.adapters.artifacts.upstream.releases import releases_of
from bootstrap.adapters.artifacts.upstream.source import UpstreamArtifacts
from bootstrap.adapters.directories import Directories, find_directories
from bootstrap.adapters.image.archive import image_names
from bootstrap.adapters.image.parts import Parts, role_variables
from bootstrap.adapters.process import run
from bootstrap.errors import BootstrapError, StateError, UsageError
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.model.sources import Source
from bootstrap.model.versions import DEFAULT_VERSION
from bootstrap.resources import resource_directory
from tests.fakes.events import FakeEvents
from tests.fakes.release_server import Answer, Request, serving
from tests.fakes.upstream import FakeUpstream
from tests.faults.downloads.toxics import page, status

VERSION = DEFAULT_VERSION
_PROGRAMS = ("kubeadm", "kubelet", "kubectl")
_CONTAINERD = ("containerd", "containerd-shim-runc-v2", "ctr")
_CNI = ("bridge", "host-local", "loopback", "portmap", "ptp")
_IMAGES = (f"kube-apiserver:{VERSION}", "coredns/coredns:v1.14.6", "pause:3.10.2")
_GO = find_toolchain(find_directories().cache, required_go(resource_directory("artifacts")))

#: What the user's Go has compiled already.
_GO_CACHE = (
    run([_GO.program, "env", "GOCACHE"], action="ask Go", timeout_s=60).stdout.strip()
    if _GO
    else ""
)

pytestmark = pytest.mark.skipif(_GO is None, reason="no Go that is new enough on this host")


@dataclass
class Place:
    """A host, and the servers that it reaches."""

    directories: Directories
    upstream: FakeUpstream
    events: FakeEvents

    @property
    def said(self) -> list[str]:
        return self.events.notes

    def ensure(self) -> ArtifactSet:
        return UpstreamArtifacts(self.directories, self.events).ensure(VERSION)

    def find(self) -> ArtifactSet | None:
        return UpstreamArtifacts(self.directories, self.events).find(VERSION)

    def requests(self) -> list[str]:
        """Return what was asked for since the last call, without the part that is ours."""
        asked = [request.path for request in self.upstream.server.requests]
        self.upstream.server.requests.clear()
        return asked

    def path(self, program: str) -> str:
        (release,) = (it for it in releases_of(VERSION, "amd64") if program in _names(it))
        return f"/{release.site.host.replace('.', '_')}/{release.path}"


def _names(release: object) -> set[str]:
    return set(getattr(release, "programs", {}).values())


def _script(text: str) -> bytes:
    return f"#!/bin/sh\n{text}\n".encode()


def fill(upstream: FakeUpstream) -> None:
    lines = "\n".join(f"echo registry.k8s.io/{name}" for name in _IMAGES)
    for program in _PROGRAMS:
        upstream.add_kubernetes(program, VERSION, _script(lines))
    containerd, cni = releases_of(VERSION, "amd64")[-2:]
    upstream.add_archive(
        "containerd/containerd",
        containerd.version,
        containerd.name,
        ".sha256sum",
        {f"bin/{name}": _script(f"echo {name}") for name in (*_CONTAINERD, "containerd-stress")},
    )
    upstream.add_archive(
        "containernetworking/plugins",
        cni.version,
        cni.name,
        ".sha256",
        {f"./{name}": _script(f"echo {name}") for name in (*_CNI, "dhcp")},
    )
    for name in _IMAGES:
        upstream.add_manifest(name)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("GOCACHE", _GO_CACHE)
    monkeypatch.setenv("GOPROXY", "off")
    if _GO and not shutil.which("go"):
        monkeypatch.setenv("PATH", str(_GO.program.parent), prepend=":")
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving() as server:
        upstream = FakeUpstream(server)
        fill(upstream)
        for name, value in upstream.variables.items():
            monkeypatch.setenv(name, value)
        directories = Directories(
            state=tmp_path / "state", cache=tmp_path / "cache", volumes=tmp_path / "volumes"
        )
        yield Place(directories, upstream, FakeEvents())


def test_programs_are_downloaded_and_images_are_known_by_their_digests(place: Place) -> None:
    assert place.find() is None
    built = place.ensure()
    assert set(built.binaries) == {*_PROGRAMS, *_CONTAINERD, *_CNI, "node"}
    assert built.binaries["ctr"].read_bytes() == _script("echo ctr")
    assert built.binaries["portmap"].read_bytes() == _script("echo portmap")
    assert all(path.stat().st_mode & 0o777 == 0o755 for path in built.binaries.values())
    assert image_names(built.image_archive) == [CHECK_IMAGE]
    base = place.upstream.variables["BOOTSTRAP_REGISTRY_K8S_IO"]
    assert built.pulls == {
        f"registry.k8s.io/{name}": f"{base}/{name.rpartition(':')[0]}@sha256:"
        f"{place.upstream.digests[name]}"
        for name in _IMAGES
    }
    assert built.packages_fetched is None
    assert list((place.directories.cache / "downloads").glob("[!.]*")) == []


def test_a_complete_set_costs_no_request(place: Place) -> None:
    built = place.ensure()
    place.requests()
    place.events.seen.clear()
    assert place.ensure() == built == place.find()
    assert (place.requests(), place.events.seen) == ([], [])


def test_the_roles_get_the_same_layout_as_from_the_source_go(place: Place) -> None:
    variables = role_variables(Parts(version=VERSION, built=place.ensure(), kubelet=None))
    programs = variables["kubernetes_binaries_programs"]
    assert isinstance(programs, dict)
    assert {name: Path(it).name for name, it in programs.items()} == {it: it for it in _PROGRAMS}
    assert variables["kubernetes_binaries_links"] == {}
    assert variables["containerd_pause_image"] == "registry.k8s.io/pause:3.10.2"
    assert variables["container_images_names"] == sorted(
        [CHECK_IMAGE, *(f"registry.k8s.io/{name}" for name in _IMAGES)]
    )


def test_checksums_that_are_not_pinned_are_recorded_at_their_first_use(place: Place) -> None:
    place.ensure()
    recorded = json.loads((place.directories.state / "upstream.lock.json").read_text())
    assert f"dl.k8s.io/release/{VERSION}/bin/linux/amd64/kubelet" in recorded
    assert recorded["registry.k8s.io/pause:3.10.2"] == place.upstream.digests["pause:3.10.2"]
    assert len(recorded) == 5 + len(_IMAGES)
    assert sum("No checksum of" in line for line in place.said) == 5
    shutil.rmtree(place.directories.cache)
    place.requests()
    place.ensure()
    assert not any("sha256" in path for path in place.requests())


def test_a_release_that_changes_after_its_first_use_is_refused(place: Place) -> None:
    place.ensure()
    shutil.rmtree(place.directories.cache)
    place.upstream.add_kubernetes("kubelet", VERSION, b"another one")
    with pytest.raises(BootstrapError, match="not the file that is wanted"):
        place.ensure()
    assert place.find() is None


def test_pinned_checksums_are_not_asked_for(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ensure()
    resources = tmp_path / "resources"
    resources.mkdir()
    shutil.move(place.directories.state / "upstream.lock.json", resources)
    monkeypatch.setattr(pins, "resource_directory", lambda _: resources)
    shutil.rmtree(place.directories.cache)
    place.requests()
    place.ensure()
    assert not any(".sha256" in path or "/tags/" in path for path in place.requests())
    assert not (place.directories.state / "upstream.lock.json").exists()


@pytest.mark.parametrize("program", ["kubelet", "ctr", "bridge"])
def test_a_damaged_program_is_downloaded_again_and_the_others_are_kept(
    place: Place, program: str
) -> None:
    """I-02."""
    built = place.ensure()
    built.binaries[program].write_bytes(b"x")
    place.requests()
    assert place.ensure() == built
    assert place.requests() == [place.path(program)]
    assert f"Cached file '{program}' fails its sha256; making it again." in place.said


def test_digests_of_images_that_are_damaged_are_asked_for_again(place: Place) -> None:
    built = place.ensure()
    pulls = built.directory / "pulls.json"
    pulls.write_text("x" * pulls.stat().st_size)
    assert place.find() is None
    assert place.ensure() == built


_WRONG_CHECKSUMS = {
    "of another version": (b"ab" * 32 + b"  containerd-1.7.0-linux-amd64.tar.gz\n", "no checksum"),
    "empty": (b"", "is empty"),
    "a web page": (b"<!DOCTYPE html><html></html>", "a web page came"),
    "of other bytes": (b"ab" * 32, "not the file that is wanted"),
}


@pytest.mark.parametrize("kind", _WRONG_CHECKSUMS)
def test_a_wrong_file_of_checksums_leaves_no_program(place: Place, kind: str) -> None:
    text, words = _WRONG_CHECKSUMS[kind]
    place.upstream.server.files[place.path("ctr") + ".sha256sum"] = text
    with pytest.raises(BootstrapError) as caught:
        place.ensure()
    assert words in f"{caught.value.message} {caught.value.details}"
    assert caught.value.hint
    (made,) = (place.directories.cache / "artifacts").glob("[0-9a-f]*")
    assert not {*_CONTAINERD, "images.tar"} & {path.name for path in made.iterdir()}
    assert place.find() is None


def test_an_archive_without_the_program_is_refused(place: Place) -> None:
    cni = releases_of(VERSION, "amd64")[-1]
    files = {f"./{name}": b"x" for name in _CNI if name != "ptp"}
    place.upstream.add_archive(
        "containernetworking/plugins", cni.version, cni.name, ".sha256", files
    )
    with pytest.raises(BootstrapError, match="no program 'ptp'"):
        place.ensure()


@pytest.mark.parametrize("text", [b"{}", b"[]", b"no JSON", b'{"errors": []}'])
def test_what_is_no_manifest_of_an_image_gives_no_digest(place: Place, text: bytes) -> None:
    place.upstream.server.files["/v2/registry_k8s_io/pause/manifests/3.10.2"] = text
    with pytest.raises(BootstrapError, match="no manifest of an image"):
        place.ensure()


def test_an_image_of_another_registry_is_refused(place: Place) -> None:
    kubeadm = _script("echo docker.example/pause:3.10.2")
    place.upstream.add_kubernetes("kubeadm", VERSION, kubeadm)
    with pytest.raises(BootstrapError, match=r"not one of registry\.k8s\.io"):
        place.ensure()


def test_a_damaged_record_is_named_and_kept(place: Place) -> None:
    place.directories.state.mkdir(mode=0o700)
    record = place.directories.state / "upstream.lock.json"
    record.write_text('{"dl.k8s.io/x": "short"}')
    with pytest.raises(StateError) as caught:
        place.ensure()
    assert caught.value.hint == f"rm {record}"
    assert record.exists()


@pytest.mark.parametrize("address", ["mirror.example", "ftp://mirror.example", "https://", "x?y"])
def test_the_address_of_a_mirror_has_to_be_one(
    place: Place, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("BOOTSTRAP_DL_K8S_IO", address)
    with pytest.raises(UsageError, match="BOOTSTRAP_DL_K8S_IO is not the address of a mirror"):
        place.ensure()


@pytest.mark.parametrize(
    ("site", "host", "answers"),
    [
        (sites.KUBERNETES, "cdn.dl.k8s.io", True),
        (sites.KUBERNETES, "k8s.io.evil.example", False),
        (sites.KUBERNETES, "evilk8s.io", False),
        (sites.GITHUB, "release-assets.githubusercontent.com", True),
        (sites.GITHUB, "gist.github.com", False),
        (sites.REGISTRY, "us-west2-docker.pkg.dev", True),
        (sites.REGISTRY, "github.com", False),
    ],
)
def test_who_may_answer_for_whom(site: sites.Site, host: str, *, answers: bool) -> None:
    assert site.answers(host) is answers
    assert site.answers(site.host)


# Which source is taken.


def chosen(place: Place, *away: str) -> ChosenArtifacts:
    found = [Reach(site=it, reason="no way" if it.host in away else "") for it in sites.SITES]
    return ChosenArtifacts(place.directories, place.events, ask=lambda: found)


def test_upstream_is_taken_if_it_answers_and_then_without_asking(place: Place) -> None:
    built = chosen(place).ensure(VERSION)
    assert "kubelet" in built.binaries
    again = ChosenArtifacts(place.directories, place.events, ask=list)
    assert again.find(VERSION) == again.ensure(VERSION) == built
    assert again.find(VERSION, Source.GO) is None
    assert again.kubectl(VERSION) == built.binaries["kubectl"]
    assert again.prune() == []


def test_go_is_taken_if_a_server_does_not_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(
        "bootstrap.adapters.artifacts.go.source.GoArtifacts.ensure",
        lambda *_, **__: "from modules",
    )
    assert str(chosen(place, "github.com").ensure(VERSION)) == "from modules"
    assert place.said == ["Building from Go modules, since no way leads to github.com (no way)."]


def test_kubelet_alone_is_downloaded_and_a_set_that_has_it_is_taken_before_a_server(
    place: Place,
) -> None:
    kubelet = chosen(place).ensure_kubelet(VERSION)
    assert (kubelet.name, kubelet.version) == ("kubelet", VERSION)
    assert place.requests() == [f"{place.path('kubelet')}.sha256", place.path("kubelet")]
    silent = ChosenArtifacts(place.directories, place.events, ask=list)
    assert silent.find_kubelet(VERSION) == silent.ensure_kubelet(VERSION) == kubelet
    assert silent.find_kubelet(VERSION, Source.GO) is None
    assert place.requests() == []
    assert chosen(place).ensure(VERSION).binaries["kubelet"] == kubelet.path
    assert place.path("kubelet") not in place.requests()


# Whether the servers answer.


def test_servers_that_answer_are_reached(place: Place) -> None:
    """That there is no such file is an answer too."""
    assert [it.reason for it in reach()] == ["", "", ""]
    assert reach()[0].way == place.upstream.variables["BOOTSTRAP_DL_K8S_IO"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (page(), "a web page came instead"),
        (status(403), "refuses the file"),
        (status(503), "answers 503"),
        (status(407), "the proxy refuses"),
    ],
)
def test_a_server_behind_something_else_is_not_reached(
    place: Place, fault: object, words: str
) -> None:
    def only_github(request: Request, answer: Answer) -> Answer:
        assert callable(fault)
        changed: Answer = fault(request, answer)
        return changed if request.path.startswith("/github") else answer

    place.upstream.server.always = only_github
    found = {it.site.host: it.reason for it in reach()}
    assert words in found["github.com"]
    assert (found["dl.k8s.io"], found["registry.k8s.io"]) == ("", "")


def test_a_server_that_is_silent_costs_no_more_than_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.adapters.artifacts.upstream.reach.PATIENCE_S", 0.5)
    place.upstream.server.always = lambda _request, _answer: Answer(
        headers={"Content-Length": "9"}, sent=0, then="stall"
    )
    place.upstream.server.hold.set()
    try:
        assert all("does not answer" in it.reason for it in reach())
    finally:
        place.upstream.server.hold.clear()
