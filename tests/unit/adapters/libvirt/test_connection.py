"""A libvirt that cannot be reached, and one that went away."""

import shlex
from pathlib import Path

import libvirt
import pytest

from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.errors import translated
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.errors import BootstrapError, HostError, NotFoundError
from tests.builders import INSTALL, a_mark, a_plan, an_image


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
    connection = Connection(uri)
    first = connection.get()
    assert connection.get() is first
    connection.close()
    assert connection.get() is not first
    connection.close()
    connection.close()


def test_libvirt_prints_nothing_by_itself(uri: str, capfd: pytest.CaptureFixture[str]) -> None:
    connection = Connection(uri)
    with pytest.raises(libvirt.libvirtError):
        connection.get().lookupByName("nobody")
    connection.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (libvirt.VIR_ERR_NO_DOMAIN, NotFoundError),
        (libvirt.VIR_ERR_OPERATION_FAILED, BootstrapError),
        (libvirt.VIR_ERR_SYSTEM_ERROR, BootstrapError),
    ],
)
def test_an_error_of_libvirt_is_translated(code: int, kind: type[BootstrapError]) -> None:
    """G-14."""
    error = libvirt.libvirtError("x")
    error.err = (code, 10, "told by libvirt", 2, None, None, None, -1, -1)
    with pytest.raises(kind) as caught, translated("x the y", hint="bootstrap list"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.message == "Could not x the y."
    assert caught.value.hint == "bootstrap list"
    assert caught.value.__cause__ is error


class _Failing:
    """A connection whose n-th call fails; everything it gives fails likewise."""

    def __init__(self, real: object, calls: list[int]) -> None:
        self._real, self._calls = real, calls

    def __getattr__(self, name: str) -> object:
        value = getattr(self._real, name)
        if not callable(value):
            return value

        def call(*args: object) -> object:
            self._calls[0] -= 1
            if self._calls[0] == 0:
                error = libvirt.libvirtError("x")
                error.err = (libvirt.VIR_ERR_RPC, 10, "cut off", 2, None, None, None, -1, -1)
                raise error
            result = value(*args)
            if isinstance(result, list):
                return [_Failing(item, self._calls) for item in result]
            return (
                _Failing(result, self._calls) if isinstance(result, libvirt.virDomain) else result
            )

        return call


@pytest.mark.parametrize("act", ["domains", "start_domain", "power_off_domain", "remove_domain"])
def test_any_call_of_libvirt_may_fail(uri: str, act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """G-14: for every n, what comes out is an error of ours or nothing."""
    plan = a_plan()
    node = plan.nodes[0]
    failed = 0
    for number in range(1, 60):
        connection = Connection(uri)
        hypervisor = LibvirtHypervisor(connection, INSTALL)
        hypervisor.ensure_domain(node, mark=a_mark(plan, node), image=an_image(), emulated=True)
        if act == "power_off_domain":
            hypervisor.start_domain(node.name)
        calls = [number]
        real = connection.get()
        monkeypatch.setattr(connection, "get", lambda: _Failing(real, calls))  # noqa: B023
        argument = {"domains": (), "remove_domain": (node.uuid,)}.get(act, (node.name,))
        try:
            getattr(hypervisor, act)(*argument)
        except BootstrapError:
            failed += 1
        real.close()
        if calls[0] > 0:
            break
    assert failed >= 3
