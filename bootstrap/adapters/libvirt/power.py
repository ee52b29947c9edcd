"""Say whether a domain runs, in libvirt's words, and make it run or not."""

import libvirt

from bootstrap.adapters.libvirt.memory import break_off
from bootstrap.adapters.libvirt.strays import emulator_of, end_emulator
from bootstrap.adapters.libvirt.stuck import lost_start
from bootstrap.model.cluster import DomainState

_STATES = {
    libvirt.VIR_DOMAIN_RUNNING: DomainState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: DomainState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: DomainState.PAUSED,
    libvirt.VIR_DOMAIN_SHUTOFF: DomainState.SHUT_OFF,
    libvirt.VIR_DOMAIN_CRASHED: DomainState.CRASHED,
}
_REASONS = {
    (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER): "by a user",
    (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR): "I/O error, disk full?",
    (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP): "start broken off?",
    (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED): "crashed",
    (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED): "powered off",
    (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FAILED): "failed to start",
}

#: What a daemon that died in the middle of a start leaves: the next one adopts an emulator
#: that will never run, and no other process starts our domains, since our runs hold a lock.
_STARTING_UP = (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP)


def domain_state(domain: libvirt.virDomain) -> tuple[DomainState, str]:
    """Give the state and, where libvirt knows one worth telling, the reason."""
    state, reason = domain.state()
    if process := emulator_of(domain):
        return DomainState.STRAY, f"process {process}, which libvirt does not know"
    if state == libvirt.VIR_DOMAIN_SHUTOFF and domain.hasManagedSaveImage():
        return DomainState.SAVED, "managed save"
    return _STATES.get(state, DomainState.OTHER), _REASONS.get((state, reason), "")


def is_running(domain: libvirt.virDomain) -> bool:
    """Tell whether the guest runs."""
    return domain_state(domain)[0] is DomainState.RUNNING


def is_suspended(domain: libvirt.virDomain) -> bool:
    """Tell whether the guest is frozen in memory."""
    return domain_state(domain)[0] is DomainState.PAUSED


def is_off(domain: libvirt.virDomain) -> bool:
    """Tell whether the domain has no power."""
    return not domain.isActive() and emulator_of(domain) is None


def start(domain: libvirt.virDomain) -> None:
    """Start, resume or restore the domain; one that runs by now is as wanted.

    :raises libvirt.libvirtError: if libvirt refuses and the domain does not run.
    """
    try:
        if tuple(domain.state()) == _STARTING_UP:
            power_off(domain)
        if is_suspended(domain):
            break_off(domain)
            domain.resume()
        else:
            domain.create()
    except libvirt.libvirtError:
        # Drivers differ in the code for what runs already, so the state is asked instead.
        if not is_running(domain):
            raise


def shut_down(domain: libvirt.virDomain) -> None:
    """Press the power button; the guest does the rest, or not.

    :raises libvirt.libvirtError: if libvirt refuses and the domain still has power.
    """
    try:
        domain.shutdown()
    except libvirt.libvirtError:
        if not is_off(domain):
            raise


def suspend(domain: libvirt.virDomain) -> None:
    """Freeze the guest.

    :raises libvirt.libvirtError: if libvirt refuses and the guest still runs.
    """
    try:
        domain.suspend()
    except libvirt.libvirtError:
        if not is_suspended(domain):
            raise


def power_off(domain: libvirt.virDomain) -> None:
    """Cut the domain's power; one that has none by now is as wanted.

    :raises libvirt.libvirtError: if libvirt refuses and the domain still has power.
    :raises BootstrapError: if libvirt has lost the domain, with the way out.
    """
    end_emulator(domain)
    if is_off(domain):
        return
    try:
        domain.destroy()
    except libvirt.libvirtError as error:
        if is_off(domain):
            return
        lost = lost_start(domain, error)
        if lost is None:
            raise
        raise lost from error
