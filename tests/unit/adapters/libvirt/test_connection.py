"""A libvirt that cannot be reached, and one that went away."""

import shlex
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import libvirt
import pytest

from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.deadlines import Deadlines
from bootstrap.adapters.libvirt.errors import translated, unreachable
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.errors import BootstrapError, HostError, NotFoundError, TimedOutError
from tests.builders import INSTALL
from tests.fakes.faulty_libvirt import Fault, FaultyLibvirt, When, an_error


@pytest.fixture
def uri(tmp_path: Path) -> str:
    (tmp_path / "node.xml").write_text("<node/>")
    return f"test://{tmp_path}/node.xml"


def test_a_daemon_that_does_not_answer_is_told_with_the_command_that_starts_it() -> None:
    """P-02."""
    with pytest.raises(HostError) as caught:
        LibvirtHypervisor(Connection("qemu:///system?socket=/nonexistent/sock"), INSTALL).domains()
    assert "qemu:///system?socket=/nonexistent/sock" in caught.value.message
    assert "/nonexistent/sock" in caught.value.details
    uri = shlex.quote("qemu:///system?socket=/nonexistent/sock")
    assert caught.value.hint == f"virsh --connect {uri} list"


def test_a_connection_is_opened_once_and_again_after_it_ended(uri: str) -> None:
    """L-07."""
    opened: list[str] = []

    def connect(uri: str) -> libvirt.virConnect:
        opened.append(uri)
        return libvirt.open(uri)

    connection = Connection(uri, connect=connect)
    for times in (1, 1):
        connection.run("list", lambda it: it.listAllDomains())
        assert opened == [uri] * times
    connection.close()
    connection.run("list", lambda it: it.listAllDomains())
    assert opened == [uri] * 2
    connection.close()
    connection.close()


