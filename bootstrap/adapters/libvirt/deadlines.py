"""How long libvirt may take: generous, since a deadline is for what would never end."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds. They hold for emulated guests too: only the last two depend on a guest."""

    #: Reading takes milliseconds, and 20 s of a daemon that just probes its emulators.
    reading_s: float = 120
    #: Defining takes up to a minute where no process reaps the dead (decision 8); a restore
    #: reads all of a guest's memory.
    changing_s: float = 600
    #: A session daemon is started by connecting to it.
    connecting_s: float = 60
    #: What that daemon takes to listen on a host that is busy.
    starting_s: float = 60
    #: What a service manager, or a person, takes to start a daemon that died.
    restarting_s: float = 60
    #: Once a call hung, the daemon must show at once that it lives.
    hurrying_s: float = 5
    #: What a guest takes to let go of a disk: an emulated one that is busy seconds, one whose
    #: kernel died for ever.
    letting_go_s: float = 120
    #: What the memory of all guests of a cluster takes to a slow disk or from it.
    transferring_s: float = 1800


GENEROUS = Deadlines()
