"""A disk that is lent to a running domain, and a guest that takes its time to let go of it."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import libvirt
import pytest

from bootstrap.adapters.libvirt import hypervisor as module
from bootstrap.adapters.libvirt.deadlines import GENEROUS
from bootstrap.adapters.libvirt.disks import disk_serial, lend, lent_disks, take_back
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.errors import TimedOutError

T = TypeVar("T")
PATH = Path("/a b/<&>/0123456789abcdef.tar")
USERS = "<disk type='file'><source file='/mine'/><serial>mine</serial></disk>"


class Domain:
    """As much of libvirt's domain as disks need; a guest that lets go after some looks."""

    def __init__(self, *, looks: int = 0) -> None:
        self.disks = [USERS]
        self.leaving: list[str] = []
        self.looks = looks

    def XMLDesc(self) -> str:  # noqa: N802 - libvirt's name
        if self.leaving and not self.looks:
            self.disks = [one for one in self.disks if one not in self.leaving]
        self.looks = max(0, self.looks - 1) if self.leaving else self.looks
        return f"<domain><devices>{''.join(self.disks)}</devices></domain>"

    def attachDeviceFlags(self, text: str, flags: int) -> None:  # noqa: N802
        assert flags == libvirt.VIR_DOMAIN_AFFECT_LIVE
        self.disks.append(text)

    def detachDeviceFlags(self, text: str, flags: int) -> None:  # noqa: N802
        assert flags == libvirt.VIR_DOMAIN_AFFECT_LIVE
        self.leaving.append(text)


def test_a_serial_fits_into_what_virtio_has_room_for() -> None:
    assert disk_serial(PATH) == "bootstrap-0123456789"


def test_a_file_is_lent_once_and_read_only() -> None:
    domain = Domain()
    lend(domain, PATH)
    lend(domain, PATH)
    (disk,) = lent_disks(domain).values()
    assert domain.disks == [USERS, disk]
    assert "<readonly" in disk
    assert "/a b/&lt;&amp;&gt;/0123456789abcdef.tar" in disk


def test_only_what_was_lent_is_taken_back() -> None:
    domain = Domain()
    take_back(domain)
    assert domain.leaving == []
    lend(domain, PATH)
    take_back(domain)
    assert lent_disks(domain) == {}
    assert domain.XMLDesc() == f"<domain><devices>{USERS}</devices></domain>"


class Connection:
    """Hands out the one domain."""

    deadlines = GENEROUS
    uri = "test:///x"

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def run(self, _action: str, work: Callable[["Connection"], T], **_: object) -> T:
        return work(self)

    def lookupByName(self, _name: str) -> Domain:  # noqa: N802
        return self._domain


@pytest.fixture(autouse=True)
def _ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ours", lambda _domain, _install: True)


def a_hypervisor(domain: Domain) -> LibvirtHypervisor:
    return LibvirtHypervisor(Connection(domain), uuid.uuid4())  # type: ignore[arg-type]


def test_a_guest_that_takes_its_time_is_waited_for(slept: list[float]) -> None:
    domain = Domain(looks=5)
    hypervisor = a_hypervisor(domain)
    hypervisor.attach_disk("x", PATH)
    assert hypervisor.detach_disks("x")
    assert slept
    assert domain.disks == [USERS]
    assert not hypervisor.detach_disks("x")


def test_a_guest_that_never_lets_go_is_told(slept: list[float]) -> None:
    hypervisor = a_hypervisor(Domain(looks=10**6))
    hypervisor.attach_disk("x", PATH)
    with pytest.raises(TimedOutError) as caught:
        hypervisor.detach_disks("x")
    assert "bootstrap-0123456789" in caught.value.details
    assert sum(slept) >= GENEROUS.letting_go_s
