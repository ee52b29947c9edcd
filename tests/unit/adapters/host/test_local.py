"""Whether this host can hold a cluster."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.adapters.directories import Directories
from bootstrap.adapters.host import local
from bootstrap.adapters.host.acceleration import Probe
from bootstrap.adapters.host.local import LocalHost
from bootstrap.errors import HostError, LockedError
from bootstrap.model.plan import Acceleration
from tests.builders import a_cluster_spec, an_image
from tests.fakes.events import FakeEvents

Host = Callable[..., LocalHost]


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a home with a short path, for a session daemon's sockets would be below it."""
    with tempfile.TemporaryDirectory(prefix="bs-") as name:
        made = Path(name) / "home"
        made.mkdir()
        yield made


@pytest.fixture
def a_host(place: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    def make(*, memory: int = 99999, disk: int = 99999, **mode: bool) -> LocalHost:
        monkeypatch.setattr(local, "available_memory_mib", lambda: memory)
        monkeypatch.setattr(local, "free_disk_mib", lambda _path: disk)
        monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
        directories = Directories(
            state=place / "state", cache=place / "cache", volumes=place / "data" / "volumes"
        )
        return LocalHost(directories, FakeEvents(), **{"is_system": False, **mode})

    return make


def refusal(host: LocalHost, *, running_mib: int = 0) -> HostError:
    with pytest.raises(HostError) as caught:
        host.check(a_cluster_spec(), running_mib=running_mib, allow_overcommit=False)
    return caught.value


def test_enough_is_enough(a_host: Host) -> None:
    a_host(memory=5120, disk=4096).check(a_cluster_spec(), running_mib=0, allow_overcommit=False)


def test_too_little_memory_is_told_with_need_and_have(a_host: Host) -> None:
    """P-10."""
    error = refusal(a_host(memory=5119))
    assert error.details == "memory: needs 5120 MiB more, 5119 MiB are available"
    assert error.exit_code == 3


def test_memory_of_running_nodes_is_not_needed_again(a_host: Host) -> None:
    host = a_host(memory=2048)
    host.check(a_cluster_spec(), running_mib=3072, allow_overcommit=False)


def test_memory_may_be_overcommitted_if_the_user_says_so(a_host: Host) -> None:
    a_host(memory=1).check(a_cluster_spec(), running_mib=0, allow_overcommit=True)


def test_everything_that_is_missing_is_told_at_once(a_host: Host) -> None:
    """P-11."""
    details = refusal(a_host(memory=1, disk=1)).details.splitlines()
    assert [line.split(":")[0] for line in details] == ["memory", "disk"]


def test_missing_programs_are_told(a_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A-11."""
    host = a_host()
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    details = refusal(host).details
    assert "program: 'qemu-img' is not installed" in details
    assert "program: 'ssh' is not installed" in details


def test_an_ordinary_user_of_the_system_daemon_is_sent_to_the_session(
    a_host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-04: QEMU's user would fail at that user's files, minutes later."""
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    error = refusal(a_host(is_system=True, disk=1))
    assert [line.split(":")[0] for line in error.details.splitlines()] == ["user", "disk"]
    assert (error.exit_code, error.hint) == (3, "bootstrap up demo --hypervisor qemu:///session")
    # The test's own home may be too deep for a monitor's socket, which is another refusal.
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    a_host(is_session=True).check(a_cluster_spec(), running_mib=0, allow_overcommit=False)


def test_a_directory_that_the_system_daemons_user_cannot_pass_is_named(
    a_host: Host, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-04: the first one from below, with the command that opens it."""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    place.chmod(0o700)
    error = refusal(a_host(is_system=True))
    assert error.hint == f"chmod o+x {place}"
    a_host(is_system=False).check(a_cluster_spec(), running_mib=0, allow_overcommit=False)


@pytest.mark.parametrize(("length", "excess"), [(48, 0), (49, 1), (90, 42)])
def test_a_home_that_is_too_deep_for_libvirts_sockets_is_told_at_once(
    a_host: Host, monkeypatch: pytest.MonkeyPatch, length: int, excess: int
) -> None:
    """P-16: libvirt would say it when the domain starts, minutes later."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/".ljust(length, "x"))
    a_host(is_session=False).check(a_cluster_spec(), running_mib=0, allow_overcommit=False)
    host = a_host(is_session=True)
    if not excess:
        return host.check(a_cluster_spec(), running_mib=0, allow_overcommit=False)
    error = refusal(host)
    assert f"{excess} bytes too long" in error.details
    return None


@pytest.mark.runs_programs
@pytest.mark.parametrize(
    ("home", "configuration"),
    [("/".ljust(45, "x"), "{home}/.c"), ("/".ljust(46, "x"), "/var/lib/libvirt-someone")],
)
def test_the_hint_for_a_deep_home_gives_one_that_is_not(
    a_host: Host, monkeypatch: pytest.MonkeyPatch, home: str, configuration: str
) -> None:
    """P-16, V-02: the same one each time, for libvirt has the machines in it."""
    monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("USER", "someone")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/".ljust(90, "x"))
    hint = refusal(a_host(is_session=True)).hint
    # Root's part would change this host.
    line = f'sudo() {{ :; }}; {hint}; echo "$XDG_CONFIG_HOME"'
    shorter = configuration.format(home=home)
    for _ in range(2):
        assert subprocess.check_output(["/bin/bash", "-c", line], text=True).strip() == shorter
    monkeypatch.setenv("XDG_CONFIG_HOME", shorter)
    a_host(is_session=True).check(a_cluster_spec(), running_mib=0, allow_overcommit=False)


@pytest.mark.parametrize(("length", "excess"), [(107, 0), (108, 1), (150, 43)])
def test_a_directory_that_is_too_deep_for_the_cables_sockets_is_told_at_once(
    tmp_path: Path, a_host: Host, monkeypatch: pytest.MonkeyPatch, length: int, excess: int
) -> None:
    """P-16: QEMU would say it when the switch starts."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x")
    a_host()
    volumes = Path("/".ljust(length - len("/demo/switch/9999.s"), "x"))
    directories = Directories(state=tmp_path, cache=tmp_path, volumes=volumes)

    def check(*, is_session: bool) -> None:
        host = LocalHost(directories, FakeEvents(), is_system=False, is_session=is_session)
        host.check(a_cluster_spec(), running_mib=0, allow_overcommit=False)

    check(is_session=False)
    if not excess:
        return check(is_session=True)
    with pytest.raises(HostError) as caught:
        check(is_session=True)
    assert f"is {excess} bytes too long" in caught.value.details
    return None


def test_ports_are_chosen_by_one_run_at_a_time(a_host: Host, place: Path) -> None:
    """N-15: the lock is the host's, so it is the same for every cluster."""
    with a_host().allocation():
        assert (place / "state" / ".locks" / ".host.lock").exists()
    with a_host().allocation():
        pass


def test_a_lock_that_is_held_is_told(a_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_ALLOCATION_PATIENCE_S", 0)
    with (
        a_host().allocation(),
        pytest.raises(LockedError, match="the ports of this host"),
        a_host().allocation(),
    ):
        pass


def test_emulation_is_never_silent(a_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """P-01."""
    probe = Probe(acceleration=Acceleration.EMULATED, reason="/dev/kvm is missing")
    monkeypatch.setattr(local, "probe_acceleration", lambda _kernel, _cache: probe)
    host = a_host()
    assert host.acceleration(an_image()) is Acceleration.EMULATED
    events = host._events  # noqa: SLF001 - what it was given
    assert isinstance(events, FakeEvents)
    assert events.notes == ["No KVM (/dev/kvm is missing): emulating, 20 to 30 times slower."]
