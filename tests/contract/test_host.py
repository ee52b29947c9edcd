"""The Host port: the fake and this very machine do the same."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from bootstrap.adapters.directories import Directories
from bootstrap.adapters.host import local
from bootstrap.adapters.host.local import LocalHost
from bootstrap.errors import BootstrapError, HostError, LockedError
from bootstrap.model.plan import Acceleration
from bootstrap.model.spec import ClusterSpec
from bootstrap.ports import Host
from tests.builders import a_cluster_spec, an_image
from tests.fakes.events import FakeEvents
from tests.fakes.host import FakeHost

#: More than any machine of ours has.
HUGE_MIB = 1 << 40


class Place(Protocol):
    """A hypervisor host, fake or real."""

    def host(self) -> Host:
        """Return the adapter, as one more run sees the host."""

    def used(self, kind: socket.SocketKind) -> contextlib.AbstractContextManager[int]:
        """Have a port of 127.0.0.1 in use while the block runs, and give it."""


class FakePlace:
    def __init__(self) -> None:
        self._host = FakeHost()

    def host(self) -> Host:
        return self._host

    @contextlib.contextmanager
    def used(self, kind: socket.SocketKind) -> Iterator[int]:
        del kind
        self._host.used_ports.add(30123)
        yield 30123
        self._host.used_ports.discard(30123)


class RealPlace:
    def __init__(self, directory: Path) -> None:
        self._directories = Directories(
            state=directory / "state",
            cache=directory / "cache",
            volumes=directory / "data" / "volumes",
        )

    def host(self) -> Host:
        return LocalHost(self._directories, FakeEvents(), is_system=False)

    @contextlib.contextmanager
    def used(self, kind: socket.SocketKind) -> Iterator[int]:
        with socket.socket(socket.AF_INET, kind) as user:
            user.bind(("127.0.0.1", 0))
            if kind is socket.SOCK_STREAM:
                user.listen()
            yield user.getsockname()[1]


@pytest.fixture(params=["fake", "local"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "fake":
        return FakePlace()
    # What the host has installed is not the subject; that it is looked for is a unit test.
    monkeypatch.setattr(local, "_PROGRAMS", ("sh",))
    monkeypatch.setattr(local, "_ALLOCATION_PATIENCE_S", 0)
    return RealPlace(tmp_path)


def check(host: Host, spec: ClusterSpec, *, running_mib: int = 0, overcommit: bool = False) -> None:
    host.check(spec, running_mib=running_mib, allow_overcommit=overcommit)


def small() -> ClusterSpec:
    return a_cluster_spec(workers=1, memory_mib=-3071)  # with its control plane: 1 MiB


def test_a_cluster_that_fits_is_no_problem(place: Place) -> None:
    check(place.host(), small())
    check(place.host(), small())


def test_a_cluster_that_does_not_fit_is_refused_with_a_command(place: Place) -> None:
    """P-10."""
    with pytest.raises(HostError) as caught:
        check(place.host(), a_cluster_spec(memory_mib=HUGE_MIB))
    error = caught.value
    assert error.exit_code == 3
    assert error.message == "This host cannot hold cluster 'demo'."
    assert f"needs {HUGE_MIB + 3072} MiB more" in error.details
    assert error.hint == "bootstrap doctor"


def test_memory_may_be_overcommitted_if_the_user_says_so(place: Place) -> None:
    check(place.host(), a_cluster_spec(memory_mib=HUGE_MIB), overcommit=True)


def test_memory_that_running_nodes_have_is_not_needed_again(place: Place) -> None:
    check(place.host(), a_cluster_spec(memory_mib=HUGE_MIB), running_mib=HUGE_MIB + 3071)


def test_what_is_missing_beyond_running_nodes_is_told(place: Place) -> None:
    with pytest.raises(HostError, match="cannot hold"):
        check(place.host(), a_cluster_spec(memory_mib=HUGE_MIB), running_mib=3072)


def test_whether_kvm_works_is_the_same_each_time(place: Place, tmp_path: Path) -> None:
    """P-01."""
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(b"no kernel at all")
    first = place.host().acceleration(an_image(tmp_path))
    assert isinstance(first, Acceleration)
    assert place.host().acceleration(an_image(tmp_path)) is first


def test_the_allocation_is_held_by_one_run_at_a_time(place: Place) -> None:
    """N-15."""
    with (
        place.host().allocation(),
        pytest.raises(LockedError) as caught,
        place.host().allocation(),
    ):
        pass
    assert caught.value.exit_code == 4
    assert "the ports of this host" in caught.value.message
    assert caught.value.hint


def test_the_allocation_is_free_again_after_the_block_and_after_its_failure(place: Place) -> None:
    with pytest.raises(BootstrapError, match="on purpose"), place.host().allocation():
        raise BootstrapError("on purpose")
    for _ in range(2):
        with place.host().allocation():
            pass


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["TCP", "UDP"])
def test_a_port_is_free_when_no_process_uses_it_by_either_protocol(
    place: Place, kind: socket.SocketKind
) -> None:
    """N-12: links are UDP, forwards TCP."""
    host = place.host()
    with host.allocation():
        with place.used(kind) as port:
            assert not host.is_port_free(port)
        assert host.is_port_free(port)
        # Asking does not take it.
        assert host.is_port_free(port)


def test_there_is_a_processor(place: Place) -> None:
    assert place.host().cores >= 1
    assert place.host().cores == place.host().cores


def test_an_acceleration_is_expected_before_there_is_an_image(place: Place) -> None:
    assert place.host().expected_acceleration() in Acceleration
