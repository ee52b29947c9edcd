"""What the host has."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.adapters.host.resources import (
    available_memory_mib,
    free_disk_mib,
    is_port_free,
    usable_cores,
)

MEMINFO = "MemTotal: 16777216 kB\nMemFree: 1 kB\nMemAvailable: 8388608 kB\nHugePages_Total: 0\n"
MIB = 1024 * 1024


@pytest.fixture
def memory(tmp_path: Path) -> Callable[..., int]:
    def measure(**cgroup: str) -> int:
        (tmp_path / "meminfo").write_text(MEMINFO)
        for name, text in cgroup.items():
            (tmp_path / f"memory.{name}").write_text(text)
        return available_memory_mib(tmp_path / "meminfo", tmp_path)

    return measure


def test_without_a_limit_the_kernels_estimate_counts(memory: Callable[..., int]) -> None:
    assert memory() == 8192
    assert memory(max="max\n", current="5") == 8192


def test_the_rest_of_a_limit_counts_if_it_is_less(memory: Callable[..., int]) -> None:
    """P-10."""
    assert memory(max=f"{1024 * MIB}\n", current=f"{24 * MIB}\n") == 1000
    assert memory(max=f"{99999 * MIB}", current="0") == 8192


def test_a_limit_that_is_passed_leaves_nothing(memory: Callable[..., int]) -> None:
    assert memory(max="5", current="6") == 0


def test_this_hosts_own_memory_can_be_read() -> None:
    assert available_memory_mib() > 0


def test_the_disk_of_a_directory_that_is_not_there_yet_is_measured(tmp_path: Path) -> None:
    """P-11."""
    assert free_disk_mib(tmp_path / "a" / "b") == pytest.approx(free_disk_mib(tmp_path), rel=0.1)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - that of another process
def test_a_port_in_use_is_not_free(kind: socket.SocketKind, address: str) -> None:
    """N-12."""
    with socket.socket(socket.AF_INET, kind) as used:
        used.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            used.listen()
        port = used.getsockname()[1]
        assert not is_port_free(port)
    assert is_port_free(port)


def test_a_port_whose_connections_have_just_ended_is_free() -> None:
    """A cluster that was taken down a moment ago leaves such ports."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    assert is_port_free(port)


def test_there_is_a_core() -> None:
    assert usable_cores() >= 1