def test_libvirt_prints_nothing_by_itself(uri: str, capfd: pytest.CaptureFixture[str]) -> None:
    connection = Connection(uri)
    with pytest.raises(NotFoundError):
        connection.run("look", lambda it: it.lookupByName("nobody"))
    connection.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (libvirt.VIR_ERR_NO_DOMAIN, NotFoundError),
        (libvirt.VIR_ERR_OPERATION_FAILED, BootstrapError),
        (libvirt.VIR_ERR_SYSTEM_ERROR, BootstrapError),
        (libvirt.VIR_ERR_AUTH_UNAVAILABLE, HostError),
        (libvirt.VIR_ERR_ACCESS_DENIED, HostError),
    ],
)
def test_an_error_of_libvirt_is_translated(code: int, kind: type[BootstrapError]) -> None:
    """G-14."""
    error = an_error(code)
    with pytest.raises(kind) as caught, translated("x the y", hint="bootstrap list"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.message.startswith("Could not x the y")
    assert "injected" in caught.value.details
    assert caught.value.hint.startswith("bootstrap ")
    assert caught.value.__cause__ is error


def test_who_may_not_use_libvirt_is_told_of_their_own() -> None:
    """P-03: the group that would help is as good as root, and not needed."""
    error = unreachable("qemu:///system", an_error(libvirt.VIR_ERR_AUTH_UNAVAILABLE))
    assert "as good as root" in error.details
    assert error.hint == "bootstrap up --hypervisor qemu:///session"


@pytest.fixture
def faulty(uri: str) -> Iterator[FaultyLibvirt]:
    real = libvirt.open(uri)
    faulty = FaultyLibvirt(real)
    yield faulty
    faulty.released.set()
    real.close()


#: Short where a fault hangs, long where a slow host must not look like one.
SHORT = Deadlines(reading_s=0.2, changing_s=0.2, connecting_s=60, restarting_s=60, hurrying_s=5)


def test_a_lost_connection_is_made_anew_and_told_once(faulty: FaultyLibvirt) -> None:
    """L-07."""
    notes: list[str] = []
    connection = Connection("test", connect=faulty.connect, note=notes.append)
    faulty.fault, faulty.refusals = Fault(call=2, when=When.BEFORE, what="die"), 2
    for _ in range(4):
        assert connection.run("list", lambda it: it.listDomainsID()) == []
    assert notes == ["libvirt connection lost, reconnected"]


def test_a_connection_that_died_while_idle_is_made_anew(faulty: FaultyLibvirt) -> None:
    """L-07."""
    notes: list[str] = []
    connection = Connection("test", connect=faulty.connect, note=notes.append)
    for _ in range(2):
        connection.run("list", lambda it: it.listDomainsID())
        faulty.die()
    assert notes == ["libvirt connection lost, reconnected"]


def test_a_daemon_that_does_not_come_back_is_told_after_the_deadline(
    faulty: FaultyLibvirt,
) -> None:
    """L-07."""
    connection = Connection(
        "qemu:///system", connect=faulty.connect, deadlines=replace(SHORT, restarting_s=0)
    )
    faulty.fault, faulty.refusals = Fault(call=1, when=When.BEFORE, what="die"), 1000
    with pytest.raises(TimedOutError) as caught:
        connection.run("list", lambda it: it.listDomainsID())
    assert caught.value.hint.startswith("sudo systemctl restart libvirtd")
    with pytest.raises(HostError):
        connection.run("list", lambda it: it.listDomainsID())


def test_work_that_kills_the_daemon_each_time_ends(faulty: FaultyLibvirt) -> None:
    """L-07: bounded."""
    tries: list[int] = []

    def kill(_connection: object) -> None:
        tries.append(1)
        raise an_error(libvirt.VIR_ERR_RPC)

    with pytest.raises(BootstrapError, match="Could not ask"):
        Connection("test", connect=faulty.connect).run("ask", kill)
    assert len(tries) == 4


def test_what_is_busy_is_asked_again(faulty: FaultyLibvirt) -> None:
    """G-14: an error that passes is not told."""
    faulty.fault = Fault(call=1, when=When.BEFORE, what=libvirt.VIR_ERR_OPERATION_TIMEOUT)
    assert Connection("test", connect=faulty.connect).run("list", lambda it: it.numOfDomains()) == 0


def test_an_error_that_was_forgotten_is_asked_for_again(faulty: FaultyLibvirt) -> None:
    """G-14: freeing any object of libvirt's makes it forget the thread's last error."""
    real = libvirt.open("test:///default")
    forgotten: list[object] = []

    def work(_connection: object) -> None:
        try:
            real.lookupByName("nobody")
        except libvirt.libvirtError as error:
            if not forgotten:
                forgotten.append(error)
                error.err = None
            raise

    with pytest.raises(NotFoundError):
        Connection("test", connect=faulty.connect).run("find", work)
    assert forgotten
    real.close()


def test_a_call_that_hangs_ends_with_its_name_and_what_to_type(faulty: FaultyLibvirt) -> None:
    """L-08, G-16."""
    connection = Connection("qemu:///session", connect=faulty.connect, deadlines=SHORT)
    faulty.fault = Fault(call=1, when=When.BEFORE, what="hang")
    with pytest.raises(TimedOutError) as caught:
        connection.run("start domain 'x'", lambda it: it.numOfDomains())
    assert "start domain 'x'" in caught.value.message
    assert caught.value.hint.startswith("pkill --signal KILL")
    connection.run("start domain 'x'", lambda it: it.numOfDomains())


def test_the_rest_of_work_that_hung_does_not_happen(faulty: FaultyLibvirt) -> None:
    """L-08: it would, unseen by the run that cleans up after it."""
    connection = Connection("test", connect=faulty.connect, deadlines=SHORT)
    threads: list[threading.Thread] = []
    happened: list[str] = []

    def work(_connection: object) -> None:
        threads.append(threading.current_thread())
        faulty.released.wait()
        happened.append("the rest")

    with pytest.raises(TimedOutError):
        connection.run("ask", work)
    faulty.released.set()
    threads[0].join(60)
    assert not threads[0].is_alive()
    assert happened == []


def test_the_works_own_timeout_is_not_taken_for_a_hang(faulty: FaultyLibvirt) -> None:
    connection = Connection("test", connect=faulty.connect)

    def work(_connection: object) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        connection.run("ask", work)


def test_a_signal_that_another_thread_takes_interrupts_the_wait(faulty: FaultyLibvirt) -> None:
    """L-08, G-04: the kernel may give Ctrl-C to the thread that hangs."""
    connection = Connection("test", connect=faulty.connect, deadlines=replace(SHORT, reading_s=60))
    is_called = threading.Event()

    def work(_connection: object) -> None:
        is_called.set()
        # Given to the waiting main thread, it would interrupt the wait in any case.
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        faulty.released.wait()

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        connection.run("ask", work)
    assert is_called.is_set()
    assert time.monotonic() - began < 30
