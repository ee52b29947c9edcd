"""A start that was broken off, which real libvirt shows for a moment only."""

import libvirt

from bootstrap.adapters.libvirt.power import domain_state, start
from bootstrap.model.cluster import DomainState


class HalfStarted:
    """A domain whose daemon died before its emulator ran; no one can resume it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._state = (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP)

    def state(self) -> list[int]:
        return list(self._state)

    def isActive(self) -> int:  # noqa: N802 - libvirt's name
        return int(self._state[0] != libvirt.VIR_DOMAIN_SHUTOFF)

    def connect(self) -> libvirt.virConnect:
        return libvirt.open("test:///default")

    def hasManagedSaveImage(self) -> int:  # noqa: N802 - libvirt's name
        return 0

    def destroy(self) -> None:
        self.calls.append("destroy")
        self._state = (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED)

    def create(self) -> None:
        self.calls.append("create")
        self._state = (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED)

    def resume(self) -> None:
        self.calls.append("resume")


def test_a_start_that_was_broken_off_begins_anew() -> None:
    """L-07, L-16: resuming would wait for a lock that an emulator which never ran holds."""
    domain = HalfStarted()
    assert domain_state(domain) == (DomainState.PAUSED, "start broken off?")
    start(domain)
    assert domain.calls == ["destroy", "create"]
    assert domain_state(domain)[0] is DomainState.RUNNING
